//! The steps, in the order in which they read: folders and files, images, and then each stack with its health.

mod tools;

use std::collections::{BTreeMap, BTreeSet};

use super::superseded::{Superseded, old};
use super::{PlanError, Planning};
use crate::engine::action::{
    Action, AnyAction, AwaitHealth, Before, ConfirmYield, CreateFolder, DeliverImage,
    ProveEnvironment, PutFile, ReloadService, RemoveImage, RetireProject, Rights, StartStack,
};
use crate::engine::compose::Compose;
use crate::engine::plan::PlannedStep;
use crate::model::facts::HostFacts;
use crate::model::ids::{HostName, StackId, StepId};
use crate::model::plan::{Phase, Probe};
use crate::model::resolved::{COMPOSE_FILE, PlacedImage, PlacedStack, RenderedFile};

/// Milliseconds for which nothing may restart before a stack counts as healthy.
const SETTLE_MS: u64 = 2000;
/// Seconds for software to announce what it was told, once its service is healthy.
const CONFIRM_WITHIN: u64 = 180;
/// The file that only people read.
const README: &str = "README";
/// Files that no container mounts.
const NEVER_MOUNTED: &[&str] = &[".env", COMPOSE_FILE, README];

/// Returns the steps of a deployment, none of them looked at yet.
pub(super) fn of(planning: &Planning<'_>) -> Result<Vec<PlannedStep<AnyAction>>, PlanError> {
    let mut steps = Steps::new(planning);
    for stack in &planning.resolved.stacks {
        steps.deployment_folder(stack)?;
        steps.folders(stack)?;
        steps.files(stack)?;
        steps.proof(stack)?;
    }
    for stack in &planning.resolved.stacks {
        steps.images(stack)?;
    }
    steps.retirements()?;
    for stack in &planning.resolved.stacks {
        if stack.is_project() {
            steps.start(stack)?;
            steps.reloads(stack)?;
            steps.health(stack);
            steps.confirms(stack);
        }
        steps.tools(stack)?;
    }
    if planning.superseded == Superseded::Remove {
        steps.removals()?;
    }
    Ok(steps.all)
}

/// Steps as they are put together.
struct Steps<'a> {
    planning: &'a Planning<'a>,
    all: Vec<PlannedStep<AnyAction>>,
    /// The last step of each stack on each host so far; what comes next there comes after it.
    last: BTreeMap<(HostName, StackId), StepId>,
    /// The image steps that each stack on each host needs.
    images: BTreeMap<(HostName, StackId), Vec<StepId>>,
    /// Every id so far.
    known: BTreeSet<StepId>,
    /// The step after which nothing that was set up by hand runs.
    retired: Option<StepId>,
}

impl<'a> Steps<'a> {
    fn new(planning: &'a Planning<'a>) -> Self {
        Self {
            planning,
            all: Vec::new(),
            last: BTreeMap::new(),
            images: BTreeMap::new(),
            known: BTreeSet::new(),
            retired: None,
        }
    }

    fn push(
        &mut self,
        id: StepId,
        stack: &PlacedStack,
        phase: Phase,
        after: Vec<StepId>,
        action: AnyAction,
    ) {
        self.known.insert(id.clone());
        self.all.push(PlannedStep {
            id,
            host: stack.host.clone(),
            phase,
            after,
            description: action.describe(),
            probe: Probe::Needed,
            action,
        });
    }

    /// Adds a step that comes after the stack's last one and becomes its last.
    fn next(&mut self, id: StepId, stack: &PlacedStack, phase: Phase, action: AnyAction) {
        let after = self.after(stack);
        self.last.insert(key(stack), id.clone());
        self.push(id, stack, phase, after, action);
    }

    fn after(&self, stack: &PlacedStack) -> Vec<StepId> {
        self.last.get(&key(stack)).cloned().into_iter().collect()
    }

    fn rights(&self, stack: &PlacedStack) -> Result<Rights, PlanError> {
        rights(self.planning.rights, stack)
    }

    fn compose(&self, stack: &PlacedStack) -> Result<Compose, PlanError> {
        compose(self.planning.facts, self.planning.rights, stack)
    }

    fn create(&self, stack: &PlacedStack, path: String, mode: u32) -> Result<AnyAction, PlanError> {
        Ok(AnyAction::CreateFolder(CreateFolder {
            path,
            mode,
            rights: self.rights(stack)?,
            created: false,
        }))
    }

    /// The folder of the whole deployment, once a host.
    fn deployment_folder(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        let id = StepId(format!("{}/files/deployment", stack.host));
        if !self.known.contains(&id) {
            let action = self.create(stack, self.planning.folder(), 0o755)?;
            self.push(id.clone(), stack, Phase::Files, Vec::new(), action);
        }
        self.last.insert(key(stack), id);
        Ok(())
    }

