//! What should stand on hosts, as far as the answers alone say it: for looking at a deployment without asking its hosts anything first.

use super::stacks::{folder, project};
use crate::model::deployment::Deployment;
use crate::model::ids::{HostName, StackId};
use crate::model::preset::Service;
use crate::model::validate;

/// A stack on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStack {
    /// The host.
    pub host: HostName,
    /// The stack.
    pub stack: StackId,
    /// Its Compose project.
    pub project: String,
    /// Its folder on the host.
    pub folder: String,
    /// The services that must be there.
    pub services: Vec<Service>,
}

/// Returns the stacks that belong on each host, in the order of the hosts.
///
/// A condition that only the hosts could decide counts as met for a stack, so that nothing of it is overlooked, and as not met for a service, so that
/// nothing is missed that need not be there.
#[must_use]
pub fn expected(deployment: &Deployment) -> Vec<ExpectedStack> {
    let scope = validate::answers_scope(deployment);
    let mut all = Vec::new();
    for host in &deployment.hosts {
        for stack in &deployment.preset.parts.stacks {
            let name = format!("stack.{}.when", stack.id);
            let applies = scope.holds(&name, stack.when.as_deref()).unwrap_or(true);
            if !applies || !host.roles.contains(&stack.role) {
                continue;
            }
            let needed = |service: &&Service| {
                let name = format!("stack.{}.service.{}.when", stack.id, service.name);
                scope.holds(&name, service.when.as_deref()).unwrap_or(false)
            };
            all.push(ExpectedStack {
                host: host.name.clone(),
                stack: stack.id.clone(),
                project: project(deployment, stack),
                folder: folder(deployment, stack),
                services: stack.services.iter().filter(needed).cloned().collect(),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resolve::resolve;
    use crate::model::sample;
    use crate::model::template::Assets;
    use crate::presets::Presets;
    use std::sync::Arc;

    /// The presets' files, with made-up ones in place of the operator's.
    #[derive(Debug)]
    struct MadeUp(Arc<dyn Assets>);

    impl Assets for MadeUp {
        fn asset(&self, path: &str) -> Option<String> {
            self.0.asset(path)
        }

        fn operator_file(&self, path: &str) -> Result<String, String> {
            Ok(format!("made-up content of {path}\n"))
        }
    }

    #[test]
    fn the_answers_alone_expect_what_the_plan_places() {
        let presets = Presets::new(None);
        let assets: Arc<dyn Assets> = Arc::new(MadeUp(presets.assets()));
        for id in presets.ids() {
            let preset = presets.load(&id).unwrap();
            for choices in sample::variants(&preset) {
                let deployment = sample::deployment(&preset, &choices).unwrap();
                let facts = sample::facts_of(&deployment);
                let making = sample::making();
                let resolved =
                    resolve(&deployment, &facts, &|_, _, _| None, &assets, making).unwrap();
                let mut placed: Vec<_> = resolved
                    .stacks
                    .iter()
                    .map(|stack| {
                        let services: Vec<&str> =
                            stack.services.iter().map(|s| s.name.as_str()).collect();
                        (stack.host.clone(), stack.project.clone(), services)
                    })
                    .collect();
                placed.sort();
                let expected = expected(&deployment);
                let mut found: Vec<_> = expected
                    .iter()
                    .map(|stack| {
                        let services: Vec<&str> =
                            stack.services.iter().map(|s| s.name.as_str()).collect();
                        (stack.host.clone(), stack.project.clone(), services)
                    })
                    .collect();
                found.sort();
                assert_eq!(found, placed, "{id} {choices:?}");
            }
        }
    }
}
