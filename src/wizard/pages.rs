//! The pages in their order, and which fields stand on each now.

use super::answers::{by_page, is_of};
use super::field::{Choice, Field, FieldKind, Key, PathUse, SecretState};
use super::fixed;
use super::hosts::HostPart;
use super::{Around, Wizard, secrets};
use crate::model::preset::{Page, Preset, Question, QuestionKind};
use crate::model::rules;
use crate::model::validate::{Applies, Asked, Survey};

/// Every page, in order.
pub const PAGES: [Page; 8] = [
    Page::Option,
    Page::Images,
    Page::Hosts,
    Page::Sizing,
    Page::Application,
    Page::Auth,
    Page::Tls,
    Page::Review,
];

/// Returns a page's name for people.
#[must_use]
pub fn title(page: Page) -> &'static str {
    match page {
        Page::Option => "Option",
        Page::Images => "Images",
        Page::Hosts => "Hosts",
        Page::Sizing => "Sizing",
        Page::Application => "Application",
        Page::Auth => "Login",
        Page::Tls => "Certificate",
        Page::Review => "Review",
    }
}

/// Returns the fields of a page, their faults not yet filled in.
pub(super) fn fields(
    wizard: &Wizard,
    page: Page,
    survey: Option<&Survey>,
    around: &Around<'_>,
) -> Vec<Field> {
    let mut fields = match (page, survey) {
        (Page::Option, _) => fixed::option(),
        (Page::Images, Some(survey)) => fixed::images(wizard, survey, around),
        (Page::Hosts, Some(_)) => hosts(wizard, around),
        _ => Vec::new(),
    };
    if let (Some(preset), Some(survey)) = (wizard.preset(), survey) {
        let questions = by_page(preset).into_iter();
        let here = questions.filter(|question| is_of(question, page));
        fields.extend(here.filter_map(|question| {
            let asked = survey.asked.get(&question.id)?;
            (asked.applies == Applies::Yes).then(|| of_question(wizard, question, asked, around))
        }));
    }
    for field in &mut fields {
        field.value = wizard.draft().text(&field.key).map(str::to_owned);
    }
    fields
}

/// Returns the login defaults and then every part of every host.
fn hosts(wizard: &Wizard, around: &Around<'_>) -> Vec<Field> {
    let mut fields = fixed::login(wizard, around);
    for number in 0..wizard.draft().hosts.len() {
        fields.extend(HostPart::ALL.map(|part| fixed::host_part(wizard, number, part)));
    }
    fields
}

fn of_question(wizard: &Wizard, question: &Question, asked: &Asked, around: &Around<'_>) -> Field {
    let is_secret = question.kind == QuestionKind::Secret;
    let key = if is_secret {
        Key::secret(&question.id)
    } else {
        Key::answer(&question.id)
    };
    let kind = match question.kind {
        QuestionKind::Secret => FieldKind::Secret(secret_state(wizard, question, asked, around)),
        QuestionKind::Choice => FieldKind::Choice(choices(question)),
        QuestionKind::Boolean => FieldKind::Choice(fixed::yes_or_no()),
        QuestionKind::File => FieldKind::Path(PathUse::File),
        QuestionKind::Certificate => FieldKind::Path(PathUse::Certificate),
        QuestionKind::PrivateKey => FieldKind::Path(PathUse::PrivateKey),
        QuestionKind::List => FieldKind::List,
        _ => FieldKind::Text,
    };
    Field {
        key,
        kind,
        prompt: question.prompt.clone(),
        help: question.help.clone(),
        example: rules::example_of(question),
        default: asked.default.clone(),
        value: None,
        optional: question.optional,
        proposal: asked.proposal.clone(),
        trouble: None,
    }
}

fn secret_state(
    wizard: &Wizard,
    question: &Question,
    asked: &Asked,
    around: &Around<'_>,
) -> SecretState {
    let left_alone = if asked.made {
        SecretState::Made
    } else if question.optional {
        SecretState::Optional
    } else {
        SecretState::Missing
    };
    secrets::state(wizard, &question.id, left_alone, around)
}

/// Returns the choices, each with what the help says of it: a help of the form `one: this. other: that` explains its choices one by one.
fn choices(question: &Question) -> Vec<Choice> {
    question
        .choices
        .iter()
        .map(|value| Choice {
            value: value.clone(),
            meaning: meaning(question, value),
        })
        .collect()
}

fn meaning(question: &Question, value: &str) -> Option<String> {
    let help = &question.help;
    let marks: Vec<(usize, usize)> = question
        .choices
        .iter()
        .filter_map(|choice| {
            let mark = format!("{choice}: ");
            let at = if help.starts_with(&mark) {
                0
            } else {
                help.find(&format!(". {mark}"))? + 2
            };
            Some((at, at + mark.len()))
        })
        .collect();
    let own = question.choices.iter().position(|choice| choice == value)?;
    if marks.len() != question.choices.len() {
        return None;
    }
    let (_, begin) = *marks.get(own)?;
    let end = marks
        .iter()
        .map(|(at, _)| *at)
        .filter(|at| *at > begin)
        .min()
        .unwrap_or(help.len());
    Some(
        help.get(begin..end)?
            .trim()
            .trim_end_matches('.')
            .to_owned(),
    )
}

/// Returns how many hosts a role wants, in words.
pub(super) fn wanted(preset: &Preset, role: usize) -> String {
    match preset
        .roles
        .get(role)
        .and_then(crate::model::preset::Role::bounds)
    {
        Some((least, Some(most))) if least == most => format!("exactly {least}"),
        Some((least, Some(most))) => format!("{least} to {most}"),
        Some((0, None)) => "any number".to_owned(),
        Some((least, None)) => format!("{least} or more"),
        None => String::new(),
    }
}
