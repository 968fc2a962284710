//! Ray on Kubernetes without a cloud and without a snap store: the scripts run for real on VMs, over SSH, with a real Docker and a real registry. The tools
//! that they call are stand-ins (`shims/`), which take only what the real ones take, and keep what was called.

use std::process::Command;

use serde_json::Value as Json;
use syntho_installer::rehearsal::{VmSpec, images};
use toml::{Table, Value};

use crate::program::{self, Ended};
use crate::site::{Site, engine, release, section, tell};

/// What all VMs have in common: the stand-ins, and the state of what they made up.
const SHIMS: &str = "/var/shims";
const TOOLS: [(&str, &str); 3] = [
    ("shim.py", include_str!("shims/shim.py")),
    ("kubernetes.py", include_str!("shims/kubernetes.py")),
    ("tool.py", include_str!("shims/tool.py")),
];
/// The image that plays Ray's: nothing runs in it.
const IMAGE: &str = "nginx:1.26";
/// What a call holds that changes something.
const CHANGES: [&str; 14] = [
    " install",
    " apply ",
    " create ",
    " label ",
    " annotate ",
    " enable ",
    " join ",
    " add-node ",
    " remove",
    " delete ",
    " upgrade ",
    " uninstall ",
    " login",
    " leave",
];
/// Prints what Docker is told.
const SETTINGS: &str = "cat /etc/docker/daemon.json 2>/dev/null || echo none";
const LOGIN_SECRET: &str = "right-SECRET-of-the-login";
const APP_SECRET: &str = "app~SECRET-of-the-pods";
const PULL_PASSWORD: &str = "pull-SECRET";

fn site(names: &[&str]) -> Site {
    let mut held = release(syntho_installer::rehearsal::images::Release::Old);
    held.retain(|image| image == IMAGE);
    held.push(
        images::ensure_registry(engine(), &tell)
            .unwrap()
            .to_string(),
    );
    let vms: Vec<VmSpec> = names
        .iter()
        .map(|name| VmSpec::new(*name).images(held.clone()))
        .collect();
    Site::sharing(SHIMS, &vms)
}

/// Puts the stand-ins on every VM under these names.
fn tools(site: &Site, names: &[&str]) {
    for (name, text) in TOOLS {
        let script = format!(
            "mkdir -p {SHIMS}/faults && cat > {SHIMS}/{name} <<'END-OF-SHIM'\n{text}\nEND-OF-SHIM\nchmod 755 {SHIMS}/{name}"
        );
        site.fleet.vms()[0].exec_ok(&script).unwrap();
    }
    for vm in site.fleet.vms() {
        for name in names {
            vm.exec_ok(&format!("ln -sf {SHIMS}/tool.py /usr/local/bin/{name}"))
                .unwrap();
        }
        // The stand-ins write no compiled copies of themselves.
        vm.exec_ok(
            "mkdir -p /etc/environment.d; touch /var/shims/journal; chmod 666 /var/shims/journal",
        )
        .unwrap();
    }
}

fn fault(site: &Site, name: &str, on: bool) {
    let what = if on { "touch" } else { "rm -f" };
    site.fleet.vms()[0]
        .exec_ok(&format!("{what} {SHIMS}/faults/{name}"))
        .unwrap();
}

