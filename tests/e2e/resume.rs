//! Nothing lost: killed, cut off, stopped or run twice at once, the next run goes on from the same place and ends in the same state.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use syntho_installer::rehearsal::Fault;
use toml::Table;

use crate::cases;
use crate::program::{Ended, Running, is};
use crate::site::{Site, stack_folder};
use crate::trouble::Refusal;

/// More kills than any plan has moments to kill at: then it does not come further.
const MOST_KILLS: usize = 150;

#[test]
fn killed_after_every_step_in_turn_it_ends_as_if_nothing_had_happened() {
    let site = Site::three();
    let answers = site.answers();
    let kills = deploy_with_kills(&site, &answers);
    assert!(kills > 15, "only {kills} moments to kill at");
    site.deploy(&answers).expect_code(0);
    let killed = comparable(&site);
    assert!(Secrets::read(&site).is_complete());

    wipe(&site);
    site.deploy(&answers).expect_code(0);
    let undisturbed = comparable(&site);
    assert_eq!(killed, undisturbed);
}

/// Kills the program at each of its moments once, until nothing is left to do; returns how often.
fn deploy_with_kills(site: &Site, answers: &Table) -> usize {
    let mut moments = BTreeSet::new();
    let mut secrets = Secrets::default();
    let mut changed = BTreeMap::<String, usize>::new();
    loop {
        let mut run = site.start_deploy(answers);
        let new = |event: &Value| moment(event).is_some_and(|moment| !moments.contains(&moment));
        let Some(event) = run.wait_for("a moment to kill at", new) else {
            run.finish().expect_code(0);
            break;
        };
        for event in run.kill().iter().filter(|event| is_change(event)) {
            *changed.entry(event["step"].to_string()).or_default() += 1;
        }
        moments.extend(moment(&event));
        secrets.must_not_have_changed(site);
        assert!(
            moments.len() < MOST_KILLS,
            "it does not come further: {moments:#?}"
        );
    }
    let twice: Vec<_> = changed
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .collect();
    assert!(twice.is_empty(), "changed more than once: {twice:?}");
    moments.len()
}

/// Returns what a kill shall follow: the end of a step that changed something, or the middle of one that takes long.
fn moment(event: &Value) -> Option<String> {
    let long = ["/stack", "/images", "/health"];
    let step = event["step"].as_str()?;
    let is_middle = is(event, "step-started") && long.iter().any(|part| step.contains(part));
    (is_middle || is_change(event)).then(|| format!("{} {step}", event["event"]))
}

fn is_change(event: &Value) -> bool {
    is(event, "step-ended") && event["result"]["result"] == "changed"
}

/// Returns the state without what must differ between two deployments: the checksums of files with generated secrets.
fn comparable(site: &Site) -> Vec<String> {
    let mut lines = site.state();
    lines.retain(|line| !(line.ends_with("/application/.env") && line.len() > 100));
    lines
}

/// Takes everything away by hand, as an administrator would, and forgets it here.
fn wipe(site: &Site) {
    for vm in site.fleet.vms() {
        let script = "for stack in /opt/syntho/acme/*/; do (cd \"$stack\" && docker compose down --volumes); done && rm -r /opt/syntho";
        vm.exec_ok(script).unwrap();
    }
    fs_err::remove_dir_all(site.home.join("state")).unwrap();
}

/// The generated secrets as they stand on the application's VM.
#[derive(Debug, Default, PartialEq, Eq)]
struct Secrets(BTreeMap<String, String>);

impl Secrets {
    const NAMES: [&str; 3] = ["DATABASE_PASSWORD", "CORE_SECRET_KEY", "BACKEND_SECRET_KEY"];

