//! Refuses images that were made before those that run: tags need not say which of two releases is the newer one.
//!
//! Where an archive tells when its images were made, nothing is sent before; otherwise it looks once they are on the host. Nothing has stopped by then.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::shell_quoted;

/// Builds that are the same every time bear a time from about here; it says nothing.
const MEANT: i64 = 10 * 365 * 24 * 3600;

/// Compares images with those that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefuseOlder {
    /// What comes in whose place.
    pub pairs: Vec<Successor>,
}

/// An image that takes another's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Successor {
    /// What comes.
    pub image: ImageRef,
    /// The name of what runs.
    pub runs: String,
    /// When that was made.
    pub made: Timestamp,
    /// When what comes was made, where that is known before it is on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comes: Option<Timestamp>,
}

/// Returns when an image was made, when that says anything.
#[must_use]
pub fn made(created: Option<&str>) -> Option<Timestamp> {
    let time: Timestamp = created?.parse().ok()?;
    (time.as_second() > MEANT).then_some(time)
}

impl RefuseOlder {
    /// Returns the first image that is older, with when it was made.
    fn older(&self, cx: &Context<'_>) -> Result<Option<(&Successor, Timestamp)>, ActionError> {
        for pair in &self.pairs {
            let time = if pair.comes.is_some() {
                pair.comes
            } else {
                let found = cx.host.docker()?.image(&pair.image)?;
                found.and_then(|image| made(image.created.as_deref()))
            };
            if let Some(time) = time.filter(|time| *time < pair.made) {
                return Ok(Some((pair, time)));
            }
        }
        Ok(None)
    }

    /// Returns whether everything that comes is there already.
    fn is_there(&self, cx: &Context<'_>) -> Result<bool, ActionError> {
        for pair in self.pairs.iter().filter(|pair| pair.comes.is_none()) {
            if cx.host.docker()?.image(&pair.image)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Action for RefuseOlder {
    fn describe(&self) -> Description {
        Description {
            summary: "make sure that no image is older than the one that runs".to_owned(),
            reasons: self
                .pairs
                .iter()
                .map(|pair| {
                    format!(
                        "{} after {}, made {}",
                        pair.image,
                        pair.runs,
                        day(pair.made)
                    )
                })
                .collect(),
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description::nothing_to_undo()
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let names: Vec<String> = self
            .pairs
            .iter()
            .map(|pair| shell_quoted(&pair.image.to_string()))
            .collect();
        vec![
            ByHand::Run(format!(
                "docker image inspect --format '{{{{.Created}}}}' {}",
                names.join(" ")
            )),
            ByHand::Say(
                "None of these may be before what runs was made; 1970 says nothing.".to_owned(),
            ),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let fine = self.is_there(cx)? && self.older(cx)?.is_none();
        Ok(if fine {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let Some((pair, time)) = self.older(cx)? else {
            return Ok(());
        };
        Err(ActionError::Situation {
            message: format!(
                "{} was made on {}, before {} which runs, made on {}: what that has made of the data may be unreadable to it",
                pair.image, day(time), pair.runs, day(pair.made)
            ),
            evidence: Vec::new(),
            remedy: Some(
                "`rollback` goes back with the data of then; give `--allow-older` when the release is newer in spite of its date".to_owned(),
            ),
            command: None,
        })
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::{Machine, image};

    #[test]
    fn an_image_that_was_made_before_is_refused_and_one_without_a_date_is_not() {
        let machine = Machine::new();
        let cx = machine.cx();
        let mut action = RefuseOlder {
            pairs: vec![Successor {
                image: ImageRef::parse("app:latest").unwrap(),
                runs: "app:2.0.0".to_owned(),
                made: "2025-09-30T00:00:00Z".parse().unwrap(),
                comes: None,
            }],
        };
        assert_eq!(action.probe(&cx).unwrap(), Probe::Needed);
        let at = |created: &str| {
            let mut found = image("app:latest", "two");
            found.created = Some(created.to_owned());
            machine.engine.world().images = vec![found];
        };
        at("2024-07-18T10:00:00.5Z");
        let refused = action.execute(&cx).unwrap_err().to_string();
        assert!(
            refused.starts_with(
                "app:latest was made on 2024-07-18 10:00 UTC, before app:2.0.0 which runs"
            ),
            "{refused}"
        );
        for fine in ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "nonsense"] {
            at(fine);
            assert_eq!(action.probe(&cx).unwrap(), Probe::AlreadySo, "{fine}");
            action.execute(&cx).unwrap();
        }
    }

    #[test]
    fn what_an_archive_tells_needs_no_image_on_the_host() {
        let machine = Machine::new();
        let of = |comes: &str| RefuseOlder {
            pairs: vec![Successor {
                image: ImageRef::parse("app:latest").unwrap(),
                runs: "app:2.0.0".to_owned(),
                made: "2025-09-30T00:00:00Z".parse().unwrap(),
                comes: made(Some(comes)),
            }],
        };
        let newer = of("2026-01-01T00:00:00Z");
        assert_eq!(newer.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
        let mut older = of("2024-07-18T10:00:00Z");
        assert_eq!(older.probe(&machine.cx()).unwrap(), Probe::Needed);
        older.execute(&machine.cx()).unwrap_err();
    }
}
