//! Removals of the sample deployment: what goes, what stays, and that a removal killed after any step ends the same.

use std::sync::Mutex;

use camino::Utf8PathBuf;

use super::*;
use crate::engine::cancel::Cancel;
use crate::engine::helm::Helm;
use crate::engine::machine::{container, image, volume};
use crate::engine::materials::FromResolved;
use crate::engine::planner::Planning;
use crate::engine::redact::Redactor;
use crate::engine::runner::{Pace, Ran, Work};
use crate::engine::sample::{Site, resolved};
use crate::engine::store::ReceiptStore;
use crate::model::answers::Adopted;
use crate::model::event::Event;
use crate::model::ids::RunId;
use crate::model::resolved::{PlacedStep, Resolved};

/// A site with a home for receipts.
struct Ground {
    site: Site,
    resolved: Resolved,
    _dir: tempfile::TempDir,
    store: ReceiptStore,
    runs: Mutex<u32>,
}

impl Ground {
    fn new() -> Self {
        let site = Site::new();
        let resolved = resolved(&site.base());
        let dir = tempfile::tempdir().unwrap();
        let store = ReceiptStore::new(Utf8PathBuf::from_path_buf(dir.path().join("r")).unwrap());
        Self {
            site,
            resolved,
            _dir: dir,
            store,
            runs: Mutex::new(0),
        }
    }

    fn run_id(&self) -> RunId {
        let mut runs = self.runs.lock().unwrap();
        *runs += 1;
        RunId(format!("20261120T120000Z-{:04}", *runs))
    }

    fn folder(&self) -> String {
        format!("{}/acme", self.site.base())
    }

    fn deploy(&self) {
        let run = self.run_id();
        let plan = planner::plan(&Planning {
            resolved: &self.resolved,
            facts: &self.site.facts(),
            rights: &self.site.rights(),
            links: &self.site,
            materials: &FromResolved(&self.resolved, None),
            base_folder: &self.site.base(),
            run: &run,
            concurrency: 3,
            superseded: planner::Superseded::Keep,
        });
        let ran = self.carry_out(plan.unwrap(), run, &Cancel::new(), &|_| {});
        assert!(ran.failures.is_empty(), "{:?}", ran.failures);
    }

    fn carry_out(
        &self,
        plan: Plan<AnyAction>,
        run: RunId,
        cancel: &Cancel,
        hear: &(dyn Fn(&Event) + Send + Sync),
    ) -> Ran<AnyAction> {
        let receipt = Receipt {
            version: 1,
            run,
            deployment: self.resolved.deployment.clone(),
            preset: self.resolved.preset.clone(),
            installer: "0.1.0".to_owned(),
            began: "2026-11-20T12:00:00Z".parse().unwrap(),
            ended: None,
            outcome: None,
            steps: Vec::new(),
        };
        let work = Work {
            links: &self.site,
            materials: &FromResolved(&self.resolved, None),
            listener: &|event: Event| hear(&event),
            guard: &self.site,
            redactor: &Redactor::new(&self.resolved.secrets),
            cancel,
            helm: &Helm::default(),
            receipts: &self.store,
            concurrency: 1,
            pace: Pace::default(),
        };
        runner::run(plan, receipt, &work).unwrap()
    }

    fn removing(&self, data: Data) -> Removing {
        self.removing_on(data, &["ray-1", "ray-2", "ui"])
    }

    fn removing_on(&self, data: Data, hosts: &[&str]) -> Removing {
        plan(&Removal {
            receipts: &self.store.all().unwrap(),
            folder: &self.folder(),
            keepers: &["application".parse().unwrap()].into(),
            data,
            links: &self.site,
            reached: &hosts.iter().map(|host| host.parse().unwrap()).collect(),
            without_docker: &std::collections::BTreeSet::new(),
            materials: &FromResolved(&self.resolved, None),
            concurrency: 3,
        })
        .unwrap()
    }

    fn remove(&self, data: Data) -> Ran<AnyAction> {
        let plan = self.removing(data).plan;
        let ran = self.carry_out(plan, self.run_id(), &Cancel::new(), &|_| {});
        // As the lock does when it is given back.
        let _ = fs_err::remove_dir(self.folder());
        ran
    }

    /// What a removal would do now.
    fn left_to_do(&self, data: Data) -> String {
        let removing = Removing {
            stays: Vec::new(),
            ..self.removing(data)
        };
        told(&removing, &self.site.base())
    }

    /// What is left on the machines, without the volumes.
    fn left(&self) -> Vec<String> {
        self.site.state().into_keys().collect()
    }

    fn add_volume(&self) {
        let machine = &self.site.machines[&"ui".parse().unwrap()];
        machine.engine.world().volumes = vec![volume("acme-application", "acme-application_data")];
    }
}

