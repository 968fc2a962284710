//! Saves data of a service to files on its host, and reads them again to their end.

use serde::{Deserialize, Serialize};

use super::data_set::{DataSet, SUMS};
use super::{Action, ActionError, Context, Materials};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};

/// Writes beside, proves, and renames. What an earlier one for the same purpose has left goes first: nobody else can be at it, the deployment is locked.
const SCRIPT: &str = r#"name=${all##*/}
for old in "${all%/*}/${name%%-*}"-*; do
    if [ -e "$old" ] && [ "$old" != "$all" ]; then rm -rf "$old"; fi
done
rm -rf "$saved.part"
mkdir -p "$saved.part"
for part; do
    echo "saving $part"
    program save "$part" </dev/null >"$saved.part/$part.dump"
    echo "reading what was saved, $(wc -c <"$saved.part/$part.dump") bytes"
    program prove <"$saved.part/$part.dump" >/dev/null
done
cd "$saved.part"
sha256sum -- *.dump >SHA256SUMS.part
sync
mv SHA256SUMS.part SHA256SUMS
cd /
rm -rf "$saved"
mv "$saved.part" "$saved"
"#;

/// Saves data of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SaveData {
    /// The data.
    pub data: DataSet,
}

impl Action for SaveData {
    fn describe(&self) -> Description {
        Description {
            summary: format!("save {}", self.data.title),
            reasons: vec![format!(
                "{} of `{}`, to {} on its host; what was saved is read again to its end",
                self.data.parts.join(", "),
                self.data.service,
                self.data.saved()
            )],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("remove what was saved of {}", self.data.title),
            reasons: vec![self.data.saved()],
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Say(format!(
            "Save {} ({}) with the tools in the container of `{}`.",
            self.data.title,
            self.data.parts.join(", "),
            self.data.service
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.data.has(cx, SUMS)? {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let script = format!("{}{SCRIPT}", self.data.settings()?);
        self.data.run(cx, "save", &script, SUMS)
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        super::data_set::left(&self.data, cx)
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.data.remove(cx)
    }
}