/// Every call so far, as host, name and arguments in one line.
fn calls(site: &Site) -> Vec<String> {
    let text = site.fleet.vms()[0]
        .exec_ok(&format!("cat {SHIMS}/journal"))
        .unwrap();
    let call = |line: &str| {
        let call: Json = serde_json::from_str(line).unwrap();
        assert!(
            call.get("refused").is_none(),
            "a tool does not know this: {line}"
        );
        let words: Vec<&str> = call["argv"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        format!(
            "{} {} {}",
            call["host"].as_str().unwrap(),
            call["name"].as_str().unwrap(),
            words.join(" ")
        )
    };
    text.lines().map(call).collect()
}

fn deploy(site: &Site, answers: &Table, code: i32) -> Ended {
    let ended = site.deploy_with(answers, |command| {
        secrets(command);
    });
    let said = ended.all();
    for secret in [LOGIN_SECRET, APP_SECRET, PULL_PASSWORD] {
        assert!(!said.contains(secret), "{secret} is told");
    }
    ended.expect_code(code)
}

fn secrets(command: &mut Command) -> &mut Command {
    command
        .env("SYNTHO_SECRET_LOGIN_CLIENT_SECRET", LOGIN_SECRET)
        .env("SYNTHO_SECRET_APP_CLIENT_SECRET", APP_SECRET)
        .env("SYNTHO_SECRET_PULL_PASSWORD", PULL_PASSWORD)
}

/// Deploys with a fault, which must end it with these words.
#[track_caller]
fn fails(site: &Site, answers: &Table, name: &str, words: &[&str]) {
    fault(site, name, true);
    let said = deploy(site, answers, 1).all();
    fault(site, name, false);
    for word in words {
        assert!(said.contains(word), "{name}: {word} is not in\n{said}");
    }
}

#[track_caller]
fn does_nothing(site: &Site, answers: &Table) {
    let before = calls(site).len();
    let last = deploy(site, answers, 0).events().pop().unwrap();
    assert_eq!(last["outcome"]["outcome"], "nothing-to-do", "{last}");
    for call in &calls(site)[before..] {
        let changes = CHANGES.iter().any(|verb| call.contains(verb));
        assert!(
            !changes || call.contains("--dry-run=client") || call.contains(" can-i "),
            "changed something: {call}"
        );
    }
}

fn answers(site: &Site, preset: &str, hosts: &[(&str, &[&str])], given: &str) -> Table {
    let mut answers = site.answers_for(hosts);
    answers.insert("preset".into(), preset.into());
    let mut own: Table =
        "head-memory = '2gb'\nhead-cpus = 1\nworker-cpus = 0.5\nworker-memory = '1gb'"
            .parse()
            .unwrap();
    own.extend(given.parse::<Table>().unwrap());
    answers.insert("answers".into(), Value::Table(own));
    answers
}

fn on_microk8s(site: &Site, hosts: &[(&str, &[&str])], given: &str) -> Table {
    let mut answers = answers(
        site,
        "ray-microk8s",
        hosts,
        &format!("ray-image = '{IMAGE}'\n{given}"),
    );
    section(&mut answers, "images").insert("source".into(), "present".into());
    answers
}

#[test]
fn ray_runs_on_microk8s() {
    let site = site(&["lead", "node"]);
    tools(&site, &["snap", "microk8s"]);
    // The second host has no Docker; the first one has settings that must stay.
    site.vm("node").exec_ok("systemctl disable --now docker docker.socket 2>/dev/null; mv /usr/bin/docker /usr/bin/docker.away").unwrap();
    let settings = site.vm("lead").exec_ok(SETTINGS).unwrap();
    let names = site.vm("lead").exec_ok("cat /etc/hosts").unwrap();
    let both: [(&str, &[&str]); 2] = [("lead", &["control-plane"]), ("node", &["worker"])];
    let first = on_microk8s(&site, &both, "addons = ['metrics-server']");

    known_failures(&site, &both, &first);
    deploy(&site, &first, 0);
    what_came(&site);
    does_nothing(&site, &first);
    site.run(&["verify", "acme", "--json"]).expect_code(0);

    let own = a_registry_of_its_own(&site, &both, &settings);
    // A host that leaves the answers leaves the cluster.
    deploy(&site, &on_microk8s(&site, &both[..1], &own), 0);
    assert!(calls(&site).contains(&"lead microk8s remove-node node --force".to_owned()));
    everything_goes(&site, &settings, &names);
}

/// Each is told with what helps, and the same command goes on.
fn known_failures(site: &Site, both: &[(&str, &[&str])], first: &Table) {
    fault(site, "store", true);
    let found = site.check_with(first, |_| {}).expect_code(3).all();
    assert!(found.contains("the snap store is not reached"), "{found}");
    fault(site, "store", false);
    let no_addon = on_microk8s(site, both, "addons = ['metrics-serv']");
    let said = deploy(site, &no_addon, 1).all();
    assert!(
        said.contains("MicroK8s has no such add-on: Addon metrics-serv was not found"),
        "{said}"
    );
    fails(
        site,
        first,
        "join",
        &["the control plane is not reached", "Connection refused"],
    );
    fails(
        site,
        first,
        "operator",
        &["the operator did not become ready"],
    );
    fails(
        site,
        first,
        "image-pull",
        &[
            "the nodes cannot fetch Ray's image",
            "Back-off pulling image",
        ],
    );
    fails(
        site,
        first,
        "other-ray",
        &["the image has Ray 2.9.3", "`ray-version` says 2.36.0"],
    );
}

/// Two workers more, and a registry of the site's own that speaks plain http; returns the answers for it.
fn a_registry_of_its_own(site: &Site, both: &[(&str, &[&str])], settings: &str) -> String {
    site.vm("lead")
        .exec_ok("docker run --detach --name own-registry --publish 5000:5000 registry:2.8.2")
        .unwrap();
    let own = format!(
        "registry-address = '{}:5000'\nregistry-plain-http = true\nmin-workers = 3",
        site.vm("lead").address()
    );
    deploy(site, &on_microk8s(site, both, &own), 0);
    trusted(site, settings);
    does_nothing(site, &on_microk8s(site, both, &own));
    own
}

fn everything_goes(site: &Site, settings: &str, names: &str) {
    site.run(&["destroy", "acme", "--yes", "--json", "--delete-data=acme"])
        .expect_code(0);
    let now = site.vm("lead").exec_ok(SETTINGS).unwrap();
    // Written anew, it may be laid out otherwise.
    let meant = |text: &str| serde_json::from_str::<Json>(text).map_err(|_| text.to_owned());
    assert_eq!(meant(&now), meant(settings));
    assert_eq!(site.vm("lead").exec_ok("cat /etc/hosts").unwrap(), names);
    let left = site
        .vm("lead")
        .exec_ok("ls /opt/syntho /var/snap 2>&1; pgrep -f '[k]ube.sh forward' && echo acme forwards || true")
        .unwrap();
    assert!(
        !left.contains("acme") && !left.contains("microk8s"),
        "{left}"
    );
    calls(site);
}

/// In which order it came, and who was told what.
fn what_came(site: &Site) {
    let calls = calls(site);
    let at = |words: &str| {
        calls
            .iter()
            .position(|call| call.contains(words))
            .unwrap_or_else(|| panic!("nobody called {words}: {calls:#?}"))
    };
    let order = [
        "lead snap install microk8s --classic --channel=1.32/stable",
        "lead microk8s enable dns",
        "lead microk8s enable registry --size 40Gi",
        "lead microk8s add-node --format json --token-ttl 600",
        "node microk8s join ",
        "lead microk8s helm show crds kuberay-operator",
        "lead microk8s helm upgrade --install kuberay-operator",
        "apply --server-side --field-manager=syntho-installer --force-conflicts -f raycluster.yaml",
    ];
    for pair in order.windows(2) {
        assert!(
            at(pair[0]) < at(pair[1]),
            "{} comes after {}",
            pair[0],
            pair[1]
        );
    }
    let in_registry = site
        .vm("lead")
        .exec_ok("curl -s http://localhost:32000/v2/_catalog")
        .unwrap();
    assert!(in_registry.contains("\"nginx\""), "{in_registry}");
    let dashboard = site
        .vm("lead")
        .exec_ok("curl -s http://127.0.0.1:8265/api/version")
        .unwrap();
    assert!(dashboard.contains("2.36.0"), "{dashboard}");
}

fn trusted(site: &Site, before: &str) {
    let lead = site.vm("lead");
    let address = lead.address();
    let now: Json =
        serde_json::from_str(&lead.exec_ok("cat /etc/docker/daemon.json").unwrap()).unwrap();
    assert_eq!(now["insecure-registries"][0], format!("{address}:5000"));
    if let Ok(Json::Object(before)) = serde_json::from_str(before) {
        assert!(
            before.iter().all(|(key, value)| now[key] == *value),
            "{before:?} was not kept: {now}"
        );
    }
    for vm in site.fleet.vms() {
        let trust = vm
            .exec_ok(&format!(
                "cat /var/snap/microk8s/current/args/certs.d/{address}:5000/hosts.toml"
            ))
            .unwrap();
        assert!(
            trust.contains(&format!("server = \"http://{address}:5000\"")),
            "{trust}"
        );
    }
    let manifest = lead
        .exec_ok("cat /opt/syntho/acme/ray-cluster/raycluster.yaml")
        .unwrap();
    assert!(
        manifest.contains(&format!("image: \"{address}:5000/nginx:1.26\"")),
        "{manifest}"
    );
}

#[test]
fn ray_runs_on_a_cluster_of_azure() {
    let site = site(&["control"]);
    tools(&site, &["az", "kubectl", "helm"]);
    let control = site.vm("control");
    control.exec_ok("systemctl disable --now docker docker.socket 2>/dev/null; mv /usr/bin/docker /usr/bin/docker.away").unwrap();
    let by_itself = logins(&site);
    deploy(&site, &by_itself, 0);
    does_nothing(&site, &by_itself);
    kept_secret(&site);

    fault(&site, "expired-login", true);
    let mut verify = site.program();
    secrets(verify.args(["verify", "acme", "--json"]));
    let said = program::run(verify).expect_code(1).all();
    assert!(said.contains("the login has expired: "), "{said}");
    fault(&site, "expired-login", false);

    site.run(&["destroy", "acme", "--yes", "--json"])
        .expect_code(0);
    let state = control.exec_ok(&format!("cat {SHIMS}/state.json")).unwrap();
    let state: Json = serde_json::from_str(&state).unwrap();
    let left: Vec<&String> = state["objects"].as_object().unwrap().keys().collect();
    assert_eq!(left, ["CustomResourceDefinition/-/rayclusters.ray.io"]);
    assert!(
        !control
            .exec("ls /opt/syntho/acme")
            .unwrap()
            .stdout
            .contains("aks")
    );
    calls(&site);
}

/// Failures that are known on the way to a login of its own; returns the answers with it.
fn logins(site: &Site) -> Table {
    let hosts: [(&str, &[&str]); 1] = [("control", &["control"])];
    let given = "tenant = '11111111-2222-3333-4444-555555555555'\nsubscription = '66666666-7777-8888-9999-000000000000'\nresource-group = 'syntho'\naks-cluster = 'syntho-aks'\n\
        ray-image = 'acmereg.azurecr.io/syntho-ray:1.9.0'\nacr = 'acmereg'\npull-registry = 'registry.acme.example'\npull-username = 'pull'\nautoscaling = true\nmax-workers = 4\n";
    let by_hand = answers(site, "ray-aks", &hosts, given);
    let said = deploy(site, &by_hand, 1).all();
    assert!(
        said.contains("az is not logged in: Please run 'az login'")
            && said.contains("--use-device-code"),
        "{said}"
    );

    let given = format!(
        "{given}login = 'service-principal'\nlogin-client-id = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'\n"
    );
    let by_itself = answers(site, "ray-aks", &hosts, &given);
    let wrong = site.deploy_with(&by_itself, |command| {
        secrets(command).env("SYNTHO_SECRET_LOGIN_CLIENT_SECRET", "wrong");
    });
    let wrong = wrong.expect_code(1).all();
    assert!(
        wrong.contains("Azure refuses the secret by which az logs in: AADSTS7000215"),
        "{wrong}"
    );
    let elsewhere = answers(
        site,
        "ray-aks",
        &hosts,
        &given.replace("syntho-aks", "other-aks"),
    );
    let said = deploy(site, &elsewhere, 1).all();
    assert!(
        said.contains("there is no cluster other-aks in the resource group syntho"),
        "{said}"
    );
    fails(
        site,
        &by_itself,
        "forbidden",
        &["this login may not administer Kubernetes"],
    );
    fails(
        site,
        &by_itself,
        "no-internet",
        &["the chart cannot be had"],
    );
    by_itself
}

/// The pods' secrets are in Kubernetes as they were given; in no call, and in no file that others read.
fn kept_secret(site: &Site) {
    let control = site.vm("control");
    let journal = control.exec_ok(&format!("cat {SHIMS}/journal")).unwrap();
    for secret in [LOGIN_SECRET, APP_SECRET, PULL_PASSWORD, "eyJ0-SECRET-TOKEN"] {
        assert!(
            !journal.contains(secret),
            "{secret} stood on a command line"
        );
    }
    let open = control
        .exec_ok("find /opt/syntho -type f -perm /077 -exec grep -lE 'SECRET-(of|TOKEN)|pull-SECRET' {} + || true")
        .unwrap();
    assert_eq!(open, "", "secrets that others may read");
    let look = format!(
        "python3 -c 'import json,base64,re; o=json.load(open(\"{SHIMS}/state.json\"))[\"objects\"]; [print(base64.b64decode(re.search(r\": (\\S+)\\nkind\", o[k][\"text\"])[1]).decode()) for k in sorted(o) if k.startswith(\"Secret/\")]'"
    );
    let secrets = control.exec_ok(&look).unwrap();
    assert!(
        secrets.contains(&format!("{APP_SECRET}\n")) && secrets.contains(PULL_PASSWORD),
        "{secrets}"
    );
}
