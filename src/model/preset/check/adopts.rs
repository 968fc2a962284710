//! What is known of stacks that were set up by hand: it names stacks, questions and images that there are, and its expressions can be read.

use super::Problem;
use crate::model::adopt::{self, ByHand};
use crate::model::preset::{Preset, QuestionKind};

/// Checks every `[[adopt]]`.
pub(super) fn check(preset: &Preset, problems: &mut Vec<Problem>) {
    for entry in &preset.parts.adopts {
        let mut complain = |key: &str, message: String| {
            problems.push(Problem::new(format!("adopt.{}.{key}", entry.id), message));
        };
        match preset.stack(&entry.stack) {
            None => complain("stack", format!("there is no stack `{}`", entry.stack)),
            Some(stack) => {
                let strange = entry.images.keys().filter(|id| !stack.images.contains(id));
                // One entry serves presets whose stack has an image more or less.
                for id in
                    strange.filter(|id| preset.parts.images.iter().all(|image| image.id != **id))
                {
                    complain("images", format!("there is no image `{id}`"));
                }
            }
        }
        let is_secret = |id| {
            preset
                .question(id)
                .map(|question| question.kind == QuestionKind::Secret)
        };
        for id in entry
            .answers
            .keys()
            .filter(|id| is_secret(id) != Some(false))
        {
            complain(
                "answers",
                format!("`{id}` is no question, or one for a secret"),
            );
        }
        for id in entry
            .secrets
            .keys()
            .filter(|id| is_secret(id) != Some(true))
        {
            complain("secrets", format!("`{id}` is no question for a secret"));
        }
        let nothing = ByHand::default();
        let broken = [
            adopt::fits(preset, entry, &nothing).err(),
            adopt::answers(entry, &nothing).err(),
            adopt::secrets(entry, &nothing).err(),
            adopt::traps(entry, &nothing).err(),
        ];
        problems.extend(broken.into_iter().flatten().map(Problem::from));
    }
}
