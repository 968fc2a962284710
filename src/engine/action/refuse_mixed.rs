//! Refuses images that do not go together: each is asked what is in it, on every host that will run it.
//!
//! It looks once the images are on the hosts, wherever they came from, and before anything stops. An image that cannot tell is no ground to refuse.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, Context, Materials, Rights};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::preset::Alike;
use crate::model::text::{shell_quoted, visible_lines};
use crate::transport::Command;

/// Limit for one image; its first container may take long to make.
const LIMIT: Duration = Duration::from_mins(2);

/// Compares what images say of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefuseMixed {
    /// What must be the same.
    pub alike: Alike,
    /// Who is asked.
    pub asked: Vec<Asked>,
}

/// An image on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// The host.
    pub host: HostName,
    /// The image.
    pub image: ImageRef,
    /// Whose rights it needs.
    pub rights: Rights,
}

impl RefuseMixed {
    /// Asks every image, the same one on several hosts once; returns who says what, by what is said.
    fn answers(&self, cx: &Context<'_>) -> Result<BTreeMap<String, Vec<&Asked>>, ActionError> {
        let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut answers: BTreeMap<String, Vec<&Asked>> = BTreeMap::new();
        for asked in &self.asked {
            if cx.progress.cancelled() {
                return Err(ActionError::Cancelled);
            }
            let host = cx.peers.host(&asked.host)?;
            let Some(image) = host.docker()?.image(&asked.image)? else {
                continue;
            };
            let answer = if let Some(answer) = known.get(&image.id) {
                answer.clone()
            } else {
                let command = Command::sh(self.script(&asked.image)?)
                    .with_privilege(asked.rights.privilege())
                    .within(LIMIT);
                let output = host.run(&command)?;
                let said = output.text();
                let last = visible_lines(&said).last();
                let told = last.map(|line| line.trim().to_owned());
                told.filter(|told| output.ok() && !told.is_empty())
            };
            known.insert(image.id, answer.clone());
            match answer {
                Some(answer) => answers.entry(answer).or_default().push(asked),
                None => cx.progress.line(&format!(
                    "{} on {} does not tell: {}",
                    asked.image, asked.host, self.alike.title
                )),
            }
        }
        Ok(answers)
    }

    fn script(&self, image: &ImageRef) -> Result<String, ActionError> {
        let (program, arguments) = self
            .alike
            .run
            .split_first()
            .ok_or_else(|| ActionError::Bug("nothing is asked of the images".to_owned()))?;
        let mut script = format!(
            "docker run --rm --pull never --network none --entrypoint {} {}",
            quote(program)?,
            quote(&image.to_string())?
        );
        for argument in arguments {
            script.push(' ');
            script.push_str(&quote(argument)?);
        }
        Ok(script + " </dev/null")
    }

    fn images(&self) -> Vec<String> {
        let mut names: Vec<String> = self.asked.iter().map(|a| a.image.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Action for RefuseMixed {
    fn describe(&self) -> Description {
        Description {
            summary: format!(
                "make sure that this is the same everywhere: {}",
                self.alike.title
            ),
            reasons: vec![format!("asked of {}", self.images().join(", "))],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description::nothing_to_undo()
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let typed = |asked: &Asked| {
            let script = self.script(&asked.image).ok()?;
            let sudo = asked.rights.typed();
            Some([
                ByHand::Say(format!("On {}:", shell_quoted(asked.host.as_str()))),
                ByHand::Run(format!("{sudo}{script}")),
            ])
        };
        let asked = self.asked.iter().filter_map(typed).flatten();
        let same = "All of them must say the same; one that ends with an error says nothing.";
        asked.chain([ByHand::Say(same.to_owned())]).collect()
    }

    /// Containers are started for it, so it is no look.
    fn probe(&self, _cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(Probe::Needed)
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let answers = self.answers(cx)?;
        if answers.len() < 2 {
            for answer in answers.keys() {
                cx.progress.line(answer);
            }
            return Ok(());
        }
        let evidence = answers.iter().flat_map(|(answer, who)| {
            who.iter()
                .map(move |asked| format!("{} on {}: {answer}", asked.image, asked.host))
        });
        let said: Vec<&str> = answers.keys().map(String::as_str).collect();
        Err(ActionError::Situation {
            message: format!(
                "the images do not go together. {}: {}; nothing was stopped",
                self.alike.title,
                said.join(" and ")
            ),
            evidence: evidence.collect(),
            remedy: Some(self.alike.remedy.clone()),
            command: None,
        })
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
