//! An answers file generated from a preset: valid, commented, ready to be edited.

use std::fmt::Write as _;

use crate::model::preset::{Preset, Question, QuestionKind};
use crate::model::rules;
use crate::model::sample;
use crate::model::secret::variable_of;

/// Width at which comments are broken.
const WIDTH: usize = 100;

/// Returns a commented answers file for `preset` that is valid as it stands, once its secrets are given.
#[must_use]
pub fn answers_example(preset: &Preset) -> String {
    let mut text = String::new();
    comment(&mut text, &format!("{}: {}", preset.title, preset.summary));
    comment(&mut text, &format!("Needs {}", preset.needs));
    line(&mut text, "");
    line(&mut text, "version = 1");
    line(&mut text, "name = \"acme-prod\"");
    line(&mut text, &format!("preset = \"{}\"", preset.id));
    images(&mut text, preset);
    ssh(&mut text);
    hosts(&mut text, preset);
    answers(&mut text, preset);
    secrets(&mut text, preset);
    text
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// Adds a comment, broken into lines at words.
fn comment(text: &mut String, content: &str) {
    let mut width = WIDTH;
    for word in content.split_whitespace() {
        if width + 1 + word.len() > WIDTH {
            if text.ends_with(|c| c != '\n') {
                text.push('\n');
            }
            text.push('#');
            width = 1;
        }
        // Writing into a `String` cannot fail.
        let _ = write!(text, " {word}");
        width += 1 + word.len();
    }
    text.push('\n');
}

fn images(text: &mut String, preset: &Preset) {
    line(text, "\n[images]");
    comment(
        text,
        "registry: each host pulls. present: they are on the hosts already. bundle: from an archive here.",
    );
    line(text, "source = \"registry\"");
    line(text, "tag = \"1.9.0\"");
    comment(
        text,
        "The registry's host, and the user to log in with; its password is the secret `registry-password`.",
    );
    line(text, "# registry = \"registry.acme.example\"");
    line(text, "# username = \"acme\"");
    line(
        text,
        "# When one host alone has a way to the registry, images come through it to this machine and from here to all:",
    );
    line(text, "# through = \"ui\"");
    if let Some(image) = preset.parts.images.first() {
        comment(text, "Any image may be given whole:");
        line(
            text,
            &format!(
                "# refs = {{ {} = \"registry.acme.example/{}:1.9.0\" }}",
                image.id, image.id
            ),
        );
    }
}

fn ssh(text: &mut String) {
    line(text, "\n[ssh]");
    comment(
        text,
        "How to log in; each host may have any of these keys itself.",
    );
    line(text, "user = \"deploy\"");
    line(text, "# port = 22");
    line(text, "# key = \"~/.ssh/id_ed25519\"");
    line(text, "# jump = \"bastion.acme.example\"");
    line(text, "# sudo = \"auto\"");
}

fn hosts(text: &mut String, preset: &Preset) {
    let mut number = 0;
    for role in &preset.roles {
        let (least, most) = role.bounds().unwrap_or((1, Some(1)));
        let count = most.unwrap_or(least.max(1));
        for ordinal in 1..=count {
            let name = if most == Some(1) {
                role.id.to_string()
            } else {
                format!("{}-{ordinal}", role.id)
            };
            line(text, "");
            comment(
                text,
                &format!("{} ({}): {}", role.title, how_many(least, most), role.help),
            );
            line(text, "[[hosts]]");
            line(text, &format!("name = \"{name}\""));
            line(text, &format!("address = \"{}\"", sample::address(number)));
            line(text, &format!("roles = [\"{}\"]", role.id));
            if number == 0 {
                comment(text, "How the other hosts reach it; found when left out:");
                line(
                    text,
                    &format!("# private-address = \"{}\"", sample::address(number)),
                );
                comment(
                    text,
                    "Needed when nobody is there to confirm it and known_hosts does not hold it:",
                );
                line(
                    text,
                    "# host-key = \"SHA256:uNiVztksCsDhcc0u9e8BrVbCG4mVMC9yBgl1ZXIwPzk\"",
                );
            }
            number += 1;
        }
    }
}

/// Returns how many hosts a role takes, in words.
fn how_many(least: usize, most: Option<usize>) -> String {
    match (least, most) {
        (least, Some(most)) if least == most => format!("exactly {least}"),
        (least, Some(most)) => format!("{least} to {most}"),
        (0, None) => "any number of these, or none".to_owned(),
        (least, None) => format!("{least} or more of these"),
    }
}

fn answers(text: &mut String, preset: &Preset) {
    line(text, "\n[answers]");
    let open = |question: &&Question| question.kind != QuestionKind::Secret;
    let mut questions: Vec<&Question> = preset.parts.questions.iter().filter(open).collect();
    questions.sort_by_key(|question| question.page);
    for question in questions {
        line(text, "");
        answer(text, question);
    }
}

fn answer(text: &mut String, question: &Question) {
    comment(text, &format!("{}: {}", question.prompt, question.help));
    if !question.choices.is_empty() {
        comment(text, &format!("One of {}.", question.choices.join(", ")));
    }
    if let Some(when) = &question.when {
        comment(text, &format!("Only when {when}."));
    }
    let plain_default = question
        .default
        .as_ref()
        .filter(|default| !default.contains("{{"));
    let needed = question.default.is_none() && !question.optional && question.when.is_none();
    let mark = if needed { "" } else { "# " };
    let example = plain_default
        .cloned()
        .unwrap_or_else(|| rules::example_of(question));
    line(
        text,
        &format!("{mark}{} = {}", question.id, literal(question, &example)),
    );
}

/// Returns a value as TOML writes it.
fn literal(question: &Question, value: &str) -> String {
    match question.kind {
        QuestionKind::Boolean | QuestionKind::Integer | QuestionKind::Port | QuestionKind::Cpus => {
            value.to_owned()
        }
        QuestionKind::List if value.starts_with('[') => value.to_owned(),
        QuestionKind::List => toml::Value::from(
            value
                .split(',')
                .map(|item| item.trim().to_owned())
                .collect::<Vec<String>>(),
        )
        .to_string(),
        _ => toml::Value::from(value).to_string(),
    }
}

fn secrets(text: &mut String, preset: &Preset) {
    line(text, "\n[secrets]");
    comment(
        text,
        "Where each secret comes from, never the secret itself: env, file (0600) or command. A secret without an entry is read from SYNTHO_SECRET_<ID>, or asked for.",
    );
    for question in &preset.parts.questions {
        if question.kind != QuestionKind::Secret {
            continue;
        }
        line(text, "");
        comment(text, &format!("{}: {}", question.prompt, question.help));
        if question.generate.is_some() {
            comment(
                text,
                "Made on the first deployment when left out, and kept on the host.",
            );
        }
        if let Some(when) = &question.when {
            comment(text, &format!("Only when {when}."));
        }
        let mark = if question.generate.is_none() && question.when.is_none() {
            ""
        } else {
            "# "
        };
        line(
            text,
            &format!(
                "{mark}{} = {{ env = \"{}\" }}",
                question.id,
                variable_of(&question.id)
            ),
        );
    }
}
