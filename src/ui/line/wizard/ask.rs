//! One field put as a question, again until the answer keeps the rules or the operator moves on.

use secrecy::ExposeSecret;

use super::Answered;
use super::asker::{Asker, Reply};
use crate::model::ids::QuestionId;
use crate::ui::desk::{Desk, words};
use crate::wizard::{Choice, Field, FieldKind, SecretState, SourceKind, Wizard};

/// Asks one field.
pub(super) fn field(desk: &mut Desk, asker: &mut dyn Asker, field: &Field) -> Answered {
    match &field.kind {
        FieldKind::Secret(state) => match field.key.as_secret() {
            Some(id) => secret(desk, asker, field, &id, state),
            None => Answered::Next,
        },
        FieldKind::Choice(choices) => choice(desk, asker, field, choices),
        FieldKind::Text | FieldKind::Path(_) | FieldKind::List => text(desk, asker, field),
    }
}

/// Returns the index of a choice given as its number, counted from 1.
pub(super) fn numbered(text: &str, count: usize) -> Option<usize> {
    let number: usize = text.trim().trim_end_matches([')', '.']).parse().ok()?;
    (1..=count).contains(&number).then(|| number - 1)
}

/// Says what is proposed from what the hosts are.
fn propose(field: &Field, asker: &mut dyn Asker) {
    let Some(proposal) = &field.proposal else {
        return;
    };
    asker.say(&format!(
        "  proposed: {} ({}); `=` takes it",
        proposal.value, proposal.because
    ));
    if let Some(warning) = &proposal.warning {
        asker.say(&format!("  beware: {warning}"));
    }
}

/// Says what a field is.
pub(super) fn explain(field: &Field, asker: &mut dyn Asker) {
    asker.say(&format!("  {}", field.help));
    asker.say(&format!("  for example: {}", field.example));
    if field.optional {
        asker.say("  it may be left empty");
    }
}

fn text(desk: &mut Desk, asker: &mut dyn Asker, field: &Field) -> Answered {
    propose(field, asker);
    let prompt = if field.optional && field.effective().is_none() {
        format!("{} (may be empty)", field.prompt)
    } else {
        field.prompt.clone()
    };
    loop {
        let typed = match asker.text(&prompt, field.effective()) {
            Reply::Text(text) => text,
            Reply::Back => return Answered::Back,
            Reply::Leave => return Answered::Leave,
        };
        let value = match typed.trim() {
            "<" => return Answered::Back,
            ">" => return Answered::NextPage,
            "?" => {
                explain(field, asker);
                continue;
            }
            "-" => "",
            "=" if field.proposal.is_some() => field
                .proposal
                .as_ref()
                .map_or("", |proposal| proposal.value.as_str()),
            text => text,
        };
        if accepted(desk, asker, field, value) {
            return Answered::Next;
        }
    }
}

/// Accepts an answer that keeps the rules; says which it breaks otherwise.
fn accepted(desk: &mut Desk, asker: &mut dyn Asker, field: &Field, value: &str) -> bool {
    match desk.trouble_with(field, value) {
        None => {
            desk.accept(field, value);
            true
        }
        Some(trouble) => {
            asker.say(&format!("  not accepted: {}", trouble.rule));
            if let Some(example) = trouble.example {
                asker.say(&format!("  for example: {example}"));
            }
            false
        }
    }
}

fn choice(desk: &mut Desk, asker: &mut dyn Asker, field: &Field, choices: &[Choice]) -> Answered {
    asker.say(&format!("{}:", field.prompt));
    for (number, choice) in choices.iter().enumerate() {
        let meaning = choice.meaning.as_deref();
        let meaning = meaning.map_or_else(String::new, |meaning| format!(": {meaning}"));
        asker.say(&format!("  {}) {}{meaning}", number + 1, choice.value));
    }
    let own = choices
        .iter()
        .position(|choice| Some(choice.value.as_str()) == field.effective());
    let own = own.map(|own| (own + 1).to_string());
    loop {
        let typed = match asker.text("Number", own.as_deref()) {
            Reply::Text(text) => text,
            Reply::Back => return Answered::Back,
            Reply::Leave => return Answered::Leave,
        };
        let typed = typed.trim();
        let by_name = choices.iter().position(|choice| choice.value == typed);
        match (typed, numbered(typed, choices.len()).or(by_name)) {
            ("<", _) => return Answered::Back,
            (">", _) => return Answered::NextPage,
            ("?", _) => explain(field, asker),
            (_, Some(number)) => {
                if accepted(desk, asker, field, &choices[number].value) {
                    return Answered::Next;
                }
            }
            _ => asker.say(&format!("  it is a number from 1 to {}", choices.len())),
        }
    }
}

fn secret(
    desk: &mut Desk,
    asker: &mut dyn Asker,
    field: &Field,
    id: &QuestionId,
    state: &SecretState,
) -> Answered {
    asker.say(&format!("{}: {}", field.prompt, words::secret(state)));
    asker.say("  1) leave it as it is");
    for (number, kind) in SourceKind::ALL.iter().enumerate() {
        asker.say(&format!("  {}) {}", number + 2, kind.title()));
    }
    let default = if state.is_wanting() { "2" } else { "1" };
    loop {
        let typed = match asker.text("Number", Some(default)) {
            Reply::Text(text) => text,
            Reply::Back => return Answered::Back,
            Reply::Leave => return Answered::Leave,
        };
        match (typed.trim(), numbered(&typed, SourceKind::ALL.len() + 1)) {
            ("<", _) => return Answered::Back,
            (">", _) => return Answered::NextPage,
            ("?", _) => asker.say(&format!("  {}", field.help)),
            ("-", _) => {
                desk.wizard.clear_secret(id);
                return Answered::Next;
            }
            (_, Some(0)) => return Answered::Next,
            (_, Some(number)) => match given(desk, asker, field, id, SourceKind::ALL[number - 1]) {
                Answered::Back => {}
                done => return done,
            },
            _ => asker.say("  it is a number from 1 to 5"),
        }
    }
}

/// Takes a secret, or where it comes from.
fn given(
    desk: &mut Desk,
    asker: &mut dyn Asker,
    field: &Field,
    id: &QuestionId,
    kind: SourceKind,
) -> Answered {
    if kind == SourceKind::Typed {
        return typed(desk, asker, field, id);
    }
    match asker.text("Which", Some(&kind.example(id))) {
        Reply::Text(text) => match Wizard::source_of(kind, &text) {
            Some(source) => {
                desk.wizard.accept_source(id, source);
                Answered::Next
            }
            None => Answered::Back,
        },
        Reply::Back => Answered::Back,
        Reply::Leave => Answered::Leave,
    }
}

fn typed(desk: &mut Desk, asker: &mut dyn Asker, field: &Field, id: &QuestionId) -> Answered {
    loop {
        match asker.secret(&field.prompt) {
            Reply::Text(value) if value.expose_secret().is_empty() => return Answered::Back,
            Reply::Text(value) => match desk.wizard.accept_secret(id, &value) {
                Ok(()) => return Answered::Next,
                Err(broken) => asker.say(&format!("  not accepted: {}", broken.rule)),
            },
            Reply::Back => return Answered::Back,
            Reply::Leave => return Answered::Leave,
        }
    }
}