fn told(removing: &Removing, base: &str) -> String {
    let steps = removing.plan.steps.iter();
    let steps = steps.filter(|step| step.probe == Probe::Needed);
    let steps = steps.map(|step| format!("{}: {}", step.host, step.description.summary));
    let stays = removing.stays.iter();
    let stays = stays.map(|(host, what)| format!("{host}: stays: {what}"));
    let lines: Vec<String> = steps.chain(stays).collect();
    lines.join("\n").replace(base, "/opt/syntho")
}

#[test]
fn everything_that_a_deployment_made_goes_and_then_there_is_nothing_to_do() {
    let ground = Ground::new();
    ground.deploy();
    let removing = ground.removing(Data::Keep);
    insta::assert_snapshot!(told(&removing, &ground.site.base()));
    let ran = ground.remove(Data::Keep);
    assert!(ran.failures.is_empty(), "{:?}", ran.failures);
    assert_eq!(ground.left(), Vec::<String>::new());
    assert_eq!(ground.left_to_do(Data::Keep), "");
}

#[test]
fn while_data_stays_its_keys_stay_and_with_it_they_go() {
    let ground = Ground::new();
    let mut ground = ground;
    ground.deploy();
    // A later run has kept a copy of the file with the keys, which is of no use once the file stays.
    let env = &mut ground.resolved.stacks[2].files[1];
    env.content = "KEY='other'\n".into();
    ground.resolved.stacks[2].environment.clear();
    ground.deploy();
    ground.add_volume();
    let removing = ground.removing(Data::Keep);
    let stays: Vec<&str> = removing.stays.iter().map(|(_, s)| s.as_str()).collect();
    assert_eq!(stays.len(), 2, "{stays:?}");
    assert!(stays[0].contains("acme-application_data"), "{stays:?}");
    assert!(stays[1].contains("/application/.env"), "{stays:?}");
    assert!(ground.remove(Data::Keep).failures.is_empty());
    assert_eq!(ground.left(), ["opt/acme/application/.env"]);
    assert_eq!(ground.left_to_do(Data::Keep), "");

    assert!(ground.remove(Data::Delete).failures.is_empty());
    assert_eq!(ground.left(), Vec::<String>::new());
    let ui = &ground.site.machines[&"ui".parse().unwrap()];
    assert!(ui.engine.world().volumes.is_empty());
    assert_eq!(ground.left_to_do(Data::Delete), "");
}

#[test]
fn what_was_there_before_comes_back_and_strangers_stay() {
    let mut ground = Ground::new();
    let folder = format!("{}/application", ground.folder());
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(format!("{folder}/docker-compose.yaml"), "theirs\n").unwrap();
    let ui = &ground.site.machines[&"ui".parse().unwrap()];
    ui.engine.world().containers.push(container("other", "x"));
    ground.deploy();
    // A second run replaces our own file: its copy goes, and the first one's comes back.
    ground.resolved.stacks[2].files[0].content = "services: {web: {}}\n".into();
    ground.deploy();
    let removing = ground.removing(Data::Keep);
    assert!(
        removing
            .stays
            .iter()
            .any(|(_, why)| why.contains("was there before")),
        "{:?}",
        removing.stays
    );
    assert!(ground.remove(Data::Keep).failures.is_empty());
    let text = fs_err::read_to_string(format!("{folder}/docker-compose.yaml")).unwrap();
    assert_eq!(text, "theirs\n");
    assert_eq!(
        ground.left(),
        ["opt/acme/application/docker-compose.yaml", "ui other-x-1"]
    );
}

