//! The stand-in images themselves, for real: built once, free of this machine's secrets, and a whole application that logs in,
//! runs on Ray, keeps its data over an upgrade, and stays down when the release is broken.
#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test ends at the first surprise and says on the way how long things took"
)]

use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::images::{
    Product, Release, archive, ensure, ensure_of, ensure_registry,
};
use syntho_installer::rehearsal::{Engine, Fleet, FleetSpec, Vm, VmSpec};

/// The application's start, with Ray, on a machine that other tests use too.
const START: Duration = Duration::from_mins(3);
/// Where the API is, as the frontend passes it on.
const API: &str = "http://127.0.0.1:3000/api/v1";

fn tell(line: &str) {
    eprintln!("{line}");
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Engine::default_cache().expect("a home folder");
        Engine::find_or_start(&cache, &tell).expect("a Docker Engine for virtual machines")
    })
}

fn names(images: &[ImageRef]) -> Vec<String> {
    images.iter().map(ToString::to_string).collect()
}

fn docker(args: &[&str]) -> Output {
    let mut command = Command::new("docker");
    if let Some(host) = engine().docker().host() {
        command.env("DOCKER_HOST", host);
    }
    command.args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn images_are_built_once_and_packed() {
    let images = ensure(engine(), &Release::ALL, &tell).unwrap();
    ensure_registry(engine(), &tell).unwrap();
    assert_eq!(images.len(), 15);
    let hub = ensure_of(engine(), Product::Notebooks, &Release::ALL, &tell).unwrap();
    assert_eq!(hub.len(), 11);

    let started = Instant::now();
    let told = Mutex::new(Vec::new());
    let keep = |line: &str| told.lock().unwrap().push(line.to_owned());
    ensure(engine(), &Release::ALL, &keep).unwrap();
    tell(&format!("looked at again in {:?}", started.elapsed()));
    assert_eq!(told.into_inner().unwrap(), Vec::<String>::new());

    let old = Release::Old.images().unwrap();
    let whole = archive(engine(), "syntho-images-1.9.0", &old, &tell).unwrap();
    let one = archive(engine(), "redis", &old[1..2], &tell).unwrap();
    let again = archive(engine(), "redis", &old[1..2], &|line| panic!("{line}")).unwrap();
    assert_eq!(again, one);
    let list = ["-xOf", whole.as_str(), "manifest.json"];
    let manifest = text(&Command::new("tar").args(list).output().unwrap());
    for name in names(&old) {
        assert!(manifest.contains(&name), "{name} is not in {manifest}");
    }
}

#[test]
fn no_image_tells_how_packages_were_found() {
    let releases = [Release::Old, Release::New];
    let mut images = ensure(engine(), &releases, &tell).unwrap();
    images.extend(ensure_of(engine(), Product::Notebooks, &releases, &tell).unwrap());
    for name in names(&images) {
        let history = text(&docker(&["history", "--no-trunc", &name])).to_lowercase();
        assert!(
            !history.contains("index-url") && !history.contains("pip_"),
            "{history}"
        );
        let look =
            "! ls -d /in /opt/pip /etc/pip.conf /root/.config /root/.pip 2> /dev/null | grep .";
        let run = ["run", "--rm", "--network", "none", "--entrypoint", "sh"];
        let looked = docker(&[&run[..], &[&name, "-c", look]].concat());
        assert!(looked.status.success(), "{name}: {}", text(&looked));
    }
}

#[test]
fn what_is_missing_is_said_and_ends_the_container() {
    let releases = [Release::Old, Release::Broken];
    let mut images = names(&ensure(engine(), &releases, &tell).unwrap());
    images.extend(names(
        &ensure_of(engine(), Product::Notebooks, &releases, &tell).unwrap(),
    ));
    let cases: [(&str, &[&str], &str); 9] = [
        ("postgres:14.5", &[], "set POSTGRES_PASSWORD"),
        (
            "syntho-ray:1.9.0",
            &["ray", "start", "--head"],
            "LICENSE_KEY_SIGNED is empty",
        ),
        (
            "syntho-ray:1.11.0",
            &["ray", "start", "--head"],
            "this release is broken",
        ),
        ("syntho-core-api:1.9.0", &[], "not set: DATABASE_URL"),
        ("syntho-core-api:1.11.0", &[], "this release is broken"),
        ("syntho-core-backend:1.9.0", &[], "not set: DB_HOST"),
        ("syntho-core-frontend:1.11.0", &[], "this release is broken"),
        (
            "hub-syntho-jupyterhub:1.11.0",
            &[],
            "this release is broken",
        ),
        ("/syntho-jupyterhub:1.11.0", &[], "this release is broken"),
    ];
    for (image, command, said) in cases {
        let image = images.iter().find(|name| name.ends_with(image)).unwrap();
        let run = ["run", "--rm", "--network", "none", image];
        let ended = docker(&[&run[..], command].concat());
        assert_eq!(ended.status.code(), Some(1), "{image}: {}", text(&ended));
        assert!(text(&ended).contains(said), "{image}: {}", text(&ended));
    }
}

/// The application on one VM.
struct Application<'a> {
    vm: &'a Vm,
}

