//! Gives an image that is on the host a name: so that what a moving tag stood for can be found again, and stands for it again.

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials, Rights};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::shell_quoted;

/// Names an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NameImage {
    /// The engine's id of the image.
    pub image: String,
    /// The name.
    pub name: ImageRef,
    /// Whether a name that stands for something already keeps that.
    pub first: bool,
    /// Whose rights it is typed with by hand.
    pub rights: Rights,
}

impl Action for NameImage {
    fn describe(&self) -> Description {
        let summary = if self.first {
            format!("keep what stands now as `{}`", self.name)
        } else {
            format!("let `{}` stand for what it stood for before", self.name)
        };
        Description {
            summary,
            reasons: vec![format!("the image {}", self.image)],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("leave the name `{}`", self.name),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Run(format!(
            "{}docker tag {} {}",
            self.rights.typed(),
            shell_quoted(&self.image),
            shell_quoted(&self.name.to_string())
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let found = cx.host.docker()?.image(&self.name)?;
        let stands = found.is_some_and(|image| self.first || image.id == self.image);
        Ok(if stands {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let docker = cx.host.docker()?;
        if docker.images()?.iter().all(|image| image.id != self.image) {
            return Err(ActionError::Situation {
                message: format!("the image that `{}` stood for is gone", self.name),
                evidence: vec![self.image.clone()],
                remedy: Some(
                    "bring it again, with `docker load` or from the registry by its digest, and run the same command again"
                        .to_owned(),
                ),
                command: None,
            });
        }
        docker.tag(&self.image, &self.name)?;
        Ok(())
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::{Machine, image};

    fn named(image: &str, name: &str, first: bool) -> NameImage {
        NameImage {
            image: format!("sha256:{image}"),
            name: ImageRef::parse(name).unwrap(),
            first,
            rights: Rights::Login,
        }
    }

    #[test]
    fn a_kept_name_stays_with_the_first_and_a_moving_one_moves() {
        let machine = Machine::new();
        let cx = machine.cx();
        machine.engine.world().images = vec![image("app:1", "one"), image("app:latest", "two")];
        let mut keep = named("one", "app:before", true);
        assert_eq!(keep.probe(&cx).unwrap(), Probe::Needed);
        keep.execute(&cx).unwrap();
        let kept = machine.engine.world().images[0].tags.clone();
        assert_eq!(kept, ["app:1", "app:before"]);
        // Going on after a kill, something else may run already.
        assert_eq!(
            named("two", "app:before", true).probe(&cx).unwrap(),
            Probe::AlreadySo
        );
        assert_eq!(
            named("two", "app:latest", false).probe(&cx).unwrap(),
            Probe::AlreadySo
        );
        assert_eq!(
            named("one", "app:latest", false).probe(&cx).unwrap(),
            Probe::Needed
        );
        let gone = named("three", "app:latest", false)
            .execute(&cx)
            .unwrap_err();
        assert!(gone.to_string().contains("is gone"), "{gone}");
    }
}