    fn read(site: &Site) -> Self {
        let file = stack_folder("application").join(".env");
        let text = site
            .vm("ui")
            .exec_ok(&format!("cat {file} 2>/dev/null || true"))
            .unwrap();
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let wanted = lines.filter(|(name, _)| Self::NAMES.contains(name));
        Self(
            wanted
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    fn is_complete(&self) -> bool {
        self.0.len() == Self::NAMES.len() && self.0.values().all(|value| value.len() > 8)
    }

    /// Remembers them at the first sight; ends the test when they are others later.
    fn must_not_have_changed(&mut self, site: &Site) {
        let now = Self::read(site);
        if self.0.is_empty() {
            *self = now;
        } else {
            assert_eq!(*self, now, "secrets changed by themselves");
        }
    }
}

#[test]
fn a_deployment_survives_stops_cuts_and_a_second_operator() {
    let site = Site::three();
    cases::run(
        &site,
        &[
            (
                "a second operator is kept out, and may take over knowingly",
                second_operator,
            ),
            ("Ctrl-C stops at a safe point and says how to go on", ctrl_c),
            ("sessions that are dropped in a long step", dropped_sessions),
            (
                "a link that is cut in a long step and comes back",
                cut_link_that_heals,
            ),
            ("a link that is cut in a long step for good", cut_link),
            (
                "in the end everything stands and nothing is left to do",
                finished,
            ),
        ],
    );
}

/// Starts a deployment and waits until a stack is being started on a host: its job runs there and has said something.
fn at_stack(site: &Site, host: &str) -> Running {
    let mut run = site.start_deploy(&site.answers());
    let prefix = format!("{host}/stack/");
    run.must_see("the start of a stack", |event| {
        is(event, "step-output") && belongs_to(event, &prefix)
    });
    run
}

fn belongs_to(event: &Value, prefix: &str) -> bool {
    event["step"]
        .as_str()
        .is_some_and(|step| step.starts_with(prefix))
}

fn ctrl_c(site: &Site) {
    // For people: they are told how to go on.
    let path = site.write(&site.answers());
    let mut command = site.program();
    command.args(["deploy", "--answers", path.as_str(), "--yes", "--plain"]);
    let run = Running::start(command);
    let written = "[ -e /opt/syntho/acme ]";
    site.vm("ui")
        .wait_until("the first folder", Duration::from_mins(1), written)
        .unwrap();
    run.interrupt();
    run.finish()
        .expect_code(130)
        .says(&["syntho-installer deploy", "goes on"]);

    // For machines, and in the middle of a long step.
    let run = at_stack(site, "ray-1");
    run.interrupt();
    let ended = run.finish().expect_code(130);
    assert_eq!(outcome(&ended), "cancelled");
    assert!(ended.took < Duration::from_mins(1));
}

fn second_operator(site: &Site) {
    let answers = site.answers();
    let mut first = site.start_deploy(&answers);
    first.must_see("the first step", |event| is(event, "step-started"));
    first.signal("STOP");
    let other = |command: &mut std::process::Command| {
        command.env("SYNTHO_INSTALLER_HOME", site.home.join("other-operator"));
    };
    let refusal = Refusal {
        code: 1,
        host: None,
        says: &["works on this deployment", "last seen"],
        advises: &["--take-over"],
    };
    let before = site.state();
    refusal.expect(site.deploy_with(&answers, other));
    assert_eq!(site.state(), before);

    let mut second = site.start_deploy_with(&answers, |command| {
        other(command);
        command.arg("--take-over");
    });
    second.must_see("the second operator's first step", |event| {
        is(event, "step-started")
    });
    second.interrupt();
    second.finish().expect_code(130);
    // The first wakes up, finds that it holds the deployment no more, and stops by itself.
    let before = site.state();
    first.signal("CONT");
    let taken = Refusal {
        code: 1,
        host: None,
        says: &["taken over"],
        advises: &["talk to"],
    };
    taken.expect(first.finish());
    assert_eq!(site.state(), before);
}

fn dropped_sessions(site: &Site) {
    let mut run = at_stack(site, "ray-2");
    site.fleet.inflict("ray-2", &Fault::SshDropped).unwrap();
    let step = |event: &Value| is(event, "step-ended") && belongs_to(event, "ray-2/stack/");
    let ended = run.must_see("the end of the step", step);
    assert_eq!(ended["result"]["result"], "changed", "{ended}");
    run.interrupt();
    run.finish().expect_code(130);
}

fn cut_link_that_heals(site: &Site) {
    let mut run = at_stack(site, "ui");
    let cut = site.inflict("ui", Fault::LinkDown);
    // The containers go on coming up meanwhile: the step runs on the host by itself.
    let up = "docker ps --format '{{.Names}}' | grep -q backend";
    site.vm("ui")
        .wait_until("the application's containers", Duration::from_mins(1), up)
        .unwrap();
    drop(cut);
    let step = |event: &Value| is(event, "step-ended") && belongs_to(event, "ui/stack/");
    let ended = run.must_see("the end of the step", step);
    assert_eq!(ended["result"]["result"], "changed", "{ended}");
    run.kill();
}

fn cut_link(site: &Site) {
    // Something must be left to start, or the link is cut when all is done.
    let gone = "docker rm -f $(docker ps -aq -f label=com.docker.compose.service=backend) || true";
    site.vm("ui").exec_ok(gone).unwrap();
    let mut run = site.start_deploy(&site.answers());
    run.must_see("the start of a stack", |event| {
        is(event, "step-started") && belongs_to(event, "ui/stack/")
    });
    let cut = site.inflict("ui", Fault::LinkDown);
    let ended = run.finish();
    drop(cut);
    let refusal = Refusal {
        code: 1,
        host: Some("ui"),
        says: &["cannot connect"],
        advises: &["nc -vz"],
    };
    let ended = refusal.expect(ended);
    assert!(
        ended.took < Duration::from_mins(3),
        "it took {:?} to give up",
        ended.took
    );
}

fn finished(site: &Site) {
    let answers = site.answers();
    site.deploy(&answers).expect_code(0);
    let before = site.state();
    let again = site.deploy(&answers).expect_code(0);
    assert_eq!(outcome(&again), "nothing-to-do");
    assert_eq!(site.state(), before);
    site.run(&["verify", "acme", "--json"]).expect_code(0);
}

fn outcome(ended: &Ended) -> String {
    let events = ended.events();
    let last = events.last().unwrap();
    assert!(is(last, "run-ended"), "{last}");
    last["outcome"]["outcome"].as_str().unwrap().to_owned()
}
