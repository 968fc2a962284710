//! Values that a preset proposes from what the hosts are.
//!
//! Nothing is proposed before every host was seen: half of the hosts would give half of a reason.

use std::collections::BTreeMap;

use super::survey::{Applies, Asked, Proposal};
use crate::model::ids::QuestionId;
use crate::model::preset::{Preset, Propose, Question};
use crate::model::rules;
use crate::model::template::{HostView, Kind, Scope, TemplateError};

/// Adds what the preset proposes to the questions that are asked.
pub(super) fn propose(
    preset: &Preset,
    scope: &Scope,
    hosts: &[HostView],
    asked: &mut BTreeMap<QuestionId, Asked>,
) {
    if hosts.is_empty() || hosts.iter().any(|host| host.size.is_none()) {
        return;
    }
    for question in &preset.parts.questions {
        let (Some(proposed), Some(asked)) = (&question.propose, asked.get_mut(&question.id)) else {
            continue;
        };
        if asked.applies == Applies::Yes {
            // A role without a host gives no reason; a broken template is found by the preset's own check.
            asked.proposal = render(question, proposed, scope).ok();
        }
    }
}

/// Renders a proposal.
///
/// # Errors
/// Fails when a template does not render, or the value breaks the question's own rule.
pub(in crate::model) fn render(
    question: &Question,
    proposed: &Propose,
    scope: &Scope,
) -> Result<Proposal, TemplateError> {
    let name = format!("question.{}.propose", question.id);
    let text = |template: &str| scope.render(Kind::Text, &name, template);
    let value = text(&proposed.value)?;
    rules::from_text(question, &value).map_err(|broken| TemplateError {
        name: name.clone(),
        line: None,
        message: format!("proposes `{value}`, which {}", broken.rule),
    })?;
    let warning = proposed.warning.as_deref().map(text).transpose()?;
    Ok(Proposal {
        value,
        because: text(&proposed.because)?,
        warning: warning.filter(|warning| !warning.trim().is_empty()),
    })
}
