//! Facts and preflight against real virtual machines: what they find when all is well, how long it takes, and each fault they must find.
#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends at the first surprise and says on the way how long things took"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use syntho_installer::engine::facts::{self, Gathered};
use syntho_installer::engine::it_sheet::it_sheet;
use syntho_installer::engine::preflight::{self, PreflightContext, Report};
use syntho_installer::model::answers::{ImageSource, SshSection};
use syntho_installer::model::check::{CheckResult, ReachOutcome, Verdict};
use syntho_installer::model::event::Event;
use syntho_installer::model::facts::RootAccess;
use syntho_installer::model::ids::HostName;
use syntho_installer::model::operator::Nobody;
use syntho_installer::model::resolved::{PlacedStack, ReachNeed, Resolved, ResolvedHost};
use syntho_installer::model::secret::Secrets;
use syntho_installer::rehearsal::{Engine, Fault, Fleet, FleetSpec};
use syntho_installer::transport::{ConnectSpec, Host, connect};

type Hosts = BTreeMap<HostName, Arc<dyn Host>>;

const FOLDER: &str = "/opt/syntho";

fn tell(line: &str) {
    eprintln!("{line}");
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Engine::default_cache().unwrap();
        Engine::find_or_start(&cache, &tell).unwrap()
    })
}

fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

/// Logs in to every VM at once.
fn connected(fleet: &Fleet, user: &str) -> Hosts {
    let ssh_folder = fleet.known_hosts().parent().unwrap().to_owned();
    thread::scope(|scope| {
        let logins: Vec<_> = fleet
            .vms()
            .iter()
            .map(|vm| ConnectSpec {
                host: name(vm.name()),
                address: vm.address().to_string(),
                login: SshSection {
                    user: Some(user.to_owned()),
                    key: Some(fleet.private_key()),
                    ..SshSection::default()
                },
                host_key: None,
                password: None,
                passphrase: None,
                sudo_password: None,
                ssh_folder: Some(ssh_folder.clone()),
                limit: Duration::from_secs(20),
            })
            .map(|spec| scope.spawn(move || (spec.host.clone(), connect(&spec, &Nobody).unwrap())))
            .collect();
        logins
            .into_iter()
            .map(|login| login.join().unwrap())
            .collect()
    })
}

/// Every VM with a stack on it, and every VM to every other on a port and a range.
fn resolved(fleet: &Fleet) -> Resolved {
    let hosts: Vec<ResolvedHost> = fleet
        .vms()
        .iter()
        .map(|vm| ResolvedHost {
            name: name(vm.name()),
            roles: vec!["node".parse().unwrap()],
            address: vm.address().to_string(),
            private_address: vm.address().into(),
            needs: Vec::new(),
        })
        .collect();
    let stacks = hosts
        .iter()
        .map(|host| PlacedStack {
            id: "node".parse().unwrap(),
            title: "Node".into(),
            host: host.name.clone(),
            project: "acme-node".into(),
            folder: format!("{FOLDER}/acme/node"),
            after: Vec::new(),
            images: Vec::new(),
            files: Vec::new(),
            environment: Vec::new(),
            ports: vec![443, 6379],
            services: Vec::new(),
            proofs: Vec::new(),
            steps: Vec::new(),
            confirms: Vec::new(),
            backups: Vec::new(),
            adopted: None,
        })
        .collect();
    Resolved {
        deployment: "acme".parse().unwrap(),
        preset: "cluster".parse().unwrap(),
        title: "A cluster".into(),
        reach: each_to_each(&hosts),
        hosts,
        stacks,
        checks: Vec::new(),
        health: Vec::new(),
        endpoints: Vec::new(),
        authorities: Vec::new(),
        image_source: ImageSource::Present,
        bundled: Vec::new(),
        registry: None,
        keep_login: false,
        secrets: Secrets::default(),
    }
}

fn each_to_each(hosts: &[ResolvedHost]) -> Vec<ReachNeed> {
    let mut reach: Vec<ReachNeed> = Vec::new();
    for to in hosts {
        let mut need = |from: Option<HostName>, ports| {
            reach.push(ReachNeed {
                from,
                to: to.name.clone(),
                ports,
                why: "the cluster".into(),
            });
        };
        for from in hosts.iter().filter(|from| from.name != to.name) {
            need(Some(from.name.clone()), (6379, 6379));
            need(Some(from.name.clone()), (11000, 11999));
        }
        need(None, (443, 443));
    }
    reach
}

/// Looks and checks; says how long each took.
fn look(fleet: &Fleet, hosts: &Hosts) -> (Gathered, Report) {
    let silent = |_: Event| {};
    let began = Instant::now();
    let gathered = facts::gather_all(hosts, FOLDER, 20, &silent);
    let facts = began.elapsed();
    let began = Instant::now();
    let cx = PreflightContext {
        listener: &silent,
        behind_jump: BTreeSet::new(),
        concurrency: 20,
    };
    let report = preflight::run(&resolved(fleet), &gathered.facts, hosts, &cx);
    tell(&format!(
        "{} hosts: facts {facts:.2?}, preflight {:.2?}, {} cells",
        hosts.len(),
        began.elapsed(),
        report.reach.len()
    ));
    (gathered, report)
}

