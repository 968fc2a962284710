//! What can be judged without rendering: ids, references, regular expressions, sizes.

use regex::Regex;

use super::{Problem, adopts, backups, files, names, steps};
use crate::model::ids::{QuestionId, RoleId, StackId};
use crate::model::preset::{HealthProbe, Preset, Question, QuestionKind, Stack};
use crate::model::rules;
use crate::model::size;

/// Checks every list of the preset.
pub(super) fn check(preset: &Preset) -> Vec<Problem> {
    let mut problems = Vec::new();
    names::check(preset, &mut problems);
    for role in &preset.roles {
        if role.bounds().is_none() {
            let message = format!(
                "`{}` is not a count such as `1`, `0..`, `1..` or `0..1`",
                role.count
            );
            problems.push(Problem::new(format!("role.{}", role.id), message));
        }
    }
    for question in &preset.parts.questions {
        self::question(preset, question, &mut problems);
    }
    for stack in &preset.parts.stacks {
        self::stack(preset, stack, &mut problems);
        files::check(preset, stack, &mut problems);
        backups::check(stack, &mut problems);
        steps::check(preset, stack, &mut problems);
    }
    images_and_needs(preset, &mut problems);
    judgements(preset, &mut problems);
    logs(preset, &mut problems);
    alikes(preset, &mut problems);
    signatures(preset, &mut problems);
    rules_and_reach(preset, &mut problems);
    adopts::check(preset, &mut problems);
    problems
}

fn question(preset: &Preset, question: &Question, problems: &mut Vec<Problem>) {
    let entry = |key: &str| format!("question.{}.{key}", question.id);
    let mut complain =
        |key: &str, message: String| problems.push(Problem::new(entry(key), message));
    let is_choice = question.kind == QuestionKind::Choice;
    if is_choice == question.choices.is_empty() {
        complain(
            "choices",
            "a question of kind `choice`, and no other, has choices".to_owned(),
        );
    }
    if let Some(pattern) = &question.pattern
        && let Err(error) = Regex::new(&pattern.regex)
    {
        complain("pattern", error.to_string());
    }
    let secret_only = [
        ("generate", question.generate.is_some()),
        ("generate-when", question.generate_when.is_some()),
        ("kept", !question.kept.is_empty()),
        ("trim", question.trim),
    ];
    for (key, present) in secret_only {
        if present && question.kind != QuestionKind::Secret {
            complain(key, "only a question of kind `secret` has this".to_owned());
        }
    }
    if question.generate.is_some() && question.kept.is_empty() {
        let message = "a secret that is made needs `kept`: otherwise each run makes another";
        complain("generate", message.to_owned());
    }
    if let Some(first) = question.kept.first()
        && preset.kept(question).is_none()
    {
        complain("kept", format!("there is no stack `{}`", first.stack));
    }
    let of_kind = |id, kind| {
        preset
            .question(id)
            .is_some_and(|other: &Question| other.kind == kind)
    };
    if let Some(matches) = &question.matches
        && !of_kind(matches, QuestionKind::Certificate)
    {
        complain(
            "matches",
            format!("`{matches}` is not a question of kind `certificate`"),
        );
    }
    if let Some(example) = question
        .example
        .as_ref()
        .filter(|_| question.kind != QuestionKind::Secret)
        && let Err(broken) = rules::from_text(question, example)
    {
        complain(
            "example",
            format!("breaks the question's own rule: {}", broken.rule),
        );
    }
}

fn stack(preset: &Preset, stack: &Stack, problems: &mut Vec<Problem>) {
    let mut complain = |key: &str, message: String| {
        problems.push(Problem::new(format!("stack.{}.{key}", stack.id), message));
    };
    if preset.role(&stack.role).is_none() {
        complain("role", format!("there is no role `{}`", stack.role));
    }
    for id in stack.after.iter().filter(|id| preset.stack(id).is_none()) {
        complain("after", format!("there is no stack `{id}`"));
    }
    for id in stack
        .images
        .iter()
        .filter(|id| !preset.parts.images.iter().any(|image| &image.id == *id))
    {
        complain("images", format!("there is no image `{id}`"));
    }
    for (name, yielded) in &stack.yields {
        let Some(confirm) = &yielded.confirm else {
            continue;
        };
        if !stack
            .services
            .iter()
            .any(|service| service.name == confirm.service)
        {
            complain(
                "yields",
                format!("`{name}`: there is no service `{}`", confirm.service),
            );
        }
        match Regex::new(&confirm.log) {
            Ok(regex) if regex.captures_len() == 2 => {}
            Ok(_) => complain("yields", format!("`{name}`: `log` needs exactly one group")),
            Err(error) => complain("yields", format!("`{name}`: {error}")),
        }
    }
}

fn images_and_needs(preset: &Preset, problems: &mut Vec<Problem>) {
    for image in &preset.parts.images {
        if let Err(error) = size::parse(&image.unpacked) {
            problems.push(Problem::new(
                format!("image.{}.unpacked", image.id),
                error.to_string(),
            ));
        }
    }
    for (number, need) in preset.parts.needs_of_roles.iter().enumerate() {
        let entry = format!("need[{number}]");
        if preset.role(&need.role).is_none() {
            problems.push(Problem::new(
                &entry,
                format!("there is no role `{}`", need.role),
            ));
        }
        for text in [&need.memory, &need.memory_recommended, &need.disk]
            .into_iter()
            .flatten()
        {
            if let Err(error) = size::parse(text) {
                problems.push(Problem::new(&entry, error.to_string()));
            }
        }
    }
}

