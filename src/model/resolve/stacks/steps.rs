//! Steps by tools, with every template rendered for their host.

use minijinja::Value;

use super::{Placing, ResolveError};
use crate::model::preset::{KnownFailure, Take, ToolStep};
use crate::model::resolved::{PlacedStep, PlacedTake};
use crate::model::template::Kind;

/// Returns the steps of a stack that apply on its host, in order.
pub(super) fn placed(placing: &Placing<'_>) -> Result<Vec<PlacedStep>, ResolveError> {
    let mut steps = Vec::new();
    for step in &placing.stack.steps {
        let entry = placing.entry(&format!("step.{}", step.id));
        let when = format!("{entry}.when");
        if placing.views.holds(&when, step.when.as_deref())? {
            steps.push(Opening { placing, entry }.step(step)?);
        }
    }
    Ok(steps)
}

/// One step being rendered.
struct Opening<'a> {
    placing: &'a Placing<'a>,
    entry: String,
}

impl Opening<'_> {
    fn step(&self, step: &ToolStep) -> Result<PlacedStep, ResolveError> {
        let leaves = step.leaves.as_ref();
        let fails = step.fails.iter().map(|known| self.known(known));
        let takes = step.takes.iter().map(|(name, take)| self.take(name, take));
        Ok(PlacedStep {
            id: step.id.clone(),
            title: step.title.clone(),
            probe: self.words("probe", &step.probe)?,
            run: self.words("run", &step.run)?,
            revert: self.words("revert", &step.revert)?,
            makes: step.makes.clone(),
            leaves: leaves.map(|text| self.text("leaves", text)).transpose()?,
            within: step.within,
            remedy: self.text("remedy", &step.remedy)?,
            fails: fails.collect::<Result<_, _>>()?,
            phases: step.phases.clone(),
            takes: takes.collect::<Result<_, _>>()?,
        })
    }

    fn text(&self, key: &str, text: &str) -> Result<String, ResolveError> {
        let entry = format!("{}.{key}", self.entry);
        self.placing.views.open(Kind::Text, &entry, text)
    }

    fn words(&self, key: &str, words: &[String]) -> Result<Vec<String>, ResolveError> {
        words.iter().map(|word| self.text(key, word)).collect()
    }

    /// Leaves `{found}` where the action puts what it found.
    fn known(&self, known: &KnownFailure) -> Result<KnownFailure, ResolveError> {
        let views = self.placing.views.with("found", &Value::from("{found}"));
        let entry = format!("{}.fails", self.entry);
        Ok(KnownFailure {
            message: views.open(Kind::Text, &entry, &known.message)?,
            remedy: views.open(Kind::Text, &entry, &known.remedy)?,
            ..known.clone()
        })
    }

    fn take(&self, name: &str, take: &Take) -> Result<PlacedTake, ResolveError> {
        Ok(PlacedTake {
            name: name.to_owned(),
            stack: take.from.clone(),
            run: self.words(&format!("takes.{name}"), &take.run)?,
            secret: take.secret,
        })
    }
}
