//! Answers with another certificate: the file's own text with the fewest keys changed, its comments kept.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::edit::with_answer;
use super::{FolderFiles, Surroundings};
use crate::model::answers;
use crate::model::deployment::{AnswerValue, Deployment};
use crate::model::preset::{Preset, Question, QuestionKind};
use crate::model::validate::{self, Applies, Pair, Unasked};

/// A certificate and its key, where they are on the operator's machine.
#[derive(Debug, Clone, Copy)]
pub struct PairFiles<'a> {
    /// The certificate.
    pub certificate: &'a Utf8Path,
    /// Its key.
    pub key: &'a Utf8Path,
}

/// Returns the answers `text` with this certificate, in a way in which they ask for one; `None` when there is none.
///
/// Whether the certificate is good is not judged here: reading the answers does.
#[must_use]
pub fn with_certificate(
    text: &str,
    folder: &Utf8Path,
    preset: &Arc<Preset>,
    files: PairFiles<'_>,
    around: &Surroundings<'_>,
) -> Option<String> {
    let pair = validate::pair(preset)?;
    let given = with_answer(
        text,
        pair.certificate.id.as_str(),
        files.certificate.as_str(),
    )?;
    let given = with_answer(&given, pair.key.id.as_str(), files.key.as_str())?;
    let asks = |text: &String| asks(text, folder, preset, pair, around);
    let ways = ways(preset, pair.certificate);
    let other =
        ways.filter_map(|(question, choice)| with_answer(&given, question.id.as_str(), choice));
    std::iter::once(given.clone()).chain(other).find(asks)
}

/// Returns the answers `text` with the certificate that `now`, another state of the same deployment, was given: it belongs to no release, and coming back
/// from one must not bring back a certificate that was replaced since.
#[must_use]
pub fn with_certificate_of(
    now: (&Deployment, &Utf8Path),
    text: &str,
    folder: &Utf8Path,
    around: &Surroundings<'_>,
) -> String {
    carried(now, text, folder, around).unwrap_or_else(|| text.to_owned())
}

fn carried(
    (now, its_folder): (&Deployment, &Utf8Path),
    text: &str,
    folder: &Utf8Path,
    around: &Surroundings<'_>,
) -> Option<String> {
    let pair = validate::pair(&now.preset)?;
    let given = |question: &Question| match now.answers.get(&question.id) {
        // As it is written, where both read it from the same place.
        Some(AnswerValue::Text(path)) if its_folder == folder || path.starts_with('~') => {
            Some(Utf8PathBuf::from(path))
        }
        Some(AnswerValue::Text(path)) => Some(its_folder.join(path)),
        _ => None,
    };
    let (certificate, key) = (given(pair.certificate)?, given(pair.key)?);
    let files = PairFiles {
        certificate: &certificate,
        key: &key,
    };
    with_certificate(text, folder, &now.preset, files, around)
}

/// Returns each way to answer the choices that stand on the certificate's page: one of them decides whether it is asked for.
fn ways<'p>(
    preset: &'p Preset,
    certificate: &'p Question,
) -> impl Iterator<Item = (&'p Question, &'p str)> {
    let questions = preset.parts.questions.iter();
    let choices = questions.filter(|question| {
        question.kind == QuestionKind::Choice && question.page == certificate.page
    });
    choices.flat_map(|question| {
        let choices = question.choices.iter();
        choices.map(move |choice| (question, choice.as_str()))
    })
}

/// Returns whether these answers ask for the certificate and its key.
fn asks(
    text: &str,
    folder: &Utf8Path,
    preset: &Arc<Preset>,
    pair: Pair<'_>,
    around: &Surroundings<'_>,
) -> bool {
    let Some(file) = answers::read("answers", text).file else {
        return false;
    };
    let files = FolderFiles::new(folder, around.home.as_deref());
    let around = validate::Surroundings {
        files: &files,
        now: around.now,
    };
    let survey = validate::survey(&file, preset, &around, &[], Unasked::Leave);
    [pair.certificate, pair.key].iter().all(|question| {
        let asked = survey.asked.get(&question.id);
        asked.is_some_and(|asked| asked.applies == Applies::Yes)
    })
}

#[cfg(test)]
mod tests;
