//! Brings something about by a command-line tool in a stack's folder, as a long step that goes on without us, and takes it back.
//!
//! Beside the files of the stack a mark, `.step-<id>`, is kept from the first try until the step is taken back. Once the tool has ended well it holds the
//! fingerprint of the files and the command line, written by the host itself: so a step that was left alone is known to be done, and one whose files have
//! changed since is run again.

mod script;
mod taking;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::place::quote;
use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::Compose;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::resolved::PlacedStep;
use crate::model::text::{hexadecimal, shell_quoted, visible_lines};
use crate::transport::detached::{self, End, Started, State};
use crate::transport::{Command, Input, Output};

use watch::Watch;

/// Limit for one look.
const LOOK: Duration = Duration::from_mins(2);

/// Runs one step of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunStep {
    /// The stack.
    pub stack: StackId,
    /// The stack's folder and whose rights it needs; Compose itself may have no project there.
    pub compose: Compose,
    /// What is run.
    pub tool: PlacedStep,
    /// Files of the stack for whose change it is run again.
    pub files: Vec<String>,
    /// Where values are taken from, by stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<StackId, Source>,
    /// The deployment's folder, where long steps keep their log and their end, so that the next run finds them.
    pub deployment: String,
    /// Whether it was not so before us.
    #[serde(default)]
    pub created: bool,
}

/// The host that a value is taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Source {
    /// The host.
    pub host: HostName,
    /// The stack's folder there.
    pub compose: Compose,
}

/// What a long step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forth,
    Back,
}

impl RunStep {
    /// Returns the file that says that the step was begun, and for what it was done.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{}/.step-{}", self.compose.folder, self.tool.id)
    }

    /// Returns what it keeps in the stack's folder beside the stack's own files; it goes with the step.
    pub(in crate::engine) fn keeps(&self) -> Vec<String> {
        let made = self.tool.makes.iter().filter(|_| self.created);
        let made = made.map(|name| format!("{}/{name}", self.compose.folder));
        made.chain([self.mark()]).collect()
    }

    /// Returns what is typed by hand to take it back, where there is something to.
    #[must_use]
    pub fn typed_revert(&self) -> Option<String> {
        let revert = &self.tool.revert;
        (!revert.is_empty()).then(|| self.typed(revert))
    }

    /// Returns what the step was done for, when it is done for what stands in the materials.
    fn fingerprint(&self, cx: &Context<'_>) -> Result<String, ActionError> {
        let mut hash = Sha256::new();
        for path in &self.files {
            let file = cx.materials.file(cx.host.name(), &self.stack, path);
            let file = file.ok_or_else(|| {
                ActionError::Bug(format!("stack `{}` has no file {path}", self.stack))
            })?;
            let bytes = file.content.bytes();
            hash.update(format!("{path}\n{}\n", bytes.len()));
            hash.update(bytes);
        }
        for word in &self.tool.run {
            hash.update(format!("{}\n{word}", word.len()));
        }
        Ok(hexadecimal(&hash.finalize()))
    }

    fn read_mark(&self, cx: &Context<'_>) -> Result<String, ActionError> {
        let script = format!("cat -- {} 2>/dev/null || :", quote(&self.mark())?);
        let command = Command::sh(script).with_privilege(self.compose.rights.privilege());
        Ok(cx.host.must(&command)?.text())
    }

    /// Asks the step's own probe.
    fn ask(&self, cx: &Context<'_>) -> Result<Output, ActionError> {
        let words: Vec<&str> = self.tool.probe.iter().map(String::as_str).collect();
        Ok(self.compose.run_beside(cx.host, &words, LOOK)?)
    }

    /// Returns whether it is done, and for what the materials hold now.
    fn is_done(&self, cx: &Context<'_>) -> Result<bool, ActionError> {
        Ok(self.read_mark(cx)? == self.fingerprint(cx)? && self.ask(cx)?.ok())
    }

    fn long_id(&self, way: Way) -> String {
        let what = match way {
            Way::Forth => "step",
            Way::Back => "undo",
        };
        format!("{what}-{}-{}", self.stack, self.tool.id)
    }

    fn long<'a>(&'a self, id: &'a str) -> detached::Step<'a> {
        detached::Step {
            folder: &self.deployment,
            id,
            privilege: self.compose.rights.privilege(),
        }
    }

    /// Runs it to its end, or goes on with what an earlier run began.
    fn forth(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let id = self.long_id(Way::Forth);
        let long = self.long(&id);
        let taken = taking::take(self, cx)?;
        if detached::status(cx.host, &long)? == State::Running {
            cx.progress
                .line("going on with the step that an earlier run began");
            let mut watch = Watch::new(self, &taken)?;
            watch.follow(cx, &long)?;
            detached::clean(cx.host, &long)?;
            if self.is_done(cx)? {
                return Ok(());
            }
        }
        // What an earlier run left of its end says nothing about now.
        detached::clean(cx.host, &long)?;
        let script = script::forth(self, &taken, &self.fingerprint(cx)?)?;
        carry_out(
            cx,
            &long,
            &script,
            &taken.input(),
            &mut Watch::new(self, &taken)?,
        )?;
        let seen = self.ask(cx)?;
        if seen.ok() {
            return Ok(());
        }
        Err(self.situation(
            last_line(&seen).map_or_else(
                || {
                    format!(
                        "it ended well, and still this is not so: {}",
                        self.tool.title
                    )
                },
                |line| format!("it ended well, and still: {line}"),
            ),
            lines(&seen.complaint()),
            &self.tool.remedy,
        ))
    }

    fn situation(&self, message: String, evidence: Vec<String>, remedy: &str) -> ActionError {
        ActionError::Situation {
            message,
            evidence,
            remedy: Some(format!(
                "{remedy}; then run the same command again. By hand: `{}`",
                self.typed(&self.tool.run)
            )),
            command: None,
        }
    }

    /// Takes it back.
    fn back(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        // A run that an earlier installer left to the host would bring back what goes now.
        let forth = self.long_id(Way::Forth);
        let forth = self.long(&forth);
        if detached::status(cx.host, &forth)? == State::Running {
            detached::cancel(cx.host, &forth)?;
        }
        detached::clean(cx.host, &forth)?;
        if self.read_mark(cx)?.is_empty() {
            return Ok(());
        }
        let id = self.long_id(Way::Back);
        let long = self.long(&id);
        let taken = taking::Taken::default();
        let mut watch = Watch::new(self, &taken)?;
        if detached::status(cx.host, &long)? == State::Running {
            watch.follow(cx, &long)?;
        }
        detached::clean(cx.host, &long)?;
        let script = script::back(self)?;
        carry_out(cx, &long, &script, &Input::Empty, &mut watch)
    }

    /// Returns a program as somebody types it.
    fn typed(&self, program: &[String]) -> String {
        let words: Vec<String> = program.iter().map(|word| shell_quoted(word)).collect();
        format!(
            "cd {} && {}{}",
            shell_quoted(&self.compose.folder),
            self.compose.rights.typed(),
            words.join(" ")
        )
    }
}

