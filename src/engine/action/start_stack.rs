//! Creates and starts the containers of one stack, as a long step that goes on without us.

pub(super) mod follow;
mod prove;
mod takedown;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, AwaitHealth, Context, Materials};
use crate::engine::compose::{Compose, HASH_LABEL};
use crate::engine::judge::looping::Looping;
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, StackId};
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::preset::{Proof, Service, ServiceState};
use crate::transport::detached::{self, End, Started, State};
use crate::transport::{Command, Input};

use follow::Words;

/// Time between two looks at containers while Compose works.
const LOOK: Duration = Duration::from_secs(2);

/// Starts one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartStack {
    /// The stack.
    pub stack: StackId,
    /// Its project on the host.
    pub compose: Compose,
    /// Its images; containers must run exactly these.
    pub images: Vec<ImageRef>,
    /// What its services must look like; one that must end may have ended.
    pub services: Vec<Service>,
    /// What must hold before containers are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Proof>,
    /// Files that containers mount; when one is newer than they are, they are made anew.
    pub mounted: Vec<String>,
    /// The deployment's folder, where long steps keep their log and their end, so that the next run finds them.
    pub deployment: String,
    /// Whether no container of the project was there before us.
    #[serde(default)]
    pub created: bool,
}

/// Why containers are not as they must be.
#[derive(Debug, PartialEq, Eq)]
enum Lack {
    /// Compose brings them there.
    Up,
    /// They must be made anew, because a mounted file has changed.
    Anew,
}

impl StartStack {
    fn containers(&self, cx: &Context<'_>) -> Result<Vec<ContainerFacts>, ActionError> {
        Ok(cx.host.docker()?.containers(&self.compose.filter())?)
    }

    /// Returns what is lacking; `None` when everything stands as Compose would make it now.
    fn lack(&self, cx: &Context<'_>) -> Result<Option<Lack>, ActionError> {
        let containers = self.containers(cx)?;
        if containers.is_empty() {
            return Ok(Some(Lack::Up));
        }
        if self.is_outdated(cx, &containers)? {
            return Ok(Some(Lack::Anew));
        }
        let Some(hashes) = self.compose.hashes(cx.host)? else {
            return Ok(Some(Lack::Up));
        };
        let complete =
            self.matches(&hashes, &containers) && self.runs_its_images(cx, &containers)?;
        Ok((!complete).then_some(Lack::Up))
    }

    /// Returns whether each service has its container, made from what Compose would make it from, and nothing else is there.
    fn matches(&self, hashes: &BTreeMap<String, String>, containers: &[ContainerFacts]) -> bool {
        let fits = |container: &ContainerFacts| {
            let service = container.service().unwrap_or_default();
            hashes
                .get(service)
                .is_some_and(|hash| container.labels.get(HASH_LABEL) == Some(hash))
                && self.stands(service, container)
        };
        containers.iter().all(fits)
            && hashes
                .keys()
                .all(|service| containers.iter().any(|c| c.service() == Some(service)))
    }

    /// Returns whether a container is in a state that `up` would leave alone.
    fn stands(&self, service: &str, container: &ContainerFacts) -> bool {
        let ends = self
            .services
            .iter()
            .any(|s| s.name == service && s.state == ServiceState::Completed);
        match container.state.as_str() {
            "running" | "restarting" => true,
            "exited" => ends && container.exit_code == Some(0),
            _ => false,
        }
    }

