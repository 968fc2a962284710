//! Values that other hosts give when a step runs: asked for anew on each try, handed over on standard input, and forgotten.

use secrecy::{ExposeSecret, SecretString};

use super::{LOOK, RunStep, Source, last_line, lines};
use crate::engine::action::{ActionError, Context};
use crate::model::resolved::PlacedTake;
use crate::transport::{Input, Output, TransportError};

/// Values by their variables.
#[derive(Debug, Default)]
pub(super) struct Taken(Vec<Value>);

#[derive(Debug)]
struct Value {
    name: String,
    text: SecretString,
    secret: bool,
}

impl Taken {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|value| value.name.as_str())
    }

    /// Returns the values as standard input, a line each.
    pub(super) fn input(&self) -> Input {
        if self.0.is_empty() {
            return Input::Empty;
        }
        let lines = self.0.iter();
        let lines = lines.map(|value| format!("{}\n", value.text.expose_secret()));
        Input::Secret(lines.collect::<String>().into())
    }

    /// Returns a line without the secrets among the values.
    pub(super) fn mask(&self, line: &str) -> String {
        let secrets = self.0.iter().filter(|value| value.secret);
        secrets.fold(line.to_owned(), |line, value| {
            line.replace(value.text.expose_secret(), &format!("‹{}›", value.name))
        })
    }
}

/// Asks for every value that the step takes.
pub(super) fn take(step: &RunStep, cx: &Context<'_>) -> Result<Taken, ActionError> {
    let mut values = Vec::new();
    for take in &step.tool.takes {
        let source = step.sources.get(&take.stack).ok_or_else(|| {
            ActionError::Bug(format!("no host of `{}` gives {}", take.stack, take.name))
        })?;
        values.push(Value {
            name: take.name.clone(),
            text: ask(take, source, cx)?.into(),
            secret: take.secret,
        });
    }
    Ok(Taken(values))
}

fn ask(take: &PlacedTake, source: &Source, cx: &Context<'_>) -> Result<String, ActionError> {
    // The connection to the other host may have broken meanwhile; that says nothing of this one.
    let output =
        answer(take, source, cx, Way::Kept).or_else(|_| answer(take, source, cx, Way::Fresh))?;
    match last_line(&output).filter(|_| output.ok()) {
        Some(value) => Ok(value.trim().to_owned()),
        None => Err(ActionError::Situation {
            message: format!("{} does not say {}", source.host, take.name),
            evidence: lines(&output.complaint()),
            remedy: Some(format!(
                "see on {} what this says, in {}: `{}`; then run the same command again",
                source.host,
                source.compose.folder,
                take.run.join(" ")
            )),
            command: None,
        }),
    }
}

#[derive(Clone, Copy)]
enum Way {
    Kept,
    Fresh,
}

fn answer(
    take: &PlacedTake,
    source: &Source,
    cx: &Context<'_>,
    way: Way,
) -> Result<Output, TransportError> {
    let host = match way {
        Way::Kept => cx.peers.host(&source.host)?,
        Way::Fresh => cx.peers.renew(&source.host)?,
    };
    let words: Vec<&str> = take.run.iter().map(String::as_str).collect();
    source.compose.run_beside(host.as_ref(), &words, LOOK)
}