/// Runs a script to its end as a long step.
fn carry_out(
    cx: &Context<'_>,
    long: &detached::Step<'_>,
    script: &str,
    input: &Input,
    watch: &mut Watch<'_>,
) -> Result<(), ActionError> {
    if let Started::Already(state) = detached::start(cx.host, long, script, input)? {
        tracing::info!(host = %cx.host.name(), ?state, "somebody began the same step just now");
    }
    let end = watch.follow(cx, long)?;
    detached::clean(cx.host, long)?;
    match end {
        End::Code(0) => Ok(()),
        _ => Err(watch.failure(end)),
    }
}

fn lines(text: &str) -> Vec<String> {
    let lines = visible_lines(text).map(std::borrow::Cow::into_owned);
    lines.filter(|line| !line.trim().is_empty()).collect()
}

fn last_line(output: &Output) -> Option<String> {
    lines(&output.text()).pop()
}

impl Action for RunStep {
    fn describe(&self) -> Description {
        let mut reasons = vec![format!("`{}`", self.typed(&self.tool.run))];
        reasons.extend(self.tool.takes.iter().filter_map(|take| {
            let source = self.sources.get(&take.stack)?;
            let kept = if take.secret {
                ", which nothing shows or keeps"
            } else {
                ""
            };
            Some(format!("with {} from {}{kept}", take.name, source.host))
        }));
        Description {
            summary: format!(
                "run `{}` of `{}`: {}",
                self.tool.id, self.stack, self.tool.title
            ),
            reasons,
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        let (summary, mut reasons) = if self.tool.revert.is_empty() {
            let summary = format!("forget `{}` of `{}`", self.tool.id, self.stack);
            (summary, vec!["there is nothing to take back".to_owned()])
        } else if self.created {
            let summary = format!("take back `{}` of `{}`", self.tool.id, self.stack);
            (
                summary,
                vec![format!("`{}`", self.typed(&self.tool.revert))],
            )
        } else {
            let summary = format!(
                "leave `{}` of `{}`, which was so before",
                self.tool.id, self.stack
            );
            (summary, Vec::new())
        };
        let leaves = self.tool.leaves.iter().filter(|_| self.created);
        reasons.extend(leaves.cloned());
        Description {
            summary,
            reasons,
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let mut parts = Vec::new();
        for take in &self.tool.takes {
            let Some(source) = self.sources.get(&take.stack) else {
                continue;
            };
            let words: Vec<String> = take.run.iter().map(|word| shell_quoted(word)).collect();
            parts.push(ByHand::Say(format!(
                "It wants the variable `{}`: what this prints last on {}: `cd {} && {}{}`",
                take.name,
                source.host,
                shell_quoted(&source.compose.folder),
                source.compose.rights.typed(),
                words.join(" ")
            )));
        }
        parts.push(ByHand::Run(self.typed(&self.tool.run)));
        parts.push(ByHand::Say(format!(
            "Then this must end with 0, because it is so: {}.",
            self.tool.title
        )));
        parts.push(ByHand::Run(self.typed(&self.tool.probe)));
        parts
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.is_done(cx)? {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.created = self.read_mark(cx)?.is_empty() && !self.ask(cx)?.ok();
        Ok(())
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.forth(cx)
    }

    fn tidy(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let id = self.long_id(Way::Forth);
        let long = self.long(&id);
        if matches!(detached::status(cx.host, &long)?, State::Ended(_)) {
            detached::clean(cx.host, &long)?;
        }
        Ok(())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.read_mark(cx)?.is_empty() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.back(cx)
    }
}

#[cfg(test)]
mod tests;