#[test]
fn what_was_taken_over_stays_with_its_data_also_where_data_goes() {
    let mut ground = Ground::new();
    let (host, ui) = ("ui".parse().unwrap(), ground.resolved.stacks[2].id.clone());
    ground.resolved.stacks[2].adopted = Some(Adopted {
        host: "ui".parse().unwrap(),
        stack: ui,
        form: "by-hand".to_owned(),
        project: "by-hand".to_owned(),
        folder: "/srv/by-hand".to_owned(),
        environment: "/srv/by-hand/.env".to_owned(),
        volumes: BTreeMap::new(),
    });
    ground.deploy();
    let theirs = volume("by-hand", "by-hand_data");
    ground.site.machines[&host].engine.world().volumes = vec![theirs];
    for data in [Data::Keep, Data::Delete] {
        let stays = ground.removing(data).stays;
        let said = stays.iter().find(|(_, why)| why.contains("taken over"));
        let (on, why) = said.unwrap();
        assert_eq!(*on, host);
        for part in ["/srv/by-hand", "by-hand_data", "--project-name by-hand up"] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
    assert!(ground.remove(Data::Delete).failures.is_empty());
    let left = ground.site.machines[&host].engine.world().volumes.len();
    assert_eq!(left, 1);
}

#[test]
fn copies_that_later_runs_kept_go_too() {
    let mut ground = Ground::new();
    ground.deploy();
    ground.resolved.stacks[2].files[0].content = "services: {web: {}}\n".into();
    ground.deploy();
    assert!(ground.left().iter().any(|name| name.contains(".before-")));
    assert!(ground.remove(Data::Keep).failures.is_empty());
    assert_eq!(ground.left(), Vec::<String>::new());
}

#[test]
fn an_image_that_we_brought_goes_unless_somebody_else_uses_it() {
    for used in [false, true] {
        let ground = Ground::new();
        let ui = &ground.site.machines[&"ui".parse().unwrap()];
        let mut world = ui.engine.world();
        world.images.clear();
        world.registry.push(image("x:1", "1"));
        if used {
            world.containers.push(container("other", "x"));
        }
        drop(world);
        let mut ground = ground;
        ground.resolved.image_source = crate::model::answers::ImageSource::Registry;
        ground.deploy();
        assert!(ground.remove(Data::Keep).failures.is_empty());
        let tags = |host: &str| {
            let machine = &ground.site.machines[&host.parse().unwrap()];
            machine.engine.world().images[0].tags.clone()
        };
        assert_eq!(tags("ui").is_empty(), !used);
        // It was there before us.
        assert_eq!(tags("ray-1"), ["x:1"]);
    }
}

#[test]
fn a_host_that_is_down_is_left_out_and_named_and_the_rest_goes() {
    let ground = Ground::new();
    ground.deploy();
    let hosts = ["ray-1", "ui"];
    let reached = hosts.iter().map(|host| host.parse().unwrap()).collect();
    let left_out = left_out(&ground.store.all().unwrap(), &reached);
    assert_eq!(left_out, ["ray-2".parse().unwrap()]);
    let plan = ground.removing_on(Data::Keep, &hosts).plan;
    ground.carry_out(plan, ground.run_id(), &Cancel::new(), &|_| {});
    assert!(ground.left().iter().all(|name| name.contains("ray-worker")));
    assert!(!ground.removing(Data::Keep).plan.nothing_to_do());
    assert!(ground.remove(Data::Keep).failures.is_empty());
    assert_eq!(ground.left(), Vec::<String>::new());
}

#[test]
fn stopped_after_every_step_in_turn_it_ends_the_same() {
    let ground = Ground::new();
    ground.deploy();
    ground.add_volume();
    let mut stops = 0;
    loop {
        let plan = ground.removing(Data::Delete).plan;
        if plan.nothing_to_do() {
            break;
        }
        let cancel = Cancel::new();
        let hear = |event: &Event| {
            if matches!(
                event,
                Event::StepEnded {
                    result: crate::model::event::StepResult::Changed,
                    ..
                }
            ) {
                cancel.raise();
            }
        };
        ground.carry_out(plan, ground.run_id(), &cancel, &hear);
        stops += 1;
        assert!(stops < 100, "it does not come further");
    }
    assert!(stops > 10, "{stops}");
    assert_eq!(ground.left(), Vec::<String>::new());
}

/// A step that writes down when it runs and when it is taken back.
fn tool(diary: &str, name: &str) -> PlacedStep {
    let sh = |script: String| vec!["sh".to_owned(), "-c".to_owned(), script];
    PlacedStep {
        id: "cluster".parse().unwrap(),
        title: format!("{name} is up"),
        probe: sh("test -e up".to_owned()),
        run: sh(format!("echo {name} >> {diary}; : > up")),
        revert: sh(format!("echo no {name} >> {diary}")),
        makes: vec!["up".to_owned()],
        leaves: None,
        within: 30,
        remedy: "see its log".to_owned(),
        fails: Vec::new(),
        phases: Vec::new(),
        takes: Vec::new(),
    }
}

#[test]
fn what_tools_brought_about_goes_in_the_other_order_over_all_hosts() {
    let mut ground = Ground::new();
    let dir = tempfile::tempdir().unwrap();
    let diary = dir.path().join("diary").display().to_string();
    for (number, name) in [(0, "head"), (1, "worker")] {
        let stack = &mut ground.resolved.stacks[number];
        stack.steps.push(tool(&diary, name));
    }
    // One stack is by a tool alone.
    let worker = &mut ground.resolved.stacks[1];
    worker.files.retain(|file| file.path == "README");
    worker.services.clear();
    ground.deploy();
    ground.deploy();
    assert_eq!(
        fs_err::read_to_string(&diary).unwrap(),
        "head\nworker\n",
        "once each, in order"
    );
    let ray: crate::model::ids::HostName = "ray-2".parse().unwrap();
    let calls = ground.site.machines[&ray].engine.world().called.clone();
    assert_eq!(calls, [""; 0], "there is no Compose project");
    let ran = ground.remove(Data::Keep);
    assert!(ran.failures.is_empty(), "{:?}", ran.failures);
    assert_eq!(
        fs_err::read_to_string(&diary).unwrap(),
        "head\nworker\nno worker\nno head\n"
    );
    assert_eq!(ground.left(), Vec::<String>::new());
    assert_eq!(ground.left_to_do(Data::Keep), "");
}
