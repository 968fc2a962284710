//! Brings the files of a backup from the operator's machine to a host; after a cut it goes on where the file ends.

use std::io::{self, Read as _, Seek as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::data_set::{self, DataSet};
use super::place::quote;
use super::{Action, ActionError, Context, Materials};
use crate::model::backup::SavedFile;
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::size::human;
use crate::transport::{Command, Input};

/// Bytes that are sent at once; they are held in memory.
const PIECE: u64 = 2 << 20;
/// How long a piece may take before the link counts as gone.
const PATIENCE: Duration = Duration::from_mins(15);

/// What an earlier one has left that nobody goes on with makes room first.
const BEGIN: &str = r#"for old in "${all%/*}"/restore-*; do
    if [ -e "$old" ] && [ "$old" != "$all" ]; then rm -rf "$old"; fi
done
mkdir -p "$saved.part"
"#;

/// Writes standard input at its place: a late piece of a connection that broke writes the same there.
const WRITE: &str = "LC_ALL=C dd of=\"$file\" bs=65536 conv=notrunc oflag=seek_bytes seek=\"$place\" 2>&1 || exit 1";

/// Compares what came and gives it its name.
const FINISH: &str = r#"cd "$saved.part" || exit 1
cat >SHA256SUMS.part && sha256sum --check --quiet -- SHA256SUMS.part || { rm -f -- *; echo "other bytes arrived than were sent" >&2; exit 1; }
sync
mv SHA256SUMS.part SHA256SUMS && cd / && rm -rf "$saved" && mv "$saved.part" "$saved"
"#;

/// Brings saved data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BringData {
    /// The data.
    pub data: DataSet,
    /// The folder on this machine.
    pub from: Utf8PathBuf,
    /// Its files.
    pub files: Vec<SavedFile>,
}

impl BringData {
    fn total(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Returns the checksums as `sha256sum` prints them.
    fn sums(&self) -> String {
        let lines = self.files.iter();
        let lines = lines.map(|file| [file.sha256.as_str(), "  ", &file.name, "\n"]);
        lines.flatten().collect()
    }

    fn send(&self, cx: &Context<'_>, file: &SavedFile, before: u64) -> Result<(), ActionError> {
        let path = self.from.join(&file.name);
        let there = format!("\"$saved.part\"/{}", quote(&file.name)?);
        let look = format!("[ ! -f {there} ] || wc -c <{there}");
        let mut place = self
            .data
            .ask(cx, &look)?
            .trim()
            .parse()
            .unwrap_or(0)
            .min(file.size);
        let mut open = fs_err::File::open(&path).map_err(|error| local(&path, &error))?;
        open.seek(io::SeekFrom::Start(place))
            .map_err(|error| local(&path, &error))?;
        while place < file.size {
            cx.progress.at(before + place, Some(self.total()));
            if cx.progress.cancelled() {
                return Err(ActionError::Cancelled);
            }
            let mut piece = Vec::new();
            let taken = (&mut open)
                .take(PIECE.min(file.size - place))
                .read_to_end(&mut piece);
            let taken = taken.map_err(|error| local(&path, &error))? as u64;
            if taken == 0 {
                return Err(changed(&path));
            }
            self.write(cx, &there, place, piece)?;
            place += taken;
        }
        Ok(())
    }

    fn write(
        &self,
        cx: &Context<'_>,
        file: &str,
        place: u64,
        piece: Vec<u8>,
    ) -> Result<(), ActionError> {
        let script = format!(
            "umask 077\nsaved={}\nfile={file}\nplace={place}\n{WRITE}",
            quote(&self.data.saved())?
        );
        self.must(cx, script, piece)
    }

    fn must(&self, cx: &Context<'_>, script: String, input: Vec<u8>) -> Result<(), ActionError> {
        let command = Command::sh(script)
            .with_privilege(self.data.compose.rights.privilege())
            .with_input(Input::Bytes(input))
            .within(PATIENCE);
        let output = cx.host.run(&command)?;
        if output.ok() {
            return Ok(());
        }
        let words = [output.text(), output.complaint()].join("\n");
        Err(ActionError::Situation {
            message: format!("the backup could not be written to {}", self.data.saved()),
            evidence: words.lines().map(str::to_owned).collect(),
            remedy: Some(format!(
                "see that {} are free there, and run the same command again: it goes on from here",
                human(self.total())
            )),
            command: None,
        })
    }
}

fn local(path: &Utf8Path, error: &io::Error) -> ActionError {
    ActionError::Situation {
        message: format!("cannot read {path}: {error}"),
        evidence: Vec::new(),
        remedy: Some("see that the backup is whole, and run the same command again".to_owned()),
        command: None,
    }
}

fn changed(path: &Utf8Path) -> ActionError {
    local(
        path,
        &io::Error::other("it became shorter while it was read"),
    )
}

impl Action for BringData {
    fn describe(&self) -> Description {
        Description {
            summary: format!("bring the backup of {} to its host", self.data.title),
            reasons: vec![format!("{} from {}", human(self.total()), self.from)],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("remove the backup of {} from its host", self.data.title),
            reasons: vec![self.data.saved()],
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Say(format!(
            "Copy {} to {} on the host, for instance with `scp`.",
            self.from,
            self.data.saved()
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let there = self
            .data
            .ask(cx, "cat \"$saved/SHA256SUMS\" 2>/dev/null || :")?;
        Ok(if there == self.sums().trim_end() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.data.ask(cx, BEGIN)?;
        let mut before = 0;
        for file in &self.files {
            self.send(cx, file, before)?;
            before += file.size;
        }
        cx.progress.at(before, Some(before));
        let script = format!("umask 077\nsaved={}\n{FINISH}", quote(&self.data.saved())?);
        self.must(cx, script, self.sums().into_bytes())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        data_set::left(&self.data, cx)
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.data.remove(cx)
    }
}