impl Application<'_> {
    fn compose(&self, tag: &str, command: &str) -> String {
        let script = format!("cd /srv/app && TAG={tag} docker compose {command} 2>&1");
        self.vm.exec_ok(&script).unwrap()
    }

    fn up(&self, tag: &str) {
        let started = Instant::now();
        self.compose(tag, "up --detach --quiet-pull --pull never");
        // Each answer goes through a variable: a pipe would hide that curl failed.
        let well = format!(
            "found=$(curl -fsS {API}/status/) && \
             test \"$(echo \"$found\" | jq -r '.status + \" \" + .version')\" = 'ok {tag}'"
        );
        let up = self.vm.wait_until("the application", START, &well);
        assert!(up.is_ok(), "{}", self.compose(tag, "logs --tail 40"));
        tell(&format!("{tag} answers after {:?}", started.elapsed()));
    }

    /// Calls the API as a browser would, after a login; returns what `filter` makes of the answer.
    fn call(&self, arguments: &str, filter: &str) -> String {
        let login = r#"{"email": "admin@syntho.example", "password": "administrator-secret-1"}"#;
        let script = format!(
            "answer=$(curl -fsS -d '{login}' {API}/auth/login/) && token=$(echo \"$answer\" | jq -r .token) && \
             answer=$(curl -fsS -H \"Authorization: Bearer $token\" {arguments}) && echo \"$answer\" | jq -rc '{filter}'"
        );
        self.vm.exec_ok(&script).unwrap()
    }

    fn workspaces(&self) -> String {
        self.call(&format!("{API}/workspaces/"), "map(.name) | join(\",\")")
    }
}

#[test]
fn the_application_works_keeps_its_data_and_fails_when_broken() {
    let images = names(&ensure(engine(), &Release::ALL, &tell).unwrap());
    let spec = FleetSpec::unique("stand-ins", &[]).vm(VmSpec::new("app").images(images));
    let fleet = Fleet::up(engine(), &spec, &tell).unwrap();
    let vm = fleet.vm("app").unwrap();
    let stack = include_bytes!("fixtures/stand-in-stack.yaml");
    let put = "mkdir -p /srv/app/init && cat > /srv/app/compose.yaml && \
               echo 'CREATE DATABASE \"syntho-backend\"' > /srv/app/init/databases.sql";
    vm.exec_with(put, stack).unwrap();
    let app = Application { vm };

    app.up("1.9.0");
    assert_eq!(
        app.call(
            &format!("-d '{{\"name\": \"first\"}}' {API}/workspaces/"),
            ".name"
        ),
        "first"
    );
    works_on_ray(&app, "2.47.1");
    refuses_other_hosts(&app);

    app.up("1.10.0");
    assert_eq!(app.workspaces(), "first");
    works_on_ray(&app, "2.60.0");

    app.compose("1.11.0", "up --detach --pull never");
    let dead = "docker inspect -f '{{.State.ExitCode}}' stand-in-frontend-1 | grep -qx 1 && ! curl -fsS http://127.0.0.1:3000/";
    vm.wait_until("the broken release's end", START, dead)
        .unwrap();

    app.up("1.9.0");
    assert_eq!(app.workspaces(), "first");
    let logs = app.compose("1.9.0", "logs");
    for secret in [
        "database-secret-1",
        "licence-secret-1",
        "backend-secret-1",
        "administrator-secret-1",
        "Y29yZS1",
    ] {
        assert!(!logs.contains(secret), "the logs show {secret}");
    }
    fleet.down().unwrap();
}

/// A job goes through backend, core, Redis, Celery and Ray, and its result back into PostgreSQL; an event to the subscriber too.
fn works_on_ray(app: &Application<'_>, ray: &str) {
    let id = app.call(&format!("-X POST {API}/jobs/"), ".id");
    let deadline = Instant::now() + START;
    let result = loop {
        let result = app.call(&format!("{API}/jobs/{id}/"), "[.state, .result.ray_version, (.result.ran_on | length)] | map(tostring) | join(\" \")");
        if !result.starts_with("queued") || Instant::now() > deadline {
            break result;
        }
    };
    assert_eq!(result, format!("done {ray} 1"));
    assert_eq!(
        app.call(&format!("{API}/workspaces/"), "all(.indexed)"),
        "true"
    );
}

/// Only the names in `EXTRA_ALLOWED_HOSTS` are served, and the frontend has neither of the tools that health checks like to call.
fn refuses_other_hosts(app: &Application<'_>) {
    let ask = "docker compose -f /srv/app/compose.yaml exec -T worker wget -qS -O /dev/null --header 'Host: HOST' http://backend:8000/api/docs/ 2>&1 || true";
    let answer = |host: &str| {
        app.vm
            .exec_ok(
                &ask.replace("HOST", host)
                    .replace("docker", "TAG=1.9.0 docker"),
            )
            .unwrap()
    };
    assert!(answer("syntho.example").contains("200 OK"));
    assert!(answer("other.example").contains("400 Bad Request"));
    app.compose(
        "1.9.0",
        "exec -T frontend sh -c '! command -v curl && ! command -v wget'",
    );
}
