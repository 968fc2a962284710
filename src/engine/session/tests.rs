//! Runs against hosts that answer from this machine: how they begin, go on and end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;
use rstest::rstest;

use super::*;
use crate::engine::helm::Wish;
use crate::engine::machine::Machine;
use crate::model::event::{Event, Outcome, Stage};
use crate::model::failure::FailureKind;
use crate::model::operator::Nobody;
use crate::presets::Presets;
use crate::settings::{self, Surroundings};

const ANSWERS: &str = r#"
version = 1
name = "acme"
preset = "syntho-app-ray"
[images]
source = "present"
tag = "1.9.0"
[[hosts]]
name = "ui"
address = "192.0.2.1"
roles = ["ui"]
[[hosts]]
name = "ray-1"
address = "192.0.2.2"
roles = ["ray-head"]
[answers]
public-host = "192.0.2.1"
protocol = "http"
tls = "none"
admin-username = "admin"
admin-email = "admin@acme.example"
"#;

const SECRET: &str = "canary-Adm1n-7f.HOME#x";

/// Reaches machines of this machine, as `reach` allows.
struct Reaching<F>(F);

impl<F: Fn(&ConnectSpec) -> Result<Arc<dyn Host>, TransportError> + Send + Sync> Connector
    for Reaching<F>
{
    fn connect(
        &self,
        spec: &ConnectSpec,
        _operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        (self.0)(spec)
    }
}

fn machine(spec: &ConnectSpec) -> Arc<dyn Host> {
    Arc::clone(&Machine::named(spec.host.as_str()).host) as Arc<dyn Host>
}

fn cut(what: &str) -> TransportError {
    TransportError::Lost {
        detail: what.to_owned(),
    }
}

/// A run's surroundings, and what it told.
struct Stage0 {
    dir: tempfile::TempDir,
    told: Arc<Mutex<Vec<Event>>>,
    cancel: Cancel,
    helm: Helm,
}