    /// The stack's folder, and those in it that its files lie in.
    fn folders(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        let id = format!("{}/files/{}", stack.host, stack.id);
        let action = self.create(stack, stack.folder.clone(), 0o700)?;
        self.next(StepId(id.clone()), stack, Phase::Files, action);
        let mut below = BTreeSet::new();
        for file in &stack.files {
            let mut path = file.path.as_str();
            while let Some((folder, _)) = path.rsplit_once('/') {
                below.insert(folder);
                path = folder;
            }
        }
        for folder in below {
            let action = self.create(stack, format!("{}/{folder}", stack.folder), 0o755)?;
            self.next(
                StepId(format!("{id}/{folder}")),
                stack,
                Phase::Files,
                action,
            );
        }
        Ok(())
    }

    fn files(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        for file in &stack.files {
            let id = StepId(format!("{}/files/{}/{}", stack.host, stack.id, file.path));
            let action = self.put(stack, file)?;
            if file.path == README {
                // Nothing rests on it: another text in it starts nothing anew.
                let after = self.after(stack);
                self.push(id, stack, Phase::Files, after, action);
            } else {
                self.next(id, stack, Phase::Files, action);
            }
        }
        Ok(())
    }

    fn put(&self, stack: &PlacedStack, file: &RenderedFile) -> Result<AnyAction, PlanError> {
        Ok(AnyAction::PutFile(PutFile {
            stack: stack.id.clone(),
            folder: stack.folder.clone(),
            path: file.path.clone(),
            mode: file.mode,
            secret: file.secret,
            rights: self.rights(stack)?,
            backup: format!("{}.before-{}", file.path, self.planning.run),
            before: Before::Unknown,
        }))
    }

    fn proof(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        if stack.environment.is_empty() || !stack.is_project() {
            return Ok(());
        }
        let id = StepId(format!("{}/files/{}:environment", stack.host, stack.id));
        let action = AnyAction::ProveEnvironment(ProveEnvironment {
            stack: stack.id.clone(),
            compose: self.compose(stack)?,
        });
        self.next(id, stack, Phase::Files, action);
        Ok(())
    }

    /// Images, each once a host although several stacks may need it.
    fn images(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        for image in &stack.images {
            let id = StepId(format!("{}/images/{}", stack.host, image.id));
            if !self.known.contains(&id) {
                let action = self.deliver(stack, image)?;
                let after = self.after(stack);
                self.push(id.clone(), stack, Phase::Images, after, action);
            }
            self.images.entry(key(stack)).or_default().push(id);
        }
        Ok(())
    }

    fn deliver(&self, stack: &PlacedStack, image: &PlacedImage) -> Result<AnyAction, PlanError> {
        let facts = self.planning.facts.get(&stack.host);
        let facts = facts.ok_or_else(|| PlanError::Unknown(stack.host.clone()))?;
        Ok(AnyAction::DeliverImage(DeliverImage {
            image: image.id.clone(),
            reference: image.reference.clone(),
            source: self.planning.resolved.image_source,
            aliases: image.aliases.clone(),
            architecture: facts.docker_architecture().to_owned(),
            keep_login: self.planning.resolved.keep_login,
            rights: self.rights(stack)?,
            folder: self.planning.folder(),
            id: None,
            pulled: false,
        }))
    }

    /// What was set up by hand stops once everything is there to take its place: first what needs others, one after the other.
    fn retirements(&mut self) -> Result<(), PlanError> {
        let planning = self.planning;
        for stack in planning.resolved.stacks.iter().rev() {
            let Some(adopted) = &stack.adopted else {
                continue;
            };
            let id = StepId(format!("{}/retire/{}", stack.host, stack.id));
            let action = AnyAction::RetireProject(RetireProject {
                stack: stack.id.clone(),
                project: adopted.project.clone(),
                folder: adopted.folder.clone(),
                rights: self.rights(stack)?,
            });
            let all_before = self.all.iter().map(|step| step.id.clone());
            let after = match &self.retired {
                Some(last) => vec![last.clone()],
                None => all_before.collect(),
            };
            self.retired = Some(id.clone());
            self.push(id, stack, Phase::Stack, after, action);
        }
        Ok(())
    }

    fn start(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        let id = StepId(format!("{}/stack/{}", stack.host, stack.id));
        let mounted = stack.files.iter().filter(|file| file.reload.is_none());
        let paths = mounted.map(|file| file.path.clone());
        let images = stack.images.iter().map(|image| image.reference.clone());
        let action = AnyAction::StartStack(StartStack {
            stack: stack.id.clone(),
            compose: self.compose(stack)?,
            images: images.collect(),
            services: stack.services.clone(),
            proofs: stack.proofs.clone(),
            mounted: paths
                .filter(|path| !NEVER_MOUNTED.contains(&path.as_str()))
                .collect(),
            deployment: self.planning.folder(),
            created: false,
        });
        let after = self.ground(stack);
        self.last.insert(key(stack), id.clone());
        self.push(id, stack, Phase::Stack, after, action);
        Ok(())
    }

