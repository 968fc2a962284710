//! Gathering from hosts that answer from scripts: what is put where, what is masked, what is missing.

use std::sync::Mutex;

use super::survey::Search;
use super::*;
use crate::engine::machine::{Engine, container};
use crate::engine::redact::kept;
use crate::model::ids::HostName;
use crate::model::preset::LogSource;
use crate::model::resolve::{ExpectedStack, expected};
use crate::model::sample;
use crate::presets::Presets;
use crate::transport::fake::{FakeHost, Reply};

const KEPT: &str = "kept-on-the-host";

/// Two hosts of one role, each with its engine.
struct Town {
    deployment: Deployment,
    engines: [Engine; 2],
}

impl Town {
    fn new() -> Self {
        let presets = Presets::new(None);
        let preset = presets.load(&presets.ids().remove(0)).unwrap();
        let mut deployment =
            sample::deployment(&preset, &std::collections::BTreeMap::new()).unwrap();
        deployment.secrets = crate::model::secret::Secrets::default();
        let one = deployment.hosts[0].clone();
        deployment.hosts = ["one", "two"]
            .map(|name| {
                let mut host = one.clone();
                host.name = name.parse().unwrap();
                host
            })
            .to_vec();
        let town = Self {
            deployment,
            engines: [Engine::default(), Engine::default()],
        };
        for (at, engine) in town.engines.iter().enumerate() {
            let stack = town.stack(at);
            let services = stack.services.iter();
            engine.0.lock().unwrap().containers = services
                .map(|service| container(&stack.project, &service.name))
                .collect();
        }
        town
    }

    fn stack(&self, host: usize) -> ExpectedStack {
        let name = &self.deployment.hosts[host].name;
        let all = expected(&self.deployment);
        all.into_iter().find(|stack| stack.host == *name).unwrap()
    }

    /// Has the first container of a host print lines.
    fn prints(&self, host: usize, lines: &str) {
        let mut world = self.engines[host].0.lock().unwrap();
        let id = world.containers[0].id.clone();
        world.logs.insert(id, lines.to_owned());
    }

    fn host(&self, at: usize, journal: Reply) -> Arc<dyn Host> {
        let name: HostName = self.deployment.hosts[at].name.clone();
        Arc::new(
            FakeHost::new(name)
                .on(".env", Reply::ok(format!("DATABASE_PASSWORD='{KEPT}'\n")))
                .on("journalctl", journal)
                .with_docker(Arc::new(self.engines[at].clone())),
        )
    }

    /// Gathers, and returns the records, the whole text, and what came of it.
    fn gather(&self, order: &Order, journal: &Reply) -> (Vec<String>, String, Gathered) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("all.log")).unwrap();
        let mut secrets = self.deployment.secrets.clone();
        let mut surveys = Vec::new();
        for at in 0..2 {
            let host = self.host(at, journal.clone());
            let search = Search::new(&self.deployment, host.name(), order);
            let mut survey = search.survey(&host).unwrap();
            kept::learn(&mut secrets, std::mem::take(&mut survey.secrets));
            surveys.push((host, survey));
        }
        let told = Mutex::new(Vec::new());
        let gathering = Gathering {
            deployment: &self.deployment,
            order,
            surveys,
            lost: vec![("three".parse().unwrap(), format!("no way in with {KEPT}"))],
            redactor: Redactor::new(&secrets),
            listener: &|event: Event| told.lock().unwrap().push(event),
            cancel: &Cancel::new(),
        };
        let mut book = Book::open(&path).unwrap();
        let gathered = gathering.run(&mut book).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        let records = text.lines().filter(|line| !line.starts_with('#'));
        (records.map(str::to_owned).collect(), text.clone(), gathered)
    }
}

