//! Fetches what was saved on a host to the operator's machine; after a cut it goes on where the file ends.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::data_set::{DataSet, SUMS};
use super::place::quote;
use super::{Action, ActionError, Context, Materials};
use crate::engine::backups::{self, Sums};
use crate::engine::store::private;
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::{Command, Stream, TransportError, files};

/// Bytes for one question, between which the operator may stop.
const PORTION: u64 = 32 << 20;
/// How long a portion may take before the link counts as gone.
const PATIENCE: Duration = Duration::from_mins(30);

/// Fetches saved data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FetchData {
    /// The data.
    pub data: DataSet,
    /// The folder on this machine.
    pub to: Utf8PathBuf,
}

impl FetchData {
    fn sums(&self, cx: &Context<'_>) -> Result<(String, Sums), ActionError> {
        let path = format!("{}/{SUMS}", self.data.saved());
        let bytes = files::read(cx.host, &path, self.data.compose.rights.privilege())?;
        let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        let sums = backups::parse_sums(&text)
            .ok_or_else(|| ActionError::Bug(format!("cannot read {path}: {text}")))?;
        Ok((text, sums))
    }

    fn size(&self, cx: &Context<'_>, name: &str) -> Result<u64, ActionError> {
        let text = self
            .data
            .ask(cx, &format!("wc -c <\"$saved\"/{}", quote(name)?))?;
        let size = text.trim().parse();
        size.map_err(|_| ActionError::Bug(format!("the host says `{text}` of the size of {name}")))
    }

    /// Fetches what this machine lacks of a file.
    fn file(&self, cx: &Context<'_>, name: &str, sum: &str) -> Result<(), ActionError> {
        let (target, part) = (self.to.join(name), self.to.join(format!("{name}.part")));
        if target.is_file() {
            return Ok(());
        }
        let size = self.size(cx, name)?;
        let mut file = private::append(&part).map_err(|error| local(&part, &error))?;
        let mut have = file.metadata().map_err(|error| local(&part, &error))?.len();
        while have < size {
            cx.progress.at(have, Some(size));
            if cx.progress.cancelled() {
                return Err(ActionError::Cancelled);
            }
            have += self.portion(cx, name, have, &mut file, &part)?;
        }
        cx.progress.at(size, Some(size));
        file.sync_all().map_err(|error| local(&part, &error))?;
        if backups::sha256(&part).map_err(|error| local(&part, &error))? != sum {
            let _ = fs_err::remove_file(&part);
            return Err(TransportError::Damaged {
                path: part.into_string(),
                found: "another content".to_owned(),
                sent: sum.to_owned(),
            }
            .into());
        }
        fs_err::rename(&part, &target).map_err(|error| local(&target, &error))
    }

    fn portion(
        &self,
        cx: &Context<'_>,
        name: &str,
        from: u64,
        file: &mut fs_err::File,
        part: &Utf8Path,
    ) -> Result<u64, ActionError> {
        let path = quote(&format!("{}/{name}", self.data.saved()))?;
        let script = format!("tail -c +{} {path} | head -c {PORTION}", from + 1);
        let command = Command::sh(script)
            .with_privilege(self.data.compose.rights.privilege())
            .within(PATIENCE);
        let (mut came, mut trouble, mut words) = (0, None, Vec::new());
        cx.host.stream(&command, &mut |stream, bytes| {
            if stream == Stream::Err {
                words.extend_from_slice(bytes);
                return ControlFlow::Continue(());
            }
            match file.write_all(bytes) {
                Ok(()) => {
                    came += bytes.len() as u64;
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    trouble = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = trouble {
            return Err(local(part, &error));
        }
        if came == 0 {
            let words = String::from_utf8_lossy(&words).into_owned();
            return Err(ActionError::Situation {
                message: format!("the host gives nothing of {name}"),
                evidence: words.lines().map(str::to_owned).collect(),
                remedy: Some("run the same command again".to_owned()),
                command: None,
            });
        }
        Ok(came)
    }
}

/// Returns the error of a file on this machine.
fn local(path: &Utf8Path, error: &io::Error) -> ActionError {
    ActionError::Situation {
        message: format!("cannot write to {path}: {error}"),
        evidence: Vec::new(),
        remedy: Some(
            "make room there, or name another folder with `--output`, and run the same command again"
                .to_owned(),
        ),
        command: None,
    }
}

impl Action for FetchData {
    fn describe(&self) -> Description {
        Description {
            summary: format!("fetch {} to {}", self.data.title, self.to),
            reasons: vec!["files that only you may read, compared by their checksums".to_owned()],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("leave {}", self.to),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Say(format!(
            "Copy {} to {} on this machine, for instance with `scp`.",
            self.data.saved(),
            self.to
        ))]
    }

    fn probe(&self, _cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.to.join(SUMS).is_file() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        private::folder(&self.to).map_err(|error| local(&self.to, &error))?;
        let (text, sums) = self.sums(cx)?;
        for (name, sum) in &sums {
            self.file(cx, name, sum)?;
        }
        let path = self.to.join(SUMS);
        private::replace(&path, text.as_bytes()).map_err(|error| local(&path, &error))
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}
