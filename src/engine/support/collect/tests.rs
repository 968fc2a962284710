use camino::Utf8PathBuf;
use std::sync::Mutex;

use super::*;
use crate::engine::redact::Redactor;
use crate::model::secret::Secrets;
use crate::transport::fake::{FakeHost, Reply};

struct Desk {
    _folder: tempfile::TempDir,
    spool: Spool,
    told: Mutex<Vec<SourceCount>>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let spool = Spool::open(&root, Redactor::new(&Secrets::default())).unwrap();
        Self {
            _folder: folder,
            spool,
            told: Mutex::default(),
        }
    }

    fn ask(&self, host: FakeHost, within: Duration) {
        let listener = |event: Event| {
            if let Event::LogsEnded { count } = event {
                self.told.lock().unwrap().push(count);
            }
        };
        let asking = Asking {
            spool: &self.spool,
            listener: &listener,
            cancel: &Cancel::new(),
            until: Instant::now() + within,
            concurrency: 4,
        };
        let stack = ExpectedStack {
            host: host.name().clone(),
            stack: "app".parse().unwrap(),
            project: "p".to_owned(),
            folder: "/opt/it's/app".to_owned(),
            services: Vec::new(),
        };
        asking.ask(vec![Arc::new(host)], &[stack]).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs_err::read_to_string(self.spool.root().join(file)).unwrap_or_default()
    }
}

fn host() -> FakeHost {
    FakeHost::new("ui".parse().unwrap())
}

#[test]
fn what_is_allowed_is_kept_and_what_fails_is_named() {
    let desk = Desk::new();
    let inspected = r#"[{"Name": "/p-db-1", "Config": {"Env": ["X=hush-hush"]}, "State": {"Status": "exited"}}]"#;
    let fake = host()
        .on("docker inspect", Reply::ok(inspected))
        .on(
            "compose config",
            Reply::ok(r#"{"name": "p", "services": {"db": {"environment": {"X": "hush-hush"}}}}"#),
        )
        .on(
            "docker system df",
            Reply::failed(1, "first\nCannot connect to the Docker daemon"),
        )
        .on(
            "lsblk",
            Reply {
                code: 124,
                ..Reply::ok("/dev/sda1 100 99 1 99% /")
            },
        )
        .on("docker images", Reply::lost());
    desk.ask(fake, Duration::from_mins(1));
    assert!(
        desk.read("hosts/ui/containers.txt")
            .starts_with("p-db-1 service=- state=exited")
    );
    assert!(desk.read("hosts/ui/containers.json").contains("\"X\""));
    assert!(desk.read("hosts/ui/app.compose.json").contains("\"X\""));
    for file in ["containers.json", "app.compose.json"] {
        assert!(!desk.read(&format!("hosts/ui/{file}")).contains("hush"));
    }
    assert!(
        desk.read("hosts/ui/disks.txt").contains("99%"),
        "what it said before its end is kept"
    );
    let missing: Vec<String> = desk
        .spool
        .missing()
        .iter()
        .map(|(what, why)| format!("{what}: {why}"))
        .collect();
    assert_eq!(missing.len(), 3, "{missing:#?}");
    assert_eq!(missing[0], "ui/disks.txt: it took too long and was ended");
    assert_eq!(
        missing[1],
        "ui/docker-disk.txt: ended with 1: Cannot connect to the Docker daemon"
    );
    assert!(missing[2].starts_with("ui/images.txt: "));
    let told = desk.told.lock().unwrap();
    assert_eq!(
        told.iter().filter(|count| count.missing.is_some()).count(),
        3
    );
    assert_eq!(told.len(), QUESTIONS.len() + 3);
}

#[test]
fn what_hangs_costs_its_own_limit_and_nothing_else() {
    let desk = Desk::new();
    let fake = host()
        .on("docker inspect", Reply::ok("[]"))
        .on("compose config", Reply::ok("{}"))
        .respond(|command| {
            if command.script.contains("lsblk") {
                thread::sleep(Duration::from_mins(2));
            }
            None
        });
    let began = Instant::now();
    desk.ask(fake, Duration::from_secs(5));
    assert!(began.elapsed() < Duration::from_secs(30));
    let missing = desk.spool.missing();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].0, "ui/disks.txt");
    assert!(missing[0].1.starts_with("no answer within"), "{missing:?}");
}

#[test]
fn when_the_time_is_over_nothing_more_is_asked() {
    let desk = Desk::new();
    desk.ask(host(), Duration::ZERO);
    assert_eq!(desk.spool.missing().len(), QUESTIONS.len() + 3);
}

#[test]
fn a_question_ends_on_the_host_too() {
    let fake = host();
    for collector in collectors(&fake, &[]) {
        let command = command(&fake, &collector, Duration::from_secs(7));
        assert!(
            command.script.contains("timeout -k 1 7 "),
            "{}",
            command.script
        );
        assert!(command.limit > Duration::from_secs(7));
    }
}
