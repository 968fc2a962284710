//! What this machine remembers of a deployment: answers, receipts and events of the last runs, and the program's own log.

use std::io::{self, Read, Seek, SeekFrom};

use camino::Utf8Path;

use super::SupportError;
use super::spool::Spool;
use crate::engine::store::{DeploymentFolder, Home};
use crate::model::event::{Event, Listener};
use crate::model::ids::RunId;

/// So many runs are kept, the last ones.
pub(in crate::engine) const RUNS: usize = 5;

/// So many bytes at the end of each file.
pub(in crate::engine) const MOST: u64 = 2 << 20;

/// Files of a deployment's folder that are kept.
const FILES: &[&str] = &[
    "answers.toml",
    "state.json",
    "upgrade.json",
    "it-sheet.md",
    "hand-over.md",
];

/// Keeps all of it; what cannot be read is named.
///
/// # Errors
/// When it cannot be kept.
pub(in crate::engine) fn keep(
    home: &Home,
    folder: &DeploymentFolder,
    run: &RunId,
    spool: &Spool,
    listener: &dyn Listener,
) -> Result<(), SupportError> {
    let one = |path: &Utf8Path, file: &str| -> Result<(), SupportError> {
        if !path.is_file() {
            return Ok(());
        }
        let label = format!("this machine/{}", path.file_name().unwrap_or(file));
        match end_of(path) {
            Ok(text) => {
                let count = spool.write(file, &label, &text)?;
                listener.hear(Event::LogsEnded { count });
            }
            Err(error) => spool.miss(label, &error.to_string()),
        }
        Ok(())
    };
    for file in FILES {
        one(&folder.root().join(file), &format!("installer/{file}"))?;
    }
    let listed = |listed: Result<Vec<RunId>, _>| -> Vec<RunId> {
        listed.unwrap_or_else(|error: crate::engine::store::StoreError| {
            spool.miss("this machine/runs", &error.to_string());
            Vec::new()
        })
    };
    let receipts = listed(folder.receipts().runs());
    let changed: Vec<&RunId> = receipts.iter().rev().take(RUNS).collect();
    let events = listed(folder.recorded_runs());
    let last = events.iter().filter(|id| *id != run).rev().take(RUNS);
    // Many looks may have come since the last change, which tells more.
    let mut told: Vec<&RunId> = last.chain(changed.iter().copied()).collect();
    told.sort();
    told.dedup();
    for of_run in told {
        one(
            &folder.events_path(of_run),
            &format!("installer/events/{of_run}.jsonl"),
        )?;
    }
    for of_run in changed {
        let path = folder
            .root()
            .join("receipts")
            .join(format!("{of_run}.json"));
        one(&path, &format!("installer/receipts/{of_run}.json"))?;
    }
    let log = home.root().join("logs").join("installer.log");
    one(&log, "installer/installer.log")
}

/// Returns the last part of a file, from the beginning of a line.
fn end_of(path: &Utf8Path) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let size = file.metadata()?.len();
    let from = size.saturating_sub(MOST);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match text.split_once('\n') {
        Some((_, rest)) if from > 0 => rest.to_owned(),
        _ => text.into_owned(),
    })
}
