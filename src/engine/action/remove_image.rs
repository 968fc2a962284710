//! Removes a name of an image that a newer release has replaced; the image goes with its last name. What a container uses stays.

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials, Rights};
use crate::model::docker::ContainerFacts;
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::size::human;
use crate::model::text::shell_quoted;
use crate::transport::ContainerFilter;

/// Removes an image that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RemoveImage {
    /// Its name.
    pub reference: ImageRef,
    /// What has taken its place.
    pub replaced_by: ImageRef,
    /// Bytes that it takes, of which others may share some.
    pub size: u64,
    /// The Compose projects of the deployment: what they still run is about to be replaced.
    pub projects: Vec<String>,
    /// Whose rights it is removed with by hand.
    pub rights: Rights,
}

impl RemoveImage {
    /// Returns the containers that use an image.
    fn users(cx: &Context<'_>, id: &str) -> Result<Vec<ContainerFacts>, ActionError> {
        let mut all = cx.host.docker()?.containers(&ContainerFilter::default())?;
        all.retain(|container| container.image_id == id);
        Ok(all)
    }

    fn is_ours(&self, container: &ContainerFacts) -> bool {
        let project = container.project();
        project.is_some_and(|project| self.projects.iter().any(|own| own == project))
    }
}

impl Action for RemoveImage {
    fn describe(&self) -> Description {
        Description {
            summary: format!("remove image `{}`", self.reference),
            reasons: vec![format!(
                "`{}` has taken its place; up to {} come free",
                self.replaced_by,
                human(self.size)
            )],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("leave image `{}` removed", self.reference),
            reasons: vec!["whoever wants it again brings it again".to_owned()],
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let reference = shell_quoted(&self.reference.to_string());
        let sudo = self.rights.typed();
        vec![
            ByHand::Run(format!("{sudo}docker image rm {reference}")),
            ByHand::Say("Docker refuses this while a container uses the image.".to_owned()),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let Some(image) = cx.host.docker()?.image(&self.reference)? else {
            return Ok(Probe::AlreadySo);
        };
        // What others run stays, so there is nothing to do about it.
        let users = Self::users(cx, &image.id)?;
        Ok(if users.iter().all(|user| self.is_ours(user)) {
            Probe::Needed
        } else {
            Probe::AlreadySo
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let docker = cx.host.docker()?;
        let Some(image) = docker.image(&self.reference)? else {
            return Ok(());
        };
        if let Some(user) = Self::users(cx, &image.id)?.first() {
            cx.progress.line(&format!(
                "image `{}` stays: container `{}` uses it",
                self.reference, user.name
            ));
            return Ok(());
        }
        docker.untag(&self.reference)?;
        Ok(())
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::{Machine, container, image};

    const OLD: &str = "reg.example/app:1";

    fn removal() -> RemoveImage {
        RemoveImage {
            reference: ImageRef::parse(OLD).unwrap(),
            replaced_by: ImageRef::parse("reg.example/app:2").unwrap(),
            size: 3 << 30,
            projects: vec!["ours".to_owned()],
            rights: Rights::Login,
        }
    }

    fn with_user(project: &str) -> Machine {
        let machine = Machine::new();
        machine.engine.world().images.push(image(OLD, "old"));
        let mut user = container(project, "x");
        user.image_id = "sha256:old".to_owned();
        machine.engine.world().containers.push(user);
        machine
    }

    fn names(machine: &Machine) -> Vec<String> {
        let world = machine.engine.world();
        world
            .images
            .iter()
            .flat_map(|image| image.tags.clone())
            .collect()
    }

    #[test]
    fn what_nobody_uses_goes_and_what_is_gone_is_no_trouble() {
        let machine = Machine::new();
        machine.engine.world().images.push(image(OLD, "old"));
        let mut action = removal();
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
        for _ in 0..2 {
            action.execute(&machine.cx()).unwrap();
            assert!(names(&machine).is_empty());
            assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
        }
        action.revert(&machine.cx()).unwrap();
    }

    #[test]
    fn what_others_run_stays_and_is_not_even_planned() {
        let machine = with_user("theirs");
        let mut action = removal();
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
        action.execute(&machine.cx()).unwrap();
        assert_eq!(names(&machine), [OLD]);
    }

    #[test]
    fn what_our_own_containers_still_run_is_planned_and_stays_when_they_were_not_replaced() {
        let machine = with_user("ours");
        let mut action = removal();
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
        action.execute(&machine.cx()).unwrap();
        assert_eq!(names(&machine), [OLD]);
        let lines = machine.voice.lines.lock().unwrap().clone();
        assert_eq!(
            lines,
            [format!("image `{OLD}` stays: container `ours-x-1` uses it")]
        );
        machine.engine.world().containers.clear();
        action.execute(&machine.cx()).unwrap();
        assert!(names(&machine).is_empty());
    }

    #[test]
    fn it_survives_the_way_through_json_and_says_what_it_does() {
        let action = super::super::AnyAction::RemoveImage(removal());
        let text = serde_json::to_string(&action).unwrap();
        assert!(text.starts_with("{\"action\":\"remove-image\""), "{text}");
        let again: super::super::AnyAction = serde_json::from_str(&text).unwrap();
        assert_eq!(again, action);
        assert_eq!(
            removal().describe().reasons,
            ["`reg.example/app:2` has taken its place; up to 3 GB come free"]
        );
    }
}