    /// Returns whether every container runs the image that its name stands for now.
    fn runs_its_images(
        &self,
        cx: &Context<'_>,
        containers: &[ContainerFacts],
    ) -> Result<bool, ActionError> {
        let docker = cx.host.docker()?;
        for reference in &self.images {
            let Some(image) = docker.image(reference)? else {
                return Ok(false);
            };
            let name = reference.to_string();
            let stale = |c: &ContainerFacts| c.image == name && c.image_id != image.id;
            if containers.iter().any(stale) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether a mounted file was written after a container was started; both times are the host's.
    fn is_outdated(
        &self,
        cx: &Context<'_>,
        containers: &[ContainerFacts],
    ) -> Result<bool, ActionError> {
        if self.mounted.is_empty() {
            return Ok(false);
        }
        let mut script = format!("cd {} && stat -c %Y --", quote(&self.compose.folder)?);
        for file in &self.mounted {
            script.push(' ');
            script.push_str(&quote(file)?);
        }
        let command = Command::sh(script).with_privilege(self.compose.rights.privilege());
        let output = cx.host.run(&command)?;
        let newest = output
            .text()
            .lines()
            .filter_map(|line| line.trim().parse::<i64>().ok())
            .max();
        let oldest = containers
            .iter()
            .filter_map(|container| container.started_at.as_deref())
            .filter_map(|text| text.parse::<jiff::Timestamp>().ok())
            .map(jiff::Timestamp::as_second)
            .min();
        Ok(matches!((newest, oldest), (Some(file), Some(start)) if file > start))
    }

    /// Returns the script that starts the stack.
    fn script(&self, anew: bool) -> Result<String, ActionError> {
        let mut arguments = vec![
            "up",
            "--detach",
            "--pull",
            "never",
            "--no-build",
            "--remove-orphans",
        ];
        if anew {
            arguments.push("--force-recreate");
        }
        Ok(self.compose.script(&arguments)?)
    }

    fn step_id(&self) -> String {
        format!("start-{}", self.stack)
    }

    fn step<'a>(&'a self, id: &'a str) -> detached::Step<'a> {
        detached::Step {
            folder: &self.deployment,
            id,
            privilege: self.compose.rights.privilege(),
        }
    }

    /// Follows the long step. Compose waits without end for a service that others need and that keeps restarting; that is found out here.
    fn follow(
        &self,
        cx: &Context<'_>,
        step: &detached::Step<'_>,
    ) -> Result<(End, Words), ActionError> {
        let health = AwaitHealth {
            stack: self.stack.clone(),
            project: self.compose.project.clone(),
            services: self.services.clone(),
            settle_ms: 0,
        };
        let mut looping = Looping::default();
        let mut last = Instant::now();
        follow::while_sound(cx, step, &mut || {
            if last.elapsed() < LOOK {
                return Ok(());
            }
            last = Instant::now();
            health.refuse_looping(&mut looping, &self.containers(cx)?, cx)
        })
    }

    /// Starts the long step, or goes on with one that an earlier run began, and returns how it ended with its last words.
    fn up(&self, cx: &Context<'_>) -> Result<(End, Words), ActionError> {
        let id = self.step_id();
        let step = self.step(&id);
        if detached::status(cx.host, &step)? == State::Running {
            cx.progress
                .line("going on with the start that an earlier run began");
            self.follow(cx, &step)?;
            detached::clean(cx.host, &step)?;
            if self.lack(cx)?.is_none() {
                return Ok((End::Code(0), Words::default()));
            }
        }
        prove::prove(self, cx)?;
        let anew = self.lack(cx)? == Some(Lack::Anew);
        // What an earlier run left of its end says nothing about now.
        detached::clean(cx.host, &step)?;
        let script = self.script(anew)?;
        if let Started::Already(state) = detached::start(cx.host, &step, &script, &Input::Empty)? {
            tracing::info!(host = %cx.host.name(), ?state, "somebody began the same step just now");
        }
        let ended = self.follow(cx, &step)?;
        detached::clean(cx.host, &step)?;
        Ok(ended)
    }
}

/// Words of Docker whose cure is known.
const CURES: [(&str, &str); 3] = [
    (
        "no space left on device",
        "make room on the host's disk (`sudo docker system df` shows what Docker could give back)",
    ),
    (
        "port is already allocated",
        "stop what listens on the port (`sudo ss -ltnp` names it)",
    ),
    (
        "address already in use",
        "stop what listens on the port (`sudo ss -ltnp` names it)",
    ),
];

/// Returns what to do about what Docker said, when that is known.
fn cure(words: &[String]) -> Option<&'static str> {
    let says = |part: &str| words.iter().any(|line| line.contains(part));
    let cure = CURES.iter().find(|(part, _)| says(part));
    cure.map(|(_, cure)| *cure)
}

impl Action for StartStack {
    fn describe(&self) -> Description {
        let mut reasons = vec![
            format!("`docker compose up -d` in {}", self.compose.folder),
            "with the images that are on the host; nothing is pulled or built".to_owned(),
        ];
        let proofs = self.proofs.iter();
        reasons.extend(proofs.map(|proof| format!("proved before: {}", proof.title)));
        Description {
            summary: format!("start stack `{}`", self.stack),
            reasons,
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: if self.created {
                format!("remove the containers and networks of `{}`", self.stack)
            } else {
                format!("leave stack `{}`, which was there before", self.stack)
            },
            reasons: vec!["volumes stay".to_owned()],
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let up = "up --detach --pull never --no-build --remove-orphans";
        let mut parts = prove::by_hand(self);
        parts.push(ByHand::Run(self.compose.typed(up)));
        if !self.mounted.is_empty() {
            parts.push(ByHand::Say(format!(
                "Add `--force-recreate` when containers were there already and one of these files has changed: {}.",
                self.mounted.join(", ")
            )));
        }
        parts
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(match self.lack(cx)? {
            None => Probe::AlreadySo,
            Some(_) => Probe::Needed,
        })
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.created = self.containers(cx)?.is_empty();
        Ok(())
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let (end, words) = self.up(cx)?;
        let how = match end {
            End::Code(0) => return Ok(()),
            End::Code(code) => format!("ended with status {code}"),
            End::Cancelled => "was ended by somebody".to_owned(),
            End::Interrupted => "was cut off: has the host restarted?".to_owned(),
        };
        let evidence = words.lines();
        let cure = cure(&evidence).unwrap_or("mend the cause");
        Err(ActionError::Situation {
            message: format!("`docker compose up` for `{}` {how}", self.stack),
            remedy: Some(format!(
                "{cure} and run the same command again; by hand: `cd {} && docker compose up -d --pull never`",
                self.compose.folder
            )),
            evidence,
            command: None,
        })
    }

    fn tidy(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let id = self.step_id();
        let step = self.step(&id);
        if matches!(detached::status(cx.host, &step)?, State::Ended(_)) {
            detached::clean(cx.host, &step)?;
        }
        Ok(())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.created && takedown::stands(self, cx)? {
            Probe::Needed
        } else {
            Probe::AlreadySo
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if self.created {
            takedown::take_down(self, cx)?;
        }
        self.created = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
