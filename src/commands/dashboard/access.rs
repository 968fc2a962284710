//! Where a deployment can be used, as its last runs told it, and the record of its hand-over.

use std::io::{BufRead, BufReader};

use camino::Utf8Path;

use crate::engine::store::DeploymentFolder;
use crate::model::event::{Event, Record};
use crate::ui::tui::dashboard::Access;
use crate::ui::tui::run;

/// Runs that are looked through for addresses; `check` and `plan` tell none.
const RUNS: usize = 20;

/// Reads both; what is not there, or cannot be read, is absent.
pub(super) fn read(folder: &DeploymentFolder) -> Access {
    let runs = folder.recorded_runs().unwrap_or_default();
    let endpoints = runs
        .iter()
        .rev()
        .take(RUNS)
        .map(|run| endpoints(&folder.events_path(run)))
        .find(|endpoints| !endpoints.is_empty());
    let path = folder.record_path();
    let record = fs_err::read_to_string(&path).ok().map(|text| run::Record {
        path: path.to_string(),
        text,
    });
    Access {
        endpoints: endpoints.unwrap_or_default(),
        record,
    }
}

/// Returns what a run told.
fn endpoints(path: &Utf8Path) -> Vec<(String, String)> {
    let Ok(file) = fs_err::File::open(path) else {
        return Vec::new();
    };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines
        // Most lines are of other things, and need not be understood.
        .filter(|line| line.contains("endpoint-ready"))
        .filter_map(
            |line| match serde_json::from_str::<Record>(&line).ok()?.event {
                Event::EndpointReady { title, url } => Some((title, url)),
                _ => None,
            },
        )
        .collect()
}