fn judgements(preset: &Preset, problems: &mut Vec<Problem>) {
    let checks = preset.parts.checks.iter().map(|check| ("check", check));
    let health = preset.parts.health.iter().map(|health| ("health", health));
    for (list, health) in checks.chain(health) {
        let mut complain =
            |message: String| problems.push(Problem::new(format!("{list}.{}", health.id), message));
        match &health.probe {
            HealthProbe::Exec { .. } if list == "check" => {
                complain("nothing runs in a container before it is deployed".to_owned());
            }
            HealthProbe::Program { from, .. } => {
                if preset.role(from).is_none() {
                    complain(format!("there is no role `{from}`"));
                }
            }
            HealthProbe::Exec { on, service, .. } => {
                if !has_service(preset, on, service) {
                    complain(format!("stack `{on}` has no service `{service}`"));
                }
            }
            HealthProbe::Http {
                from,
                matches,
                location,
                secure_cookies,
                ..
            } => {
                if (location.is_some() || *secure_cookies) && from != "operator" {
                    complain(
                        "`location` and `secure-cookies` are judged from `operator` only"
                            .to_owned(),
                    );
                }
                if !is_source(preset, from) {
                    complain(format!("`{from}` is neither `operator` nor a role"));
                }
                if let Some(Err(error)) = matches.as_ref().map(|text| Regex::new(text)) {
                    complain(error.to_string());
                }
            }
            HealthProbe::Tls {
                certificate,
                answer,
                ..
            } => {
                let unknown = unknown_trust(preset, certificate.as_deref(), answer.as_ref());
                unknown.into_iter().for_each(&mut complain);
            }
            HealthProbe::Port { from, to, .. } => {
                if !is_source(preset, from) {
                    complain(format!("`{from}` is neither `operator` nor a role"));
                }
                if preset.role(to).is_none() {
                    complain(format!("there is no role `{to}`"));
                }
            }
        }
    }
}

fn logs(preset: &Preset, problems: &mut Vec<Problem>) {
    for (number, log) in preset.parts.logs.iter().enumerate() {
        if !has_service(preset, &log.stack, &log.service) {
            let message = format!("stack `{}` has no service `{}`", log.stack, log.service);
            problems.push(Problem::new(format!("log[{number}]"), message));
        }
        let places = [&log.path, &log.containers, &log.label];
        if places.into_iter().flatten().count() != 1 {
            let message = "say where: one of `path`, `containers` and `label`";
            problems.push(Problem::new(format!("log[{number}]"), message));
        }
    }
}

fn signatures(preset: &Preset, problems: &mut Vec<Problem>) {
    for (number, signature) in preset.parts.signatures.iter().enumerate() {
        let wrong = signature.problems().into_iter();
        let entry = format!("signature[{number}]");
        problems.extend(wrong.map(|message| Problem::new(entry.clone(), message)));
    }
}

fn alikes(preset: &Preset, problems: &mut Vec<Problem>) {
    for (number, alike) in preset.parts.alikes.iter().enumerate() {
        let entry = format!("alike[{number}]");
        if alike.run.is_empty() {
            let message = "say by which program an image tells it: `run` is empty".to_owned();
            problems.push(Problem::new(&entry, message));
        }
        let images = &preset.parts.images;
        let unknown = alike.images.iter();
        let unknown = unknown.filter(|id| !images.iter().any(|image| image.id == **id));
        for id in unknown {
            problems.push(Problem::new(&entry, format!("there is no image `{id}`")));
        }
    }
}

/// Returns what a judgement over TLS names and is not there.
fn unknown_trust(
    preset: &Preset,
    certificate: Option<&str>,
    answer: Option<&QuestionId>,
) -> Vec<String> {
    let made = &preset.parts.certificates;
    let certificate = certificate.filter(|id| !made.iter().any(|made| made.id == *id));
    let answer = answer.filter(|id| preset.question(id).is_none());
    let certificate = certificate.map(|id| format!("there is no certificate `{id}`"));
    let answer = answer.map(|id| format!("there is no question `{id}`"));
    certificate.into_iter().chain(answer).collect()
}

fn has_service(preset: &Preset, stack: &StackId, service: &str) -> bool {
    preset
        .stack(stack)
        .is_some_and(|stack| stack.services.iter().any(|own| own.name == service))
}

fn is_source(preset: &Preset, from: &str) -> bool {
    let is_role = |id: RoleId| preset.role(&id).is_some();
    from == "operator" || from.parse().is_ok_and(is_role)
}

fn rules_and_reach(preset: &Preset, problems: &mut Vec<Problem>) {
    for (number, rule) in preset.parts.rules.iter().enumerate() {
        let entry = format!("rule[{number}]");
        for about in &rule.about {
            let is_question = about.parse().is_ok_and(|id| preset.question(&id).is_some());
            if !is_question && about != "hosts" && !about.starts_with("images") {
                let message =
                    format!("`{about}` is neither a question, nor `hosts`, nor under `images`");
                problems.push(Problem::new(&entry, message));
            }
        }
        if let Some(role) = rule.on.as_ref().filter(|role| preset.role(role).is_none()) {
            problems.push(Problem::new(&entry, format!("there is no role `{role}`")));
        }
    }
    for (number, reach) in preset.parts.reach.iter().enumerate() {
        let entry = format!("reach[{number}]");
        if !is_source(preset, &reach.from) {
            problems.push(Problem::new(
                &entry,
                format!("`{}` is neither `operator` nor a role", reach.from),
            ));
        }
        if preset.role(&reach.to).is_none() {
            problems.push(Problem::new(
                &entry,
                format!("there is no role `{}`", reach.to),
            ));
        }
    }
}
