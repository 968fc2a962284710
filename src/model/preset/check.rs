//! A preset held against itself: ids, references, rules and every template, tried on made-up deployments.
//!
//! It finds on the developer's table what would otherwise show on a customer's evening. [`crate::presets`] turns an entry into file and line.

mod adopts;
mod backups;
mod files;
mod lists;
mod names;
mod steps;
mod variants;

use std::sync::Arc;

use super::Preset;
use crate::model::template::{Assets, TemplateError};

/// Something wrong in a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry: `question.tls.default`, `rule[3]`, or a file under `assets/`.
    pub entry: String,
    /// The line, when the entry is a file.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    fn new(entry: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            entry: entry.into(),
            line: None,
            message: message.into(),
        }
    }
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        Self {
            entry: error.name,
            line: error.line,
            message: error.message,
        }
    }
}

impl Preset {
    /// Checks the preset against itself and tries every template on made-up deployments; returns each problem once.
    #[must_use]
    pub fn check(self: &Arc<Self>, assets: &Arc<dyn Assets>) -> Vec<Problem> {
        let mut problems = lists::check(self);
        // Templates are tried only on a preset whose parts fit together.
        if problems.is_empty() {
            problems = variants::check(self, assets);
        }
        let mut seen: Vec<Problem> = Vec::new();
        for problem in problems {
            if !seen.contains(&problem) {
                seen.push(problem);
            }
        }
        seen
    }
}