fn failed(report: &Report, id: &str, host: Option<&str>) -> CheckResult {
    let found = report
        .failed()
        .find(|check| check.id == id && check.host.as_ref().map(HostName::as_str) == host);
    found
        .unwrap_or_else(|| panic!("`{id}` does not fail on {host:?}: {:#?}", report.checks))
        .clone()
}

/// Nothing of ours listens on the VMs any more.
fn nothing_listens(fleet: &Fleet) {
    for vm in fleet.vms() {
        let left = vm.exec("ss -Hltn '( sport = :443 or sport = :6379 or sport = :11499 )'; pgrep -f '[s]yntho-probe'").unwrap();
        assert_eq!(left.stdout, "", "{}", vm.name());
    }
}

#[test]
fn three_healthy_vms_pass_in_little_time() {
    let fleet = Fleet::up(
        engine(),
        &FleetSpec::unique("facts", &["ui", "node-1", "node-2"]),
        &tell,
    )
    .unwrap();
    let hosts = connected(&fleet, "deploy");
    look(&fleet, &hosts);
    let began = Instant::now();
    let (gathered, report) = look(&fleet, &hosts);
    let took = began.elapsed();
    let failed: Vec<&CheckResult> = report.failed().collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // 3 x 2 x 4 between the VMs, 3 from here.
    assert_eq!(report.reach.len(), 27);
    assert!(
        report
            .reach
            .iter()
            .all(|cell| cell.outcome == ReachOutcome::Open),
        "{:#?}",
        report.reach
    );
    assert!(took < Duration::from_secs(3), "{took:?}");
    nothing_listens(&fleet);
    let facts = &gathered.facts[&name("ui")];
    assert_eq!(facts.hostname, "ui");
    assert_eq!(
        facts.default_address,
        Some(fleet.vm("ui").unwrap().address().into())
    );
    assert!(facts.clock_skew.abs() < 1.0, "{}", facts.clock_skew);
    assert!(
        facts
            .listeners
            .iter()
            .any(|l| l.port == 22 && l.process.as_deref() == Some("sshd")),
        "{:?}",
        facts.listeners
    );
    assert_eq!(facts.user.root, RootAccess::Passwordless);
    assert!(facts.docker.as_ref().is_some_and(|docker| docker.as_user));
    assert!(
        facts
            .compose
            .as_ref()
            .is_some_and(|compose| compose.version.starts_with('2'))
    );
}

#[test]
fn faults_are_found_and_told_apart() {
    let fleet = Fleet::up(
        engine(),
        &FleetSpec::unique("faults", &["ui", "node-1", "node-2"]),
        &tell,
    )
    .unwrap();
    let (other, twin) = ("node-1".to_owned(), "ui".to_owned());
    for (vm, fault) in [
        ("ui", Fault::Partition { other }),
        ("ui", Fault::PortTaken { port: 6379 }),
        ("node-1", Fault::DockerStopped),
        ("node-2", Fault::NoCompose),
        ("node-2", Fault::ClockSkew { seconds: 61 }),
        ("node-2", Fault::SameMachineId { other: twin }),
    ] {
        fleet.inflict(vm, &fault).unwrap();
    }
    let hosts = connected(&fleet, "deploy");
    let began = Instant::now();
    let (_, report) = look(&fleet, &hosts);
    assert!(began.elapsed() < Duration::from_secs(6));
    let closed = failed(&report, "reach", Some("node-1"));
    assert!(closed.opening.unwrap().from.starts_with("ui ("));
    failed(&report, "reach", Some("ui"));
    assert!(
        failed(&report, "ports", Some("ui"))
            .found
            .contains("port 6379 is taken")
    );
    assert_eq!(
        failed(&report, "docker", Some("node-1")).found,
        "installed, but it does not run"
    );
    failed(&report, "compose", Some("node-2"));
    assert!(
        failed(&report, "clock", None)
            .found
            .starts_with("node-2 is 6")
    );
    assert!(
        report
            .checks
            .iter()
            .any(|check| check.id == "machine-id" && check.verdict == Verdict::Warn)
    );
    let sheet = it_sheet(&resolved(&fleet), &report);
    assert!(sheet.contains("**closed**") && sheet.contains("sudo systemctl enable --now docker"));
    tell(&sheet);
    let stays = fleet
        .vm("node-2")
        .unwrap()
        .exec("pgrep -f '[s]yntho-probe'")
        .unwrap();
    assert_eq!(stays.stdout, "");
}

#[test]
fn a_login_that_may_do_nothing_is_told_what_is_missing() {
    let fleet = Fleet::up(engine(), &FleetSpec::unique("rights", &["ui"]), &tell).unwrap();
    let (_, report) = look(&fleet, &connected(&fleet, "nobody2"));
    assert_eq!(report.verdict(), Verdict::Fail);
    assert_eq!(
        failed(&report, "docker-access", Some("ui")).found,
        "nobody2 may not reach Docker"
    );
    failed(&report, "rights", Some("ui"));
    let (gathered, _) = look(&fleet, &connected(&fleet, "root"));
    assert_eq!(gathered.facts[&name("ui")].user.root, RootAccess::IsRoot);
}
