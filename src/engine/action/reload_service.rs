//! Makes a running service take up files that have changed, without its container being made anew.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::Compose;
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::{shell_quoted, visible_lines};
use crate::transport::{Command, Exit, Input};

/// Limit for the program.
const LIMIT: Duration = Duration::from_mins(1);

/// Makes one service take up its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReloadService {
    /// The stack.
    pub stack: StackId,
    /// Its project on the host.
    pub compose: Compose,
    /// The service.
    pub service: String,
    /// The program, run in its container.
    pub run: Vec<String>,
    /// The files, by their paths in the stack's folder.
    pub files: Vec<String>,
}

impl ReloadService {
    /// Returns the service's running containers.
    fn running(&self, cx: &Context<'_>) -> Result<Vec<ContainerFacts>, ActionError> {
        let mut containers = cx.host.docker()?.containers(&self.compose.filter())?;
        containers.retain(|c| c.service() == Some(&self.service) && c.state == "running");
        Ok(containers)
    }

    /// Returns whether the service runs, so that there is something to take files up.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    pub fn stands(&self, cx: &Context<'_>) -> Result<bool, ActionError> {
        Ok(!self.running(cx)?.is_empty())
    }

    /// The name of the empty file whose time says when the service last took its files up; the containers' own start says it, too.
    fn mark(&self) -> String {
        format!(".reloaded-{}", self.service)
    }

    fn sh(&self, cx: &Context<'_>, script: &str) -> Result<String, ActionError> {
        self.within_folder(cx, "exit 1", script)
    }

    /// As [`Self::sh`], where a folder that is gone is nothing to complain about.
    fn sh_if_there(&self, cx: &Context<'_>, script: &str) -> Result<String, ActionError> {
        self.within_folder(cx, "exit 0", script)
    }

    fn within_folder(
        &self,
        cx: &Context<'_>,
        otherwise: &str,
        script: &str,
    ) -> Result<String, ActionError> {
        let folder = quote(&self.compose.folder)?;
        let script = format!("cd {folder} 2>/dev/null || {otherwise}\n{script}");
        let command = Command::sh(script).with_privilege(self.compose.rights.privilege());
        Ok(cx.host.must(&command)?.text())
    }

    /// Returns whether a file is newer than what the service has taken up; all times are the host's.
    fn is_behind(
        &self,
        cx: &Context<'_>,
        containers: &[ContainerFacts],
    ) -> Result<bool, ActionError> {
        let mut script = String::from("for file in");
        for file in &self.files {
            script.push(' ');
            script.push_str(&quote(file)?);
        }
        let mark = quote(&self.mark())?;
        script.push_str(&format!(
            "; do [ ! -e \"$file\" ] || [ {mark} -nt \"$file\" ] || stat -c %Y -- \"$file\"; done"
        ));
        let text = self.sh(cx, &script)?;
        let times = text.lines().filter_map(|line| line.trim().parse().ok());
        let newest: Option<i64> = times.max();
        let oldest = containers
            .iter()
            .filter_map(|container| container.started_at.as_deref())
            .filter_map(|text| text.parse::<jiff::Timestamp>().ok())
            .map(jiff::Timestamp::as_second)
            .min();
        Ok(matches!((newest, oldest), (Some(file), Some(start)) if file > start))
    }
}

impl Action for ReloadService {
    fn describe(&self) -> Description {
        Description {
            summary: format!("let `{}` take up {}", self.service, self.files.join(", ")),
            reasons: vec![format!(
                "`{}` in its container, which goes on running",
                self.run.join(" ")
            )],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!(
                "remove {}, which says when `{}` took up its files",
                self.mark(),
                self.service
            ),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let words: Vec<String> = self.run.iter().map(|word| shell_quoted(word)).collect();
        vec![
            ByHand::Say(format!(
                "Needed when the containers were there already and one of these files has changed: {}.",
                self.files.join(", ")
            )),
            ByHand::Run(self.compose.typed(&format!(
                "exec -T {} {}",
                shell_quoted(&self.service),
                words.join(" ")
            ))),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let running = self.running(cx)?;
        // What does not run takes the files up when it starts.
        let behind = !running.is_empty() && self.is_behind(cx, &running)?;
        Ok(if behind {
            Probe::Needed
        } else {
            Probe::AlreadySo
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let mark = quote(&self.mark())?;
        // Its time is from before, so that a file that changes meanwhile is newer.
        self.sh(cx, &format!(": > {mark}.part"))?;
        let docker = cx.host.docker()?;
        for container in self.running(cx)? {
            let output = docker.exec(&container.id, &self.run, &Input::Empty, LIMIT)?;
            if output.exit != Exit::Code(0) {
                let words = format!("{}\n{}", output.text(), output.complaint());
                return Err(ActionError::Situation {
                    message: format!("`{}` did not take up its files", self.service),
                    evidence: visible_lines(&words).map(|line| line.to_string()).collect(),
                    remedy: Some(format!(
                        "it goes on with what it had; by hand: {}",
                        self.compose.typed(&format!(
                            "exec {} {}",
                            self.service,
                            self.run.join(" ")
                        ))
                    )),
                    command: None,
                });
            }
        }
        self.sh(cx, &format!("mv {mark}.part {mark}"))?;
        Ok(())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let mark = quote(&self.mark())?;
        let there = self.sh_if_there(cx, &format!("[ ! -e {mark} ] || echo yes"))?;
        Ok(if there.is_empty() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let mark = quote(&self.mark())?;
        self.sh_if_there(cx, &format!("rm -f -- {mark} {mark}.part"))
            .map(drop)
    }
}

#[cfg(test)]
mod tests;