#[test]
fn records_of_two_hosts_are_woven_by_time_without_secrets() {
    let town = Town::new();
    town.prints(
        0,
        "2020-01-01T00:00:01Z first\n2020-01-01T00:00:03Z third \u{1b}[2J\n",
    );
    town.prints(1, &format!("2020-01-01T00:00:02Z second {KEPT}\n"));
    let (records, text, gathered) = town.gather(&Order::default(), &Reply::default());
    let service = &town.stack(0).services[0].name;
    let stack = town.stack(0).stack;
    assert_eq!(
        records,
        [
            format!("2020-01-01T00:00:01.000000000Z one/{stack}/{service} | first"),
            format!(
                "2020-01-01T00:00:02.000000000Z two/{stack}/{service} | second ‹database-password›"
            ),
            format!("2020-01-01T00:00:03.000000000Z one/{stack}/{service} | third ␛[2J"),
        ]
    );
    assert_eq!(gathered.records, 3);
    let report = format!("# masked ‹database-password› 1 times: two/{stack}/{service} 1\n");
    assert!(text.contains(&report), "{text}");
    assert!(
        text.contains("# MISSING three: no way in with ‹database-password›\n"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_arrives() {
    let town = Town::new();
    town.prints(1, "2020-01-01T00:00:02Z there\n");
    let (silent, gone) = {
        let mut world = town.engines[0].0.lock().unwrap();
        let silent = world.containers[0].clone();
        world
            .unreadable
            .insert(silent.id.clone(), "no driver".to_owned());
        (silent, world.containers.pop().unwrap())
    };
    let (records, _, gathered) = town.gather(&Order::default(), &Reply::default());
    assert_eq!(records.len(), 1);
    let missing = gathered.missing().join("\n");
    let service =
        |container: &crate::model::docker::ContainerFacts| container.service().unwrap().to_owned();
    assert!(
        missing.contains(&format!("{}: it has no container", service(&gone))),
        "{missing}"
    );
    let unreadable = format!(
        "{}: Docker does not show what it prints: no driver",
        service(&silent)
    );
    assert!(missing.contains(&unreadable), "{missing}");
}

#[test]
fn the_journal_of_the_engine_is_a_source() {
    let town = Town::new();
    let order = Order {
        daemon: true,
        services: vec!["docker/daemon".to_owned()],
        hosts: vec!["one".parse().unwrap()],
        ..Order::default()
    };
    let journal = Reply::ok("1577836801.000001 vm dockerd[7]: level=info x\n");
    let (records, ..) = town.gather(&order, &journal);
    assert_eq!(
        records[0],
        "2020-01-01T00:00:01.000001000Z one/docker/daemon | dockerd[7]: level=info x"
    );
    let (records, _, gathered) = town.gather(&order, &Reply::failed(99, ""));
    assert!(records.is_empty());
    assert!(
        gathered
            .missing()
            .join("\n")
            .contains("it keeps no journal")
    );
}

#[test]
fn files_and_containers_that_a_service_started_are_found() {
    let mut town = Town::new();
    let stack = town.stack(0);
    let service = stack.services[0].name.clone();
    let beside = |path: Option<&str>, containers: Option<&str>| LogSource {
        stack: stack.stack.clone(),
        service: service.clone(),
        path: path.map(str::to_owned),
        containers: containers.map(str::to_owned),
        label: None,
    };
    let preset = Arc::make_mut(&mut town.deployment.preset);
    preset.parts.logs = vec![beside(Some("/var/logs"), None), beside(None, Some("for-*"))];
    {
        let mut world = town.engines[0].0.lock().unwrap();
        let holder = world.containers[0].id.clone();
        let text = "2020-01-01 00:00:09,5 from a file\n";
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        let mut archive = tar::Builder::new(Vec::new());
        archive
            .append_data(&mut header, "logs/it.log", text.as_bytes())
            .unwrap();
        let archive = archive.into_inner().unwrap();
        world
            .archives
            .insert((holder, "/var/logs".to_owned()), archive);
        let mut started = container("", "");
        started.name = "for-anna".to_owned();
        started.id = "anna".to_owned();
        started.labels.clear();
        world.containers.push(started);
        let line = "2020-01-01T00:00:02Z hers\n";
        world.logs.insert("anna".to_owned(), line.to_owned());
    }
    let (records, _, gathered) = town.gather(&Order::default(), &Reply::default());
    let label = format!("one/{}/{service}", stack.stack);
    let wanted = [
        format!(
            "2020-01-01T00:00:09.500000000Z {label}:it.log | 2020-01-01 00:00:09,5 from a file"
        ),
        format!(
            "2020-01-01T00:00:02.000000000Z one/{}/for-anna | hers",
            stack.stack
        ),
    ];
    assert_eq!(records, wanted);
    // The other host has no such folder.
    let missing = gathered.missing().join("\n");
    assert!(missing.contains("no such path"), "{missing}");
}
