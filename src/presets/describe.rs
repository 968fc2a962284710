//! What can be deployed, as data for `presets` and the wizard's first page.

use serde::Serialize;

use crate::model::preset::{Page, Preset, QuestionKind};

/// A preset for people and for `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PresetSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it gives.
    pub summary: String,
    /// What it needs.
    pub needs: String,
    /// The public guide it replaces.
    pub guide: String,
    /// What hosts are for.
    pub roles: Vec<RoleSummary>,
    /// What is asked.
    pub questions: Vec<QuestionSummary>,
    /// Its images.
    pub images: Vec<ImageSummary>,
    /// What is brought about by tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepSummary>,
}

/// A step by a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepSummary {
    /// Its stack.
    pub stack: String,
    /// Its id in the stack.
    pub id: String,
    /// The role on whose hosts it runs.
    pub role: String,
    /// What is so afterwards.
    pub title: String,
    /// When it is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether removing the deployment takes it back.
    pub reverts: bool,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RoleSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What it does.
    pub help: String,
    /// How many hosts.
    pub count: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct QuestionSummary {
    /// Its id.
    pub id: String,
    /// The wizard's page.
    pub page: Page,
    /// What kind of value it takes.
    pub kind: QuestionKind,
    /// Its label.
    pub prompt: String,
    /// What it is used for.
    pub help: String,
    /// The values of a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The value when nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// When it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether it may be left empty.
    pub optional: bool,
    /// Whether a value is made when none is given.
    pub generated: bool,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageSummary {
    /// Its id.
    pub id: String,
    /// What runs in it.
    pub title: String,
    /// How its reference is made.
    pub reference: String,
}

/// Describes a preset.
#[must_use]
pub fn describe(preset: &Preset) -> PresetSummary {
    let roles = preset.roles.iter().map(|role| RoleSummary {
        id: role.id.to_string(),
        title: role.title.clone(),
        help: role.help.clone(),
        count: role.count.clone(),
    });
    let questions = preset
        .parts
        .questions
        .iter()
        .map(|question| QuestionSummary {
            id: question.id.to_string(),
            page: question.page,
            kind: question.kind,
            prompt: question.prompt.clone(),
            help: question.help.clone(),
            choices: question.choices.clone(),
            default: question.default.clone(),
            when: question.when.clone(),
            optional: question.optional,
            generated: question.generate.is_some(),
        });
    let images = preset.parts.images.iter().map(|image| ImageSummary {
        id: image.id.to_string(),
        title: image.title.clone(),
        reference: image.reference.clone(),
    });
    PresetSummary {
        id: preset.id.to_string(),
        title: preset.title.clone(),
        summary: preset.summary.clone(),
        needs: preset.needs.clone(),
        guide: preset.guide.clone(),
        roles: roles.collect(),
        questions: questions.collect(),
        images: images.collect(),
        steps: steps(preset),
    }
}

fn steps(preset: &Preset) -> Vec<StepSummary> {
    let of_stacks = preset.parts.stacks.iter().flat_map(|stack| {
        let steps = stack.steps.iter();
        steps.map(|step| StepSummary {
            stack: stack.id.to_string(),
            id: step.id.to_string(),
            role: stack.role.to_string(),
            title: step.title.clone(),
            when: step.when.clone(),
            reverts: !step.revert.is_empty(),
        })
    });
    of_stacks.collect()
}
