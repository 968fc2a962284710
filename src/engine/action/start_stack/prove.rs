//! Proves that a stack can start with what stands on the host, by programs of its own, before any container of it is made or replaced.

use std::time::Duration;

use super::{ActionError, Context, StartStack};
use crate::model::plan::ByHand;
use crate::model::preset::Proof;
use crate::model::text::{shell_quoted, visible_lines};
use crate::transport::Output;

/// Limit for one proof; it may start a container of a large image for the first time.
const LIMIT: Duration = Duration::from_mins(5);
/// Lines of a proof's words kept.
const LINES: usize = 12;

/// Makes every proof in turn.
pub(super) fn prove(stack: &StartStack, cx: &Context<'_>) -> Result<(), ActionError> {
    for proof in &stack.proofs {
        cx.progress.line(&format!("proving: {}", proof.title));
        let words: Vec<&str> = proof.run.iter().map(String::as_str).collect();
        let output = stack.compose.run_beside(cx.host, &words, LIMIT)?;
        if !output.ok() {
            return Err(fails(proof, &output));
        }
        if let Some(said) = visible_lines(&output.text()).last() {
            cx.progress.line(&said);
        }
        if cx.progress.cancelled() {
            return Err(ActionError::Cancelled);
        }
    }
    Ok(())
}

fn fails(proof: &Proof, output: &Output) -> ActionError {
    let lines = |text: &str| -> Vec<String> {
        let lines = visible_lines(text).map(std::borrow::Cow::into_owned);
        lines.filter(|line| !line.trim().is_empty()).collect()
    };
    let said = lines(&output.text()).pop();
    let complaint = lines(&output.complaint());
    ActionError::Situation {
        message: said.unwrap_or_else(|| format!("this does not hold: {}", proof.title)),
        evidence: complaint[complaint.len().saturating_sub(LINES)..].to_vec(),
        remedy: Some(proof.remedy.clone()),
        command: None,
    }
}

/// Returns how somebody makes the same proofs by hand.
pub(super) fn by_hand(stack: &StartStack) -> Vec<ByHand> {
    let typed = |proof: &Proof| {
        let words: Vec<String> = proof.run.iter().map(|word| shell_quoted(word)).collect();
        let rights = stack.compose.rights.typed();
        [
            ByHand::Run(format!(
                "cd {} && {rights}{}",
                shell_quoted(&stack.compose.folder),
                words.join(" ")
            )),
            ByHand::Say(format!("It must say that this holds: {}.", proof.title)),
        ]
    };
    stack.proofs.iter().flat_map(typed).collect()
}
