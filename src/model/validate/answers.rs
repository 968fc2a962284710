//! Answers held against the preset's questions, in their order, and the rules over several of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::answers::AnswersFile;
use crate::model::deployment::AnswerValue;
use crate::model::fault::Fault;
use crate::model::ids::QuestionId;
use crate::model::preset::{Preset, Question, QuestionKind, Rule};
use crate::model::rules::{self, Broken};
use crate::model::suggest;
use crate::model::template::{HostView, Kind, Scope, TemplateError};

use super::survey::{Applies, Asked};
use super::{Surroundings, secrets, template_value};

/// What becomes of an answer to a question that is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// It breaks a rule: in a file it is a mistake.
    Refuse,
    /// It is left alone: in a wizard the question may be asked again later.
    Leave,
}

/// Answers as far as they are good.
pub(super) struct Checked {
    /// What is known of each question.
    pub(super) asked: BTreeMap<QuestionId, Asked>,
    /// Good answers, defaults filled in.
    pub(super) given: BTreeMap<QuestionId, AnswerValue>,
    /// Variables without a value because their answer is not good; what depends on them is not judged.
    broken: BTreeSet<String>,
}

/// Checks all answers; returns them and the scope in which rules see them.
pub(super) fn check(
    file: &AnswersFile,
    preset: &Preset,
    around: &Surroundings<'_>,
    base: &Scope,
    unasked: Unasked,
    faults: &mut Vec<Fault>,
) -> (Checked, Scope) {
    let mut checker = Checker {
        unasked,
        file,
        preset,
        around,
        scope: base.with(
            "image_source",
            secrets::source_word(file.images.source).into(),
        ),
        checked: Checked {
            asked: BTreeMap::new(),
            given: BTreeMap::new(),
            broken: BTreeSet::new(),
        },
        faults,
    };
    checker.refuse_unknown();
    for question in &preset.parts.questions {
        checker.question(question);
    }
    (checker.checked, checker.scope)
}

struct Checker<'a> {
    unasked: Unasked,
    file: &'a AnswersFile,
    preset: &'a Preset,
    around: &'a Surroundings<'a>,
    scope: Scope,
    checked: Checked,
    faults: &'a mut Vec<Fault>,
}

impl Checker<'_> {
    fn refuse_unknown(&mut self) {
        let open = |question: &&Question| question.kind != QuestionKind::Secret;
        let questions = self.preset.parts.questions.iter().filter(open);
        let known: Vec<&str> = questions.map(|question| question.id.as_str()).collect();
        for id in self.file.answers.keys() {
            if self.preset.question(id).is_none() {
                let message = format!(
                    "is not a question of `{}`; {}",
                    self.preset.id,
                    suggest::advice(id.as_str(), &known)
                );
                self.faults
                    .push(Fault::new(format!("answers.{id}"), message));
            }
        }
    }

    fn question(&mut self, question: &Question) {
        let at = format!("answers.{}", question.id);
        let variable = question.id.variable();
        let given = self.file.answers.get(&question.id);
        if question.kind == QuestionKind::Secret {
            if let Some(value) = given {
                self.complain(&at, rules::check(question, value).err());
            }
            return;
        }
        self.scope.set(&variable, ().into());
        let applies = self.applies(question);
        self.note(question, &applies);
        let value = match (applies, given) {
            (Ok(true), Some(value)) => rules::check(question, value).map(Some),
            (Ok(true), None) => self.default_of(question),
            (Ok(false), None) => Ok(None),
            (Ok(false), Some(_)) if self.unasked == Unasked::Leave => Ok(None),
            (Ok(false), Some(_)) => Err(Broken::rule(
                question,
                format!(
                    "is given, but is used only when {}",
                    question.when.as_deref().unwrap_or("it is asked")
                ),
            )),
            (Err(Unjudged::DependsOnBroken), given) => {
                self.checked.broken.insert(variable);
                let problem = given.and_then(|value| rules::check(question, value).err());
                return self.complain(&at, problem);
            }
            (Err(Unjudged::Preset(error)), _) => Err(Broken::rule(question, error.to_string())),
        };
        match value.and_then(|value| self.look_into_file(question, value)) {
            Ok(Some(value)) => {
                self.scope.set(&variable, template_value(&value));
                self.checked.given.insert(question.id.clone(), value);
            }
            Ok(None) => {}
            Err(broken) => {
                self.checked.broken.insert(variable);
                self.complain(&at, Some(broken));
            }
        }
    }

    /// Keeps what is known of a question for whoever shows it.
    fn note(&mut self, question: &Question, applies: &Result<bool, Unjudged>) {
        let asked = Asked {
            applies: match applies {
                Ok(true) => Applies::Yes,
                Ok(false) => Applies::No,
                Err(_) => Applies::Unknown,
            },
            default: self.default_text(question).and_then(Result::ok),
            proposal: None,
            made: false,
        };
        self.checked.asked.insert(question.id.clone(), asked);
    }

    /// Renders the default; `None` when there is none, or it depends on an answer that is not good.
    fn default_text(&self, question: &Question) -> Option<Result<String, TemplateError>> {
        let default = question.default.as_ref()?;
        self.depends_on_broken(Some(default)).ok()?;
        let name = format!("question.{}.default", question.id);
        Some(self.scope.render(Kind::Text, &name, default))
    }

    fn complain(&mut self, at: &str, broken: Option<Broken>) {
        if let Some(Broken { rule, example }) = broken {
            self.faults.push(Fault::new(at, rule).example(example));
        }
    }

    fn applies(&self, question: &Question) -> Result<bool, Unjudged> {
        self.depends_on_broken(question.when.as_deref())?;
        let name = format!("question.{}.when", question.id);
        self.scope
            .holds(&name, question.when.as_deref())
            .map_err(Unjudged::Preset)
    }

    fn depends_on_broken(&self, text: Option<&str>) -> Result<(), Unjudged> {
        match text {
            Some(text) if mentions(text, &self.checked.broken) => Err(Unjudged::DependsOnBroken),
            _ => Ok(()),
        }
    }

    fn default_of(&self, question: &Question) -> Result<Option<AnswerValue>, Broken> {
        if question.default.is_none() {
            if question.optional {
                return Ok(None);
            }
            return Err(Broken::rule(
                question,
                format!("is missing: {}", question.prompt),
            ));
        }
        let Some(rendered) = self.default_text(question) else {
            return Ok(None);
        };
        let text = rendered.map_err(|error| Broken::rule(question, error.to_string()))?;
        rules::from_text(question, &text).map(Some)
    }

    /// Reads the file that an answer names and checks what is in it; the answer becomes the file's place.
    fn look_into_file(
        &self,
        question: &Question,
        value: Option<AnswerValue>,
    ) -> Result<Option<AnswerValue>, Broken> {
        let is_file = matches!(
            question.kind,
            QuestionKind::File | QuestionKind::Certificate | QuestionKind::PrivateKey
        );
        let path = match (value, is_file) {
            (Some(AnswerValue::Text(path)), true) if !path.is_empty() => path,
            (value, _) => return Ok(value),
        };
        let located = self.around.files.locate(&path);
        let broken = |rule: String| Broken::rule(question, format!("`{path}` {rule}"));
        let bytes = self
            .around
            .files
            .read(&located)
            .map_err(|reason| broken(format!("cannot be read: {reason}")))?;
        match question.kind {
            QuestionKind::Certificate => {
                let names = self.names_of(question)?;
                rules::check_certificate(&bytes, &names, self.around.now)
                    .map_err(|p| broken(p.to_string()))?;
            }
            QuestionKind::PrivateKey => {
                let certificate = self.certificate_of(question);
                rules::check_key(&bytes, certificate.as_deref())
                    .map_err(|p| broken(p.to_string()))?;
            }
            _ => {}
        }
        if std::str::from_utf8(&bytes).is_err() {
            return Err(broken("is not text".to_owned()));
        }
        Ok(Some(AnswerValue::Text(located)))
    }

    fn names_of(&self, question: &Question) -> Result<Vec<String>, Broken> {
        let good = question
            .names
            .iter()
            .filter(|name| !mentions(name, &self.checked.broken));
        good.map(|template| {
            let name = format!("question.{}.names", question.id);
            self.scope.render(Kind::Text, &name, template)
        })
        .collect::<Result<_, _>>()
        .map_err(|error| Broken::rule(question, error.to_string()))
    }

    fn certificate_of(&self, question: &Question) -> Option<Vec<u8>> {
        let AnswerValue::Text(located) = self.checked.given.get(question.matches.as_ref()?)? else {
            return None;
        };
        self.around.files.read(located).ok()
    }
}

