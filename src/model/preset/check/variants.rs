//! Every template and expression tried: once for each choice the preset offers.

use std::fmt;
use std::sync::Arc;

use super::Problem;
use crate::model::deployment::Deployment;
use crate::model::facts::HostFacts;
use crate::model::ids::QuestionId;
use crate::model::preset::{Preset, QuestionKind};
use crate::model::resolve::{ResolveError, resolve};
use crate::model::resolved::Resolved;
use crate::model::sample;
use crate::model::template::{Assets, Kind};
use crate::model::validate::{self, answers_scope};

/// The product's files with made-up files of the operator.
struct SampleAssets(Arc<dyn Assets>);

impl fmt::Debug for SampleAssets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SampleAssets")
    }
}

impl Assets for SampleAssets {
    fn asset(&self, path: &str) -> Option<String> {
        self.0.asset(path)
    }

    fn operator_file(&self, path: &str) -> Result<String, String> {
        Ok(format!("made-up content of {path}\n"))
    }
}

/// Tries every variant.
pub(super) fn check(preset: &Arc<Preset>, assets: &Arc<dyn Assets>) -> Vec<Problem> {
    let assets: Arc<dyn Assets> = Arc::new(SampleAssets(Arc::clone(assets)));
    let mut problems = Vec::new();
    for chosen in sample::variants(preset) {
        let deployment = match sample::deployment(preset, &chosen) {
            Ok(deployment) => deployment,
            Err(error) => {
                problems.push(error.into());
                continue;
            }
        };
        rules_and_names(&deployment, &mut problems);
        let facts = sample::facts_of(&deployment);
        proposals(&deployment, &facts, &mut problems);
        let making = sample::making();
        match resolve(&deployment, &facts, &|_, _, _| None, &assets, making) {
            Ok(resolved) => kept_variables(preset, &deployment, &resolved, &mut problems),
            Err(error) => problems.push(problem_of(error)),
        }
    }
    problems
}

fn problem_of(error: ResolveError) -> Problem {
    match error {
        ResolveError::Template(error) => error.into(),
        ResolveError::Preset { entry, reason } => Problem::new(entry, reason),
        ResolveError::Cycle { .. } => Problem::new("stack", error.to_string()),
        other => Problem::new("", format!("made-up answers do not resolve: {other}")),
    }
}

fn rules_and_names(deployment: &Deployment, problems: &mut Vec<Problem>) {
    let mut scope = answers_scope(deployment);
    for value in &deployment.preset.parts.values {
        if let Ok(known) = scope.evaluate(value.id.as_str(), &value.is) {
            scope.set(&value.id.variable(), known);
        }
    }
    for (number, rule) in deployment.preset.parts.rules.iter().enumerate() {
        let entry = format!("rule[{number}]");
        let scope = match &rule.on {
            Some(_) => scope.with("host", ().into()),
            None => scope.clone(),
        };
        if rule.on.is_none() {
            let judged = scope.evaluate(&format!("{entry}.holds"), &rule.holds);
            problems.extend(judged.err().map(Problem::from));
        }
        // They are rendered only where the rule is broken, and may rely on that.
        for (key, template) in [("message", &rule.message), ("example", &rule.example)] {
            let compiled = scope.compile(Kind::Text, &format!("{entry}.{key}"), template);
            problems.extend(compiled.err().map(Problem::from));
        }
    }
    for question in &deployment.preset.parts.questions {
        for name in &question.names {
            let entry = format!("question.{}.names", question.id);
            if deployment.answers.contains_key(&question.id) {
                problems.extend(
                    scope
                        .render(Kind::Text, &entry, name)
                        .err()
                        .map(Problem::from),
                );
            }
        }
    }
}

/// Tries every proposal on made-up hosts.
fn proposals(deployment: &Deployment, facts: &[HostFacts], problems: &mut Vec<Problem>) {
    let scope = validate::seen_scope(deployment, facts);
    for question in &deployment.preset.parts.questions {
        let asked = deployment.answers.contains_key(&question.id) || question.optional;
        if let Some(proposed) = question.propose.as_ref().filter(|_| asked) {
            let rendered = validate::proposed(question, proposed, &scope);
            problems.extend(rendered.err().map(Problem::from));
        }
    }
}

/// A secret that a host keeps must stand in the `.env` it is read back from.
fn kept_variables(
    preset: &Preset,
    deployment: &Deployment,
    resolved: &Resolved,
    problems: &mut Vec<Problem>,
) {
    for (stack, variable, question) in preset.kept_variables() {
        if !is_used(preset, deployment, &question) {
            continue;
        }
        for placed in resolved.stacks.iter().filter(|placed| placed.id == stack) {
            let secret = resolved.secrets.get(&question);
            let found = placed
                .environment
                .iter()
                .find(|(name, _)| name == &variable);
            let same = match (found, secret) {
                (Some((_, value)), Some(secret)) => {
                    use secrecy::ExposeSecret;
                    value.expose_secret() == secret.expose_secret()
                }
                _ => false,
            };
            if !same {
                let message = format!(
                    "the `.env` of stack `{stack}` has no variable `{variable}` with this secret as it is"
                );
                problems.push(Problem::new(format!("question.{question}.kept"), message));
            }
        }
    }
}

fn is_used(preset: &Preset, deployment: &Deployment, id: &QuestionId) -> bool {
    let scope = answers_scope(deployment);
    preset.question(id).is_some_and(|question| {
        question.kind == QuestionKind::Secret
            && scope.holds(id.as_str(), question.when.as_deref()) == Ok(true)
    })
}
