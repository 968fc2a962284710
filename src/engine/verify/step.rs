//! Whether what a tool brought about is still so, by the step's own probe.

use super::exec::words;
use super::{Finding, Verification, unreachable};
use crate::engine::planner;
use crate::model::resolved::{PlacedStack, PlacedStep};
use crate::model::text::visible_lines;
use crate::transport::{Output, TransportError};

/// Limit for one try.
const LIMIT: std::time::Duration = std::time::Duration::from_mins(2);

pub(super) fn look(
    verification: &Verification<'_>,
    stack: &PlacedStack,
    step: &PlacedStep,
) -> Finding {
    let compose = match planner::compose(verification.facts, verification.rights, stack) {
        Ok(compose) => compose,
        Err(error) => return Finding::fail(error.to_string()).certainly(),
    };
    let ask = || -> Result<Output, TransportError> {
        let host = verification.links.host(&stack.host)?;
        let probe: Vec<&str> = step.probe.iter().map(String::as_str).collect();
        compose.run_beside(host.as_ref(), &probe, LIMIT)
    };
    match ask() {
        Ok(output) => judge(&output),
        Err(error) => unreachable(&error),
    }
}

fn judge(output: &Output) -> Finding {
    let text = output.text();
    let said = visible_lines(&text).filter(|line| !line.trim().is_empty());
    let said = said.last();
    if output.ok() {
        return Finding::pass(said.map_or("it is so".to_owned(), std::borrow::Cow::into_owned));
    }
    match said {
        Some(said) => Finding::fail(said).because(output.complaint()),
        None => Finding::fail("it is not so").because(words(output)),
    }
}