/// Why it is not known whether a question applies.
enum Unjudged {
    /// It depends on an answer that is not good.
    DependsOnBroken,
    /// The preset is broken.
    Preset(TemplateError),
}

/// Returns whether an expression or template names one of the variables.
fn mentions(text: &str, variables: &BTreeSet<String>) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| variables.contains(word))
}

/// Returns the key that a rule is about.
fn place_of(preset: &Preset, rule: &Rule) -> String {
    rule.about.first().map_or(String::new(), |about| {
        let is_question = about.parse().is_ok_and(|id| preset.question(&id).is_some());
        if is_question {
            format!("answers.{about}")
        } else {
            about.clone()
        }
    })
}

/// Checks the rules that are judged on a host, on every host that was seen.
pub(super) fn check_host_rules(
    preset: &Preset,
    scope: &Scope,
    checked: &Checked,
    hosts: &[HostView],
    faults: &mut Vec<Fault>,
) {
    for (number, rule) in preset.parts.rules.iter().enumerate() {
        let Some(role) = &rule.on else { continue };
        if mentions(&rule.holds, &checked.broken) {
            continue;
        }
        let name = format!("rule[{number}]");
        let seen = |host: &&HostView| host.is(role.as_str()) && host.size.is_some();
        for host in hosts.iter().filter(seen) {
            let scope = scope.with("host", host.value());
            let text = |template: &str| {
                scope
                    .render(Kind::Text, &name, template)
                    .unwrap_or_else(|error| error.to_string())
            };
            match scope.evaluate(&name, &rule.holds) {
                Ok(value) if value.is_true() => {}
                // What cannot be judged yet is judged when the plan is made.
                Err(_) => {}
                Ok(_) => faults.push(
                    Fault::new(
                        place_of(preset, rule),
                        format!("host `{}`: {}", host.name, text(&rule.message)),
                    )
                    .example(text(&rule.example)),
                ),
            }
        }
    }
}

/// Checks the rules that can be judged before a host is seen.
pub(super) fn check_rules(
    preset: &Preset,
    scope: &Scope,
    checked: &Checked,
    faults: &mut Vec<Fault>,
) {
    for (number, rule) in preset.parts.rules.iter().enumerate() {
        if rule.on.is_some() || mentions(&rule.holds, &checked.broken) {
            continue;
        }
        let name = format!("rule[{number}]");
        let at = place_of(preset, rule);
        let text = |template: &str| {
            scope
                .render(Kind::Text, &name, template)
                .unwrap_or_else(|error| error.to_string())
        };
        match scope.evaluate(&name, &rule.holds) {
            Ok(value) if value.is_true() => {}
            Ok(_) => faults.push(Fault::new(at, text(&rule.message)).example(text(&rule.example))),
            Err(error) => faults.push(Fault::new(at, error.to_string())),
        }
    }
}
