//! Steps that tools carry out in a stack's folder.

use std::collections::BTreeMap;

use super::{PlanError, Steps, key};
use crate::engine::action::{AnyAction, RunStep, Source};
use crate::model::ids::StepId;
use crate::model::plan::Phase;
use crate::model::resolved::{PlacedStack, PlacedStep};

use super::README;

impl Steps<'_> {
    /// Steps by tools, one after the other, once the stack's containers are healthy.
    pub(super) fn tools(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        for (number, tool) in stack.steps.iter().enumerate() {
            let id = StepId(format!("{}/stack/{}/{}", stack.host, stack.id, tool.id));
            let action = self.tool(stack, tool)?;
            let first = number == 0 && !stack.is_project();
            let after = if first {
                self.ground(stack)
            } else {
                self.after(stack)
            };
            self.last.insert(key(stack), id.clone());
            self.push(id, stack, Phase::Stack, after, action);
        }
        Ok(())
    }

    fn tool(&self, stack: &PlacedStack, tool: &PlacedStep) -> Result<AnyAction, PlanError> {
        let files = stack.files.iter().map(|file| file.path.clone());
        let mut sources = BTreeMap::new();
        for take in &tool.takes {
            let mut placed = self.planning.resolved.stacks.iter();
            if let Some(first) = placed.find(|placed| placed.id == take.stack) {
                let source = Source {
                    host: first.host.clone(),
                    compose: self.compose(first)?,
                };
                sources.insert(take.stack.clone(), source);
            }
        }
        Ok(AnyAction::RunStep(RunStep {
            stack: stack.id.clone(),
            compose: self.compose(stack)?,
            tool: tool.clone(),
            files: files.filter(|path| path != README).collect(),
            sources,
            deployment: self.planning.folder(),
            created: false,
        }))
    }
}
