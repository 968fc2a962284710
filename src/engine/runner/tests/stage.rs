//! Toy actions that change a shared world, and the stage on which they run.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde::Deserialize;

use super::super::*;
use crate::engine::action::{ActionError, Context, Material};
use crate::engine::plan::PlannedStep;
use crate::model::event::{Event, StepResult};
use crate::model::ids::{RunId, StackId, StepId};
use crate::model::plan::{ByHand, Description, Phase, Probe};
use crate::transport::RegistryLogin;
use crate::transport::fake::FakeHost;

pub(super) type Done = Arc<Mutex<BTreeSet<String>>>;
pub(super) type Script = Arc<dyn Fn(&Toy, &Context<'_>) -> Result<(), ActionError> + Send + Sync>;

/// Puts its name into the world.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Toy {
    pub(super) name: String,
    #[serde(skip)]
    pub(super) world: Done,
    #[serde(skip)]
    script: Option<Script>,
}

impl std::fmt::Debug for Toy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn description(text: &str) -> Description {
    Description {
        summary: text.to_owned(),
        reasons: Vec::new(),
        difference: None,
    }
}

impl Action for Toy {
    fn describe(&self) -> Description {
        description(&self.name)
    }

    fn describe_revert(&self) -> Description {
        description(&self.name)
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        Vec::new()
    }

    fn probe(&self, _cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.world.lock().unwrap().contains(&self.name) {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if let Some(script) = self.script.clone() {
            script(self, cx)?;
        }
        let fresh = self.world.lock().unwrap().insert(self.name.clone());
        assert!(fresh, "{} was done twice", self.name);
        Ok(())
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

struct Nothing;

impl Materials for Nothing {
    fn file(&self, _: &HostName, _: &StackId, _: &str) -> Option<Material> {
        None
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        None
    }

    fn environment(
        &self,
        _: &HostName,
        _: &StackId,
    ) -> Option<Vec<(String, secrecy::SecretString)>> {
        None
    }
}

#[derive(Default)]
pub(super) struct FakeLinks {
    pub(super) renewed: Mutex<usize>,
}

impl Links for FakeLinks {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        Ok(Arc::new(FakeHost::new(name.clone())))
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        *self.renewed.lock().unwrap() += 1;
        self.host(name)
    }
}

/// Everything a test run needs, and what it heard.
pub(super) struct Stage {
    pub(super) world: Done,
    pub(super) links: FakeLinks,
    pub(super) heard: Mutex<Vec<Event>>,
    pub(super) cancel: Cancel,
    pub(super) helm: Helm,
    pub(super) dir: tempfile::TempDir,
    pub(super) steps: Vec<(&'static str, &'static [&'static str])>,
    pub(super) scripts: Vec<(&'static str, Script)>,
}

pub(super) const STEPS: &[(&str, &[&str])] = &[
    ("head/files", &[]),
    ("head/stack", &["head/files"]),
    ("head/health", &["head/stack"]),
    ("worker/files", &[]),
    ("worker/stack", &["worker/files", "head/health"]),
    ("ui/files", &[]),
    ("ui/stack", &["ui/files", "worker/stack"]),
];

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            world: Done::default(),
            links: FakeLinks::default(),
            heard: Mutex::default(),
            cancel: Cancel::new(),
            helm: Helm::default(),
            dir: tempfile::tempdir().unwrap(),
            steps: STEPS.to_vec(),
            scripts: Vec::new(),
        }
    }

    pub(super) fn on(
        mut self,
        step: &'static str,
        script: impl Fn(&Toy, &Context<'_>) -> Result<(), ActionError> + Send + Sync + 'static,
    ) -> Self {
        self.scripts.push((step, Arc::new(script)));
        self
    }

    /// Adds a step to the plan.
    pub(super) fn with(mut self, step: &'static str, after: &'static [&'static str]) -> Self {
        self.steps.push((step, after));
        self
    }

    pub(super) fn store(&self) -> ReceiptStore {
        ReceiptStore::new(Utf8PathBuf::from_path_buf(self.dir.path().join("receipts")).unwrap())
    }

    fn plan(&self) -> Plan<Toy> {
        let steps = self.steps.iter().map(|(id, after)| PlannedStep {
            id: StepId((*id).to_owned()),
            host: id.split('/').next().unwrap().parse().unwrap(),
            phase: match id.split('/').nth(1) {
                Some("health") => Phase::Health,
                Some("images") => Phase::Images,
                _ => Phase::Files,
            },
            after: after.iter().map(|id| StepId((*id).to_owned())).collect(),
            description: description(id),
            probe: if self.world.lock().unwrap().contains(*id) {
                Probe::AlreadySo
            } else {
                Probe::Needed
            },
            action: Toy {
                name: (*id).to_owned(),
                world: self.world.clone(),
                script: self
                    .scripts
                    .iter()
                    .find(|(step, _)| step == id)
                    .map(|(_, script)| script.clone()),
            },
        });
        Plan::new(steps.collect()).unwrap()
    }

    pub(super) fn run(&self) -> Result<Ran<Toy>, StoreError> {
        self.run_hearing(&|_: &Event| {})
    }

    pub(super) fn run_hearing(
        &self,
        also: &(dyn Fn(&Event) + Sync + Send),
    ) -> Result<Ran<Toy>, StoreError> {
        let receipt = Receipt {
            version: 1,
            run: RunId("20261120T120000Z-0001".to_owned()),
            deployment: "acme".parse().unwrap(),
            preset: "syntho-app-ray".parse().unwrap(),
            installer: "0.1.0".to_owned(),
            began: "2026-11-20T12:00:00Z".parse().unwrap(),
            ended: None,
            outcome: None,
            steps: Vec::new(),
        };
        let listener = |event: Event| {
            also(&event);
            self.heard.lock().unwrap().push(event);
        };
        run(
            self.plan(),
            receipt,
            &Work {
                links: &self.links,
                materials: &Nothing,
                listener: &listener,
                guard: &NobodyElse,
                redactor: &Redactor::default(),
                cancel: &self.cancel,
                helm: &self.helm,
                receipts: &self.store(),
                concurrency: 2,
                pace: Pace {
                    silence: Duration::from_millis(20),
                    retries: 2,
                    pause: Duration::ZERO,
                },
            },
        )
    }

    /// Returns how each step ended.
    pub(super) fn ends(&self) -> Vec<(String, StepResult)> {
        self.heard
            .lock()
            .unwrap()
            .iter()
            .filter_map(|event| match event {
                Event::StepEnded { step, result, .. } => Some((step.0.clone(), result.clone())),
                _ => None,
            })
            .collect()
    }

    pub(super) fn end_of(&self, step: &str) -> StepResult {
        let ends = self.ends();
        let mut of_step = ends.iter().filter(|(id, _)| id == step);
        let end = of_step.next().unwrap().1.clone();
        assert!(of_step.next().is_none(), "{step} ended twice");
        end
    }

    pub(super) fn all_done(&self) -> bool {
        self.world.lock().unwrap().len() == STEPS.len()
    }
}

/// No second operator comes here.
struct NobodyElse;

impl Guard for NobodyElse {
    fn holds(&self, _host: &HostName) -> bool {
        true
    }
}