impl Stage0 {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            told: Arc::default(),
            cancel: Cancel::new(),
            helm: Helm::default(),
        }
    }

    fn job(
        &self,
        reach: impl Fn(&ConnectSpec) -> Result<Arc<dyn Host>, TransportError> + Send + Sync + 'static,
    ) -> Job {
        let presets = Presets::new(None);
        let folder = Utf8PathBuf::from_path_buf(self.dir.path().to_owned()).unwrap();
        let secret = |name: &str| match name {
            "SYNTHO_SECRET_LICENSE_KEY" | "SYNTHO_SECRET_ADMIN_PASSWORD" => Some(SECRET.to_owned()),
            _ => None,
        };
        let around = Surroundings {
            environment: &secret,
            home: None,
            now: jiff::Timestamp::now(),
        };
        let loaded = settings::load_text("answers.toml", ANSWERS, &folder, &presets, &around);
        let told = Arc::clone(&self.told);
        Job {
            deployment: loaded.unwrap().complete().unwrap(),
            answers: AcceptedAnswers {
                text: ANSWERS.to_owned(),
                folder: folder.clone(),
            },
            assets: presets.assets(),
            home: Home::new(folder.join("home")),
            operator: Arc::new(Nobody),
            connector: Arc::new(Reaching(reach)),
            listener: Arc::new(move |event: Event| told.lock().unwrap().push(event)),
            cancel: self.cancel.clone(),
            helm: self.helm.clone(),
            concurrency: 4,
            ssh_folder: None,
            take_over: TakeOver::No,
            superseded: crate::engine::planner::Superseded::Keep,
            renewal: Renewal::WhenDue,
        }
    }

    /// Returns how the run ended, having looked that it began and ended once.
    fn outcome(&self) -> Outcome {
        let told = self.told.lock().unwrap();
        assert!(matches!(told.first(), Some(Event::RunStarted { .. })));
        let ends: Vec<&Outcome> = told
            .iter()
            .filter_map(|event| match event {
                Event::RunEnded { outcome, .. } => Some(outcome),
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        assert!(matches!(told.last(), Some(Event::RunEnded { .. })));
        ends[0].clone()
    }

    fn failure(&self) -> Failure {
        match self.outcome() {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn stages(&self) -> Vec<Stage> {
        let told = self.told.lock().unwrap();
        let stages = told.iter().filter_map(|event| match event {
            Event::StageStarted { stage } => Some(*stage),
            _ => None,
        });
        stages.collect()
    }
}

#[rstest]
#[case(check)]
#[case(plan)]
#[case(verify)]
#[case(status)]
#[case(|job: &Job| deploy(job, &|_| true))]
fn a_host_that_cannot_be_reached_is_named_and_the_others_are_looked_at(
    #[case] run: fn(&Job) -> Result<(), Failure>,
) {
    let stage = Stage0::new();
    let job = stage.job(|spec| match spec.host.as_str() {
        "ui" => Ok(machine(spec)),
        _ => Err(cut("no route to host")),
    });
    run(&job).unwrap();
    let failure = stage.failure();
    assert_eq!(failure.host, Some("ray-1".parse().unwrap()));
    assert_eq!(failure.kind.exit_code(), 1);
    let told = stage.told.lock().unwrap();
    let facts = told
        .iter()
        .filter(|event| matches!(event, Event::FactsGathered { .. }));
    assert_eq!(facts.count(), 1);
    let lost = told
        .iter()
        .filter(|event| matches!(event, Event::HostLost { .. }));
    assert_eq!(lost.count(), 1);
}

#[test]
fn when_checks_fail_the_review_is_never_shown_and_nothing_is_known_by_name() {
    let stage = Stage0::new();
    let job = stage.job(|spec| Ok(machine(spec)));
    deploy(&job, &|_| panic!("there is nothing to review")).unwrap();
    assert_eq!(stage.outcome(), Outcome::ChecksFailed);
    assert_eq!(
        stage.stages(),
        [Stage::Connect, Stage::Facts, Stage::Preflight]
    );
    assert!(job.home.deployments().unwrap().is_empty());
}

#[test]
fn checks_that_fail_hold_a_run_that_somebody_attends() {
    let mut stage = Stage0::new();
    stage.helm = Helm::attended();
    let mut job = stage.job(|spec| Ok(machine(spec)));
    let events = Arc::clone(&stage.told);
    let (helm, cancel) = (stage.helm.clone(), stage.cancel.clone());
    let times = AtomicUsize::new(0);
    let fix = |command: &str| Wish::Fix {
        host: "ui".parse().unwrap(),
        command: command.to_owned(),
    };
    job.listener = Arc::new(move |event: Event| {
        if event == Event::Held {
            match times.fetch_add(1, Ordering::SeqCst) {
                // What does not do its work changes nothing: it holds on.
                0 => helm.wish(fix("exit 3")),
                1 => helm.wish(fix("echo mended")),
                2 => helm.wish(Wish::Retry("ui".parse().unwrap())),
                _ => cancel.raise(),
            }
        }
        events.lock().unwrap().push(event);
    });
    deploy(&job, &|_| panic!("there is nothing to review")).unwrap();
    assert_eq!(stage.outcome(), Outcome::ChecksFailed);
    // Connected once; looked at and checked anew after what was mended, and when asked to.
    let (look, check) = (Stage::Facts, Stage::Preflight);
    assert_eq!(
        stage.stages(),
        [Stage::Connect, look, check, look, check, look, check]
    );
    let told = stage.told.lock().unwrap();
    let ends = told.iter().filter_map(|event| match event {
        Event::FixEnded { failure, .. } => Some(failure.is_none()),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [false, true]);
    assert!(job.home.deployments().unwrap().is_empty());
}

#[test]
fn a_check_leaves_the_sheet_for_the_customers_it() {
    let stage = Stage0::new();
    let job = stage.job(|spec| Ok(machine(spec)));
    check(&job).unwrap();
    assert_eq!(stage.outcome(), Outcome::ChecksFailed);
    let sheet = job
        .home
        .deployment(&job.deployment.name)
        .root()
        .join("it-sheet.md");
    assert!(fs_err::read_to_string(sheet).unwrap().contains("6379"));
}

#[test]
fn the_wish_to_stop_ends_the_run_at_the_next_stage() {
    let stage = Stage0::new();
    let cancel = stage.cancel.clone();
    let job = stage.job(move |spec| {
        cancel.raise();
        Ok(machine(spec))
    });
    deploy(&job, &|_| true).unwrap();
    assert_eq!(stage.outcome(), Outcome::Cancelled);
    assert_eq!(stage.stages(), [Stage::Connect]);
}

#[test]
fn a_panic_is_our_bug_and_ends_the_run_properly() {
    #[derive(Debug)]
    struct Broken;
    impl Assets for Broken {
        fn asset(&self, _path: &str) -> Option<String> {
            panic!("oops")
        }

        fn operator_file(&self, _path: &str) -> Result<String, String> {
            panic!("oops")
        }
    }
    let stage = Stage0::new();
    let mut job = stage.job(|spec| Ok(machine(spec)));
    job.assets = Arc::new(Broken);
    plan(&job).unwrap();
    assert_eq!(stage.failure().kind, FailureKind::Bug);
}

#[test]
fn no_secret_is_told_or_logged() {
    let stage = Stage0::new();
    let job = stage.job(|spec| match spec.host.as_str() {
        "ui" => Ok(machine(spec)),
        _ => Err(cut(&format!("login with {SECRET} refused"))),
    });
    check(&job).unwrap();
    assert!(stage.failure().message.contains("‹"));
    assert!(!format!("{:?}", stage.told.lock().unwrap()).contains("canary"));
    let events = job
        .home
        .deployment(&job.deployment.name)
        .root()
        .join("events");
    let mut logs = 0;
    for entry in events.read_dir_utf8().unwrap() {
        let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
        assert!(text.contains("run-ended") && !text.contains("canary"));
        logs += 1;
    }
    assert_eq!(logs, 1);
}

#[test]
fn a_run_that_waits_says_so() {
    let stage = Stage0::new();
    let heard = Arc::new((Mutex::new(false), Condvar::new()));
    let (told, waiting) = (Arc::clone(&heard), Arc::clone(&heard));
    let mut job = stage.job(move |_| {
        let (heard, more) = &*waiting;
        let wait = Duration::from_secs(20);
        let (heard, _) = more
            .wait_timeout_while(heard.lock().unwrap(), wait, |heard| !*heard)
            .unwrap();
        assert!(*heard, "it fell silent");
        Err(cut("after a while"))
    });
    let events = Arc::clone(&stage.told);
    job.listener = Arc::new(move |event: Event| {
        if event == Event::StillAtIt {
            *told.0.lock().unwrap() = true;
            told.1.notify_all();
        }
        events.lock().unwrap().push(event);
    });
    check(&job).unwrap();
    assert_eq!(
        stage.failure().message,
        "lost the connection: after a while"
    );
}

#[test]
fn two_runs_on_this_machine_do_not_mix() {
    let stage = Stage0::new();
    let job = stage.job(|spec| Ok(machine(spec)));
    let folder = job.home.deployment(&job.deployment.name);
    folder.create().unwrap();
    let _other = crate::engine::lock::LocalLock::take(&folder.lock_path(), "acme").unwrap();
    deploy(&job, &|_| true).unwrap();
    assert!(
        stage
            .failure()
            .message
            .contains("another `syntho-installer`")
    );
}
