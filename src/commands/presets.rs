//! `presets`: what can be deployed, and what one preset asks.

use super::{Session, drive};
use crate::cli::PresetsArgs;
use crate::model::failure::Failure;
use crate::model::ids::PresetId;
use crate::model::preset::{Page, QuestionKind};
use crate::presets::{PresetError, PresetSummary, Presets, QuestionSummary, describe};
use crate::report::{Paint, Tone};

/// Pages in the order they are asked, with their headings.
const PAGES: [(Page, &str); 8] = [
    (Page::Option, "Option"),
    (Page::Images, "Images"),
    (Page::Hosts, "Hosts"),
    (Page::Sizing, "Sizing"),
    (Page::Application, "Application"),
    (Page::Auth, "Login"),
    (Page::Tls, "Certificates"),
    (Page::Review, "Review"),
];

/// How wide text may run.
const WIDTH: usize = 100;

/// Prints all presets, or one in full.
///
/// # Errors
/// Fails when a preset cannot be read or there is none of this name.
pub(super) fn run(session: &Session, args: &PresetsArgs) -> Result<u8, Failure> {
    let presets = session.presets();
    let paint = session.printer.out_paint();
    let lines = if let Some(id) = &args.id {
        let preset = describe(presets.load(id)?.as_ref());
        if args.json {
            vec![as_json(&preset)?]
        } else {
            described(&preset, paint)
        }
    } else {
        let all = every(&presets)?;
        if args.json {
            vec![as_json(&all)?]
        } else {
            listed(&all, paint)
        }
    };
    for line in lines {
        session.printer.data(&line);
    }
    Ok(0)
}

/// Returns every preset, by id.
fn every(presets: &Presets) -> Result<Vec<PresetSummary>, PresetError> {
    let load = |id: &PresetId| Ok(describe(presets.load(id)?.as_ref()));
    presets.ids().iter().map(load).collect()
}

/// Returns a value as one line of JSON.
fn as_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| drive::bug(&format!("a preset cannot be written as JSON: {error}")))
}

/// Returns the list of presets.
fn listed(presets: &[PresetSummary], paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for preset in presets {
        lines.push(paint.tone(Tone::Strong, &preset.id));
        lines.push(format!("    {}", preset.title));
        lines.extend(wrapped(&format!("needs {}", preset.needs), 4));
        lines.push(String::new());
    }
    lines.push("`syntho-installer presets ID` describes one".to_owned());
    lines.push("`syntho-installer answers example ID` prints an answers file for it".to_owned());
    lines
}

/// Returns one preset in full: what it is, its roles, questions, images and steps.
fn described(preset: &PresetSummary, paint: Paint) -> Vec<String> {
    let strong = |text: &str| paint.tone(Tone::Strong, text);
    let mut lines = vec![strong(&format!("{} ({})", preset.title, preset.id))];
    lines.extend(wrapped(&preset.summary, 2));
    lines.extend(wrapped(&format!("Needs {}", preset.needs), 2));
    lines.push(format!("  Guide: {}", preset.guide));
    lines.push(String::new());
    lines.push(strong("Roles"));
    for role in &preset.roles {
        lines.push(format!(
            "  {} ({} of them): {}",
            role.id, role.count, role.title
        ));
        lines.extend(wrapped(&role.help, 6));
    }
    for (page, heading) in PAGES {
        let asked: Vec<&QuestionSummary> = preset
            .questions
            .iter()
            .filter(|question| question.page == page)
            .collect();
        if !asked.is_empty() {
            lines.push(String::new());
            lines.push(strong(&format!("Questions: {heading}")));
            lines.extend(asked.iter().flat_map(|question| asks(question, paint)));
        }
    }
    lines.push(String::new());
    lines.push(strong("Images"));
    for image in &preset.images {
        let reference = image.reference.replace("{{ ", "<").replace(" }}", ">");
        lines.push(format!("  {}: {} ({reference})", image.id, image.title));
    }
    if !preset.steps.is_empty() {
        lines.push(String::new());
        lines.push(strong("Steps"));
    }
    for step in &preset.steps {
        let mut facts = vec![format!("on {}", step.role)];
        facts.extend(step.when.iter().map(|when| format!("only when {when}")));
        if step.reverts {
            facts.push("taken back by destroy".to_owned());
        }
        let facts = paint.tone(Tone::Faint, &format!("({})", facts.join("; ")));
        lines.push(format!(
            "  {}/{}: {} {facts}",
            step.stack, step.id, step.title
        ));
    }
    lines
}

/// Returns one question: what it takes and what it is for.
fn asks(question: &QuestionSummary, paint: Paint) -> Vec<String> {
    let mut facts = vec![kind(question.kind).to_owned()];
    if !question.choices.is_empty() {
        facts.push(question.choices.join(" | "));
    }
    if let Some(default) = question.default.as_deref().filter(|text| !text.is_empty()) {
        facts.push(default_of(default));
    } else if question.generated {
        facts.push("made when none is given".to_owned());
    } else if question.optional {
        facts.push("may be left out".to_owned());
    } else {
        facts.push("required".to_owned());
    }
    if let Some(when) = &question.when {
        facts.push(format!("only when {when}"));
    }
    let facts = paint.tone(Tone::Faint, &format!("({})", facts.join("; ")));
    let mut lines = vec![format!("  {}: {} {facts}", question.id, question.prompt)];
    lines.extend(wrapped(&question.help, 6));
    lines
}

/// Returns a default, in words where it is worked out from other answers.
fn default_of(default: &str) -> String {
    if default.contains("{{") || default.contains("{%") {
        "default follows other answers".to_owned()
    } else {
        format!("default {default}")
    }
}

/// Returns what a kind of question takes, in words.
fn kind(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Text => "text",
        QuestionKind::Choice => "one of",
        QuestionKind::Boolean => "true or false",
        QuestionKind::Integer => "whole number",
        QuestionKind::Port => "port",
        QuestionKind::Host => "host name or address",
        QuestionKind::Email => "email address",
        QuestionKind::Size => "size",
        QuestionKind::Cpus => "number of CPUs",
        QuestionKind::List => "list",
        QuestionKind::Url => "address",
        QuestionKind::File => "file",
        QuestionKind::Certificate => "certificate file",
        QuestionKind::PrivateKey => "private key file",
        QuestionKind::Secret => "secret",
    }
}

/// Returns text in lines of bounded width, set in.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    for word in text.split_whitespace() {
        let fresh = line.len() == indent;
        if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        } else if !fresh {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        let lines = wrapped(&"word ".repeat(30), 4);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert!(lines.iter().all(|line| line.starts_with("    word")));
    }
}
