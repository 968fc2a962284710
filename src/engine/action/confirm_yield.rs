//! Compares a value that other stacks were given with what the software itself says in its log.

use std::time::{Duration, Instant};

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::PROJECT_LABEL;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::{shell_quoted, visible_lines};
use crate::transport::ContainerFilter;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// How far back the log is read; announcements stand near a start, and a start may lie long back.
const LINES: usize = 20_000;

/// Confirms one value; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConfirmYield {
    /// The stack.
    pub stack: StackId,
    /// Its Compose project.
    pub project: String,
    /// The service whose log is read.
    pub service: String,
    /// A regular expression with one group; the last match counts.
    pub log: String,
    /// What the group must equal.
    pub equals: String,
    /// What to do when it does not; `{found}` stands for what was found.
    pub remedy: String,
    /// Seconds it may take until the log says anything.
    pub within: u64,
}

/// What the log says.
enum Said {
    /// Nothing yet.
    Nothing,
    /// The value that was given.
    Same,
    /// Another.
    Other(String),
}

impl ConfirmYield {
    fn look(&self, cx: &Context<'_>) -> Result<Said, ActionError> {
        let pattern = Regex::new(&self.log)
            .map_err(|error| ActionError::Bug(format!("the pattern `{}`: {error}", self.log)))?;
        let docker = cx.host.docker()?;
        let containers = docker.containers(&ContainerFilter {
            labels: vec![
                format!("{PROJECT_LABEL}={}", self.project),
                format!("com.docker.compose.service={}", self.service),
            ],
        })?;
        let Some(container) = containers
            .iter()
            .find(|container| container.service() == Some(&self.service))
        else {
            return Ok(Said::Nothing);
        };
        let log = docker.logs(&container.id, LINES)?;
        let log = visible_lines(&log).collect::<Vec<_>>().join("\n");
        let last = pattern
            .captures_iter(&log)
            .last()
            .and_then(|groups| groups.get(1).or(groups.get(0)));
        Ok(match last.map(|found| found.as_str().trim()) {
            None => Said::Nothing,
            Some(found) if found == self.equals => Said::Same,
            Some(found) => Said::Other(found.to_owned()),
        })
    }

    fn silent(&self) -> ActionError {
        ActionError::Situation {
            message: format!(
                "`{}` did not announce `{}` within {} s",
                self.service, self.equals, self.within
            ),
            evidence: vec![format!("looked in its log for {}", self.log)],
            remedy: Some(format!(
                "see its log on the host with `docker compose -p {} logs {}`",
                self.project, self.service
            )),
            command: None,
        }
    }

    fn differs(&self, found: &str) -> ActionError {
        ActionError::Situation {
            message: format!(
                "`{}` announces `{found}`, and the others were told `{}`",
                self.service, self.equals
            ),
            evidence: Vec::new(),
            remedy: Some(self.remedy.replace("{found}", found)),
            command: None,
        }
    }
}

impl Action for ConfirmYield {
    fn describe(&self) -> Description {
        Description {
            summary: format!(
                "compare what `{}` announces with `{}`",
                self.service, self.equals
            ),
            reasons: vec!["the other hosts are told this value".to_owned()],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description::nothing_to_undo()
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![
            ByHand::Run(format!(
                "docker compose --project-name {} logs --no-log-prefix {} | grep -E {}",
                shell_quoted(&self.project),
                shell_quoted(&self.service),
                shell_quoted(&self.log)
            )),
            ByHand::Say(format!("The last of them must say `{}`.", self.equals)),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        // Another value may be that of a start before this one, so only a match is an answer here.
        Ok(match self.look(cx)? {
            Said::Same => Probe::AlreadySo,
            Said::Nothing | Said::Other(_) => Probe::Needed,
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let began = Instant::now();
        loop {
            let said = self.look(cx)?;
            let late = began.elapsed() >= Duration::from_secs(self.within);
            match said {
                Said::Same => return Ok(()),
                Said::Other(found) if late => return Err(self.differs(&found)),
                Said::Nothing if late => return Err(self.silent()),
                Said::Other(_) | Said::Nothing => {}
            }
            if cx.progress.wait(LOOK) {
                return Err(ActionError::Cancelled);
            }
        }
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
