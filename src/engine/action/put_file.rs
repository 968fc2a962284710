//! Puts one file in its place, keeping a copy of what stood there.

mod by_hand;
mod difference;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::place::{self, Place, quote};
use super::{Action, ActionError, Context, Material, Materials, Rights};
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::hexadecimal;
use crate::transport::{Command, files};

/// Puts a file; its content comes from the run's materials and never stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PutFile {
    /// The stack it belongs to.
    pub stack: StackId,
    /// The stack's folder.
    pub folder: String,
    /// Its path in the folder.
    pub path: String,
    /// Its mode.
    pub mode: u32,
    /// Whether it holds a secret.
    pub secret: bool,
    /// Whose rights write and own it.
    pub rights: Rights,
    /// Name of the copy that is kept when a file is replaced; the run is part of it.
    pub backup: String,
    /// What stood there before us, noted before anything is written.
    #[serde(default)]
    pub before: Before,
}

/// What stood in a file's place before us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// Not looked yet: nothing to undo.
    #[default]
    Unknown,
    /// Nothing.
    Absent,
    /// A file, of which a copy is kept.
    File,
}

impl PutFile {
    fn target(&self) -> String {
        format!("{}/{}", self.folder, self.path)
    }

    fn copy(&self) -> String {
        format!("{}/{}", self.folder, self.backup)
    }

    fn look(&self, cx: &Context<'_>) -> Result<Place, ActionError> {
        place::look(cx.host, &self.target(), self.rights)
    }

    fn material(&self, cx: &Context<'_>) -> Result<Material, ActionError> {
        cx.materials
            .file(cx.host.name(), &self.stack, &self.path)
            .ok_or_else(|| ActionError::Bug(format!("no content for {}", self.target())))
    }

    fn run(&self, cx: &Context<'_>, script: String) -> Result<(), ActionError> {
        cx.host
            .must(&Command::sh(script).with_privilege(self.rights.privilege()))?;
        Ok(())
    }

    /// Keeps a copy of what stands there, made whole or not at all, and made once.
    fn keep_copy(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let (target, copy) = (quote(&self.target())?, quote(&self.copy())?);
        self.run(
            cx,
            format!("umask 077; [ -e {copy} ] || {{ cp -p {target} {copy}.part && mv {copy}.part {copy}; }}"),
        )
    }
}

fn checksum(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

impl Action for PutFile {
    fn describe(&self) -> Description {
        let mut reasons = vec![format!("mode {:04o}", self.mode)];
        if self.secret {
            reasons.push("holds secrets; shown here by their names".to_owned());
        }
        Description {
            summary: format!("write {}", self.target()),
            reasons,
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: match self.before {
                Before::Unknown => format!("leave {}", self.target()),
                Before::Absent => format!("remove {}", self.target()),
                Before::File => format!("put {} back as it was", self.target()),
            },
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, host: &HostName, materials: &dyn Materials) -> Vec<ByHand> {
        let masked = materials.file(host, &self.stack, &self.path);
        let masked = masked.map_or_else(String::new, |material| material.masked);
        by_hand::written(self, &masked)
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let wanted = checksum(self.material(cx)?.content.bytes());
        Ok(match self.look(cx)? {
            Place::File {
                mode,
                ours,
                checksum,
            } if mode == self.mode && ours && checksum == wanted => Probe::AlreadySo,
            Place::File { .. } | Place::Absent => Probe::Needed,
            Place::Folder { .. } => Probe::Conflict(format!(
                "{0} is a folder and must be a file; Docker makes such folders when a file is missing: remove it with `rmdir {0}`",
                self.target()
            )),
            Place::Other(what) => Probe::Conflict(format!(
                "{} is a {what} and must be a file: move it away",
                self.target()
            )),
        })
    }

    fn difference(&self, cx: &Context<'_>) -> Result<Option<String>, ActionError> {
        let material = self.material(cx)?;
        let there = files::read(cx.host, &self.target(), self.rights.privilege())?;
        Ok(difference::unified(&self.path, there.as_deref(), &material))
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.before = match self.look(cx)? {
            Place::File { .. } => Before::File,
            _ => Before::Absent,
        };
        Ok(())
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if self.before == Before::File {
            self.keep_copy(cx)?;
        }
        let material = self.material(cx)?;
        files::put(
            cx.host,
            &self.target(),
            self.mode,
            &material.content,
            self.rights.privilege(),
        )?;
        Ok(())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let there = match self.before {
            Before::Unknown => return Ok(Probe::AlreadySo),
            Before::Absent => self.look(cx)?,
            Before::File => place::look(cx.host, &self.copy(), self.rights)?,
        };
        Ok(match there {
            Place::File { .. } => Probe::Needed,
            _ => Probe::AlreadySo,
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let (target, copy) = (quote(&self.target())?, quote(&self.copy())?);
        match self.before {
            Before::Unknown => {}
            Before::Absent => self.run(cx, format!("rm -f {target}"))?,
            // Without the copy nothing was replaced yet, or it was put back before.
            Before::File => self.run(cx, format!("[ ! -e {copy} ] || mv {copy} {target}"))?,
        }
        self.before = Before::Unknown;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
