//! Brings saved data back: read to its end, loaded beside what is there, and swapped with it at once.
//!
//! Until the swap everything that is there stays as it is, so what goes wrong before it costs nothing. The other services of the stack stand still from the
//! swap on; whoever plans this starts the stack afterwards.

use serde::{Deserialize, Serialize};

use super::data_set::{DataSet, LOADED};
use super::{Action, ActionError, Context, Materials};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};

/// Wants `compose` and `others`, functions that run Compose in the stack's folder.
const SCRIPT: &str = r#"cd "$saved"
sha256sum --check --quiet -- SHA256SUMS
compose up --detach --no-deps --pull never --no-build "$service"
tries=0
until program ready </dev/null 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 90 ]; then echo "$service does not come up"; exit 1; fi
    sleep 2
done
for part; do
    echo "reading $part"
    program prove <"$saved/$part.dump" >/dev/null
done
for part; do
    echo "loading $part beside what is there"
    program load "$part" <"$saved/$part.dump"
done
echo "stopping what uses it"
others=$(compose config --services | grep -vxF -- "$service" || :)
if [ -n "$others" ]; then compose stop $others; fi
echo "putting it in its place"
program swap "$@" </dev/null
: >"$saved/LOADED"
sync
program forget "$@" </dev/null
"#;

/// Brings saved data back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoadData {
    /// The data.
    pub data: DataSet,
}

impl LoadData {
    fn script(&self) -> Result<String, ActionError> {
        Ok(format!(
            "{}compose() {{ ( {} \"$@\" ); }}\n{SCRIPT}",
            self.data.settings()?,
            self.data.compose.script(&[])?
        ))
    }
}

impl Action for LoadData {
    fn describe(&self) -> Description {
        Description {
            summary: format!("REPLACE {} by what was saved", self.data.title),
            reasons: vec![
                format!("{} of `{}`", self.data.parts.join(", "), self.data.service),
                "loaded beside what is there and swapped with it at once: what goes wrong before changes nothing".to_owned(),
                "the other services of the stack are stopped for it and started again".to_owned(),
            ],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: "nothing brings replaced data back but another backup".to_owned(),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Say(format!(
            "Load {} with the tools in the container of `{}`.",
            self.data.parts.join(", "),
            self.data.service
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.data.has(cx, LOADED)? {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.data.run(cx, "load", &self.script()?, LOADED)
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}
