//! An answers file in the making: everything that is known of it, whether or not it is good.
//!
//! [`super::validate`] wants a file without a fault; whoever fills one in wants to know which questions are asked now, what their defaults are, what the
//! hosts let us propose, and every fault with the key it belongs to. Both come from the same walk through the preset.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Surroundings, Unasked, adopted, answers, base_scope, hosts, images, proposals, secrets,
};
use crate::model::answers::AnswersFile;
use crate::model::deployment::Deployment;
use crate::model::facts::HostFacts;
use crate::model::fault::Fault;
use crate::model::ids::{ImageId, QuestionId};
use crate::model::image::ImageRef;
use crate::model::preset::{Preset, QuestionKind};
use crate::model::secret::Secrets;
use crate::model::template::Scope;

/// What is known of answers that may be incomplete or wrong.
#[derive(Debug)]
pub struct Survey {
    /// The deployment as far as its answers are good.
    pub deployment: Deployment,
    /// Every rule that is broken; empty when the deployment is whole.
    pub faults: Vec<Fault>,
    /// Each question, secrets too.
    pub asked: BTreeMap<QuestionId, Asked>,
    /// Full references of the images that are wanted now.
    pub references: BTreeMap<ImageId, ImageRef>,
}

/// What is known of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Whether it is asked.
    pub applies: Applies,
    /// The value when nothing is said.
    pub default: Option<String>,
    /// What the hosts let us propose.
    pub proposal: Option<Proposal>,
    /// For a secret: whether one is made when none is given.
    pub made: bool,
}

/// Whether a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// It is.
    Yes,
    /// It is not, as things are.
    No,
    /// It depends on an answer that is not good yet.
    Unknown,
}

/// A value proposed from what the hosts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The value, as it would be typed.
    pub value: String,
    /// Why this much.
    pub because: String,
    /// What to beware of.
    pub warning: Option<String>,
}

/// Holds `file` against `preset`, with `facts` of the hosts that were seen already.
#[must_use]
pub fn survey(
    file: &AnswersFile,
    preset: &Arc<Preset>,
    around: &Surroundings<'_>,
    facts: &[HostFacts],
    unasked: Unasked,
) -> Survey {
    let mut faults = Vec::new();
    let hosts = hosts::check(file, preset, around.files, &mut faults);
    let views: Vec<_> = hosts
        .iter()
        .map(|host| super::seen_view(host, facts))
        .collect();
    let base = base_scope(file.name.as_str(), &hosts).with_hosts(views.clone());
    let (mut checked, scope) = answers::check(file, preset, around, &base, unasked, &mut faults);
    let images = images::check(file, preset, around.files, &scope, &mut faults);
    let references = images::references(preset, &images, &scope).0;
    let scope = super::with_values(preset, scope.with_images(images::texts(&references)));
    answers::check_rules(preset, &scope, &checked, &mut faults);
    answers::check_host_rules(preset, &scope, &checked, &views, &mut faults);
    secrets::check(file, preset, &mut faults);
    adopted::check(file, preset, &mut faults);
    ask_for_secrets(preset, &scope, &mut checked.asked);
    proposals::propose(preset, &scope, &views, &mut checked.asked);
    Survey {
        deployment: Deployment {
            name: file.name.clone(),
            preset: Arc::clone(preset),
            hosts,
            images,
            answers: checked.given,
            secrets: Secrets::default(),
            base_folder: super::BASE_FOLDER.to_owned(),
            adopted: file.adopted.clone(),
        },
        faults,
        asked: checked.asked,
        references,
    }
}

/// Adds the secrets; they come last because nothing but templates of files sees them.
fn ask_for_secrets(preset: &Preset, scope: &Scope, asked: &mut BTreeMap<QuestionId, Asked>) {
    for question in &preset.parts.questions {
        if question.kind != QuestionKind::Secret {
            continue;
        }
        let name = format!("question.{}.when", question.id);
        let applies = match scope.holds(&name, question.when.as_deref()) {
            Ok(true) => Applies::Yes,
            Ok(false) => Applies::No,
            Err(_) => Applies::Unknown,
        };
        let made = question.generate.is_some()
            && scope.holds(&name, question.generate_when.as_deref()) == Ok(true);
        let secret = Asked {
            applies,
            default: None,
            proposal: None,
            made,
        };
        asked.insert(question.id.clone(), secret);
    }
}