    /// What the first thing that works on a stack's files comes after: those, its images, and the stacks that it needs.
    fn ground(&self, stack: &PlacedStack) -> Vec<StepId> {
        let mut after = self.after(stack);
        after.extend(self.images.get(&key(stack)).cloned().unwrap_or_default());
        after.extend(self.ends_of(&stack.after));
        after.extend(self.retired.clone());
        after
    }

    /// Services take up changed files without their containers being made anew.
    fn reloads(&mut self, stack: &PlacedStack) -> Result<(), PlanError> {
        for service in stack.services.iter().filter(|s| !s.reload.is_empty()) {
            let of_service = |file: &&RenderedFile| file.reload.as_ref() == Some(&service.name);
            let files: Vec<String> = stack
                .files
                .iter()
                .filter(of_service)
                .map(|file| file.path.clone())
                .collect();
            if files.is_empty() {
                continue;
            }
            let id = StepId(format!(
                "{}/stack/{}/{}",
                stack.host, stack.id, service.name
            ));
            let action = AnyAction::ReloadService(ReloadService {
                stack: stack.id.clone(),
                compose: self.compose(stack)?,
                service: service.name.clone(),
                run: service.reload.clone(),
                files,
            });
            self.next(id, stack, Phase::Stack, action);
        }
        Ok(())
    }

    /// Returns the last step of each of these stacks on every host that carries it.
    fn ends_of(&self, stacks: &[StackId]) -> Vec<StepId> {
        self.last
            .iter()
            .filter(|((_, stack), _)| stacks.contains(stack))
            .map(|(_, step)| step.clone())
            .collect()
    }

    fn health(&mut self, stack: &PlacedStack) {
        if stack.services.is_empty() {
            return;
        }
        let id = StepId(format!("{}/health/{}", stack.host, stack.id));
        let action = AnyAction::AwaitHealth(AwaitHealth {
            stack: stack.id.clone(),
            project: stack.project.clone(),
            services: stack.services.clone(),
            settle_ms: SETTLE_MS,
        });
        self.next(id, stack, Phase::Health, action);
    }

    fn confirms(&mut self, stack: &PlacedStack) {
        for (number, confirm) in stack.confirms.iter().enumerate() {
            let id = StepId(format!("{}/health/{}/{}", stack.host, stack.id, number + 1));
            let action = AnyAction::ConfirmYield(ConfirmYield {
                stack: stack.id.clone(),
                project: stack.project.clone(),
                service: confirm.service.clone(),
                log: confirm.log.clone(),
                equals: confirm.equals.clone(),
                remedy: confirm.remedy.clone(),
                within: CONFIRM_WITHIN,
            });
            self.next(id, stack, Phase::Health, action);
        }
    }
}

impl Steps<'_> {
    /// Images that newer ones have replaced, once everything on their host works with the new ones.
    fn removals(&mut self) -> Result<(), PlanError> {
        let stacks = &self.planning.resolved.stacks;
        for (host, facts) in self.planning.facts {
            let here: Vec<&PlacedStack> = stacks.iter().filter(|s| s.host == *host).collect();
            let (Some(first), Some(docker)) = (here.first(), &facts.docker) else {
                continue;
            };
            let needed: Vec<&PlacedImage> = here.iter().flat_map(|stack| &stack.images).collect();
            let projects: Vec<String> = here.iter().map(|stack| stack.project.clone()).collect();
            let after: Vec<StepId> = here.iter().flat_map(|stack| self.after(stack)).collect();
            for old in old(&docker.images, &needed) {
                let id = StepId(format!("{host}/images/without:{}", old.name));
                let action = AnyAction::RemoveImage(RemoveImage {
                    reference: old.name,
                    replaced_by: old.by.clone(),
                    size: old.size,
                    projects: projects.clone(),
                    rights: self.rights(first)?,
                });
                self.push(id, first, Phase::Images, after.clone(), action);
            }
        }
        Ok(())
    }
}

fn rights(rights: &BTreeMap<HostName, Rights>, stack: &PlacedStack) -> Result<Rights, PlanError> {
    let rights = rights.get(&stack.host).copied();
    rights.ok_or_else(|| PlanError::Unknown(stack.host.clone()))
}

/// Returns how Compose is used for a stack on its host.
pub(in crate::engine) fn compose(
    facts: &BTreeMap<HostName, HostFacts>,
    of_hosts: &BTreeMap<HostName, Rights>,
    stack: &PlacedStack,
) -> Result<Compose, PlanError> {
    let facts = facts.get(&stack.host);
    let facts = facts.ok_or_else(|| PlanError::Unknown(stack.host.clone()))?;
    let command = facts.compose.as_ref();
    Ok(Compose {
        project: stack.project.clone(),
        folder: stack.folder.clone(),
        command: command.map_or_else(
            || vec!["docker".to_owned(), "compose".to_owned()],
            |compose| compose.command.clone(),
        ),
        rights: rights(of_hosts, stack)?,
    })
}

fn key(stack: &PlacedStack) -> (HostName, StackId) {
    (stack.host.clone(), stack.id.clone())
}
