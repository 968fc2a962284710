//! The rows of the list: what this machine remembers of each deployment, and the drafts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::commands::{Session, new};
use crate::engine::store::{DeploymentState, DraftId};
use crate::model::answers;
use crate::model::failure::Failure;
use crate::model::ids::{DeploymentName, RunId};
use crate::ui::tui::deployments::{Entry, Kind};
use crate::wizard::Draft;

/// What stands behind a row.
#[derive(Debug)]
pub(super) enum What {
    Deployment(DeploymentName),
    Draft(DraftId, Box<Draft>),
}

/// Reads the rows, and what stands behind each.
///
/// # Errors
/// Fails when the program's home cannot be read.
pub(super) fn read(session: &Session) -> Result<(Vec<Entry>, Vec<What>), Failure> {
    let (mut entries, mut what) = (Vec::new(), Vec::new());
    for state in session.home.deployments()? {
        entries.push(entry(session, &state));
        what.push(What::Deployment(state.name));
    }
    for (id, draft, changed) in new::drafts(session)? {
        // Somebody who only looked left nothing to go on with.
        if draft.is_empty() {
            continue;
        }
        entries.push(Entry {
            kind: Kind::Draft,
            name: draft.name().unwrap_or("(no name yet)").to_owned(),
            preset: draft
                .preset
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            when: Timestamp::try_from(changed).ok(),
            hosts: draft.hosts.iter().map(|host| host.name.clone()).collect(),
        });
        what.push(What::Draft(id, Box::new(draft)));
    }
    Ok((entries, what))
}

fn entry(session: &Session, state: &DeploymentState) -> Entry {
    let folder = session.home.deployment(&state.name);
    let path = folder.answers_path();
    let file = fs_err::read_to_string(&path)
        .ok()
        .and_then(|text| answers::read(path.as_str(), &text).file);
    let hosts = file.map(|file| file.hosts).unwrap_or_default();
    Entry {
        kind: Kind::Deployment {
            outcome: state.outcome.clone(),
            recorded: folder.events_path(&state.last_run).is_file(),
        },
        name: state.name.to_string(),
        preset: state.preset.to_string(),
        when: began(&state.last_run),
        hosts: hosts.iter().map(|host| host.name.to_string()).collect(),
    }
}

/// Returns when a run began: its id begins with that.
fn began(run: &RunId) -> Option<Timestamp> {
    let time = run.0.split('-').next()?;
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_tells_when_it_began() {
        let time = began(&RunId("20261120T120001Z-4f2a".to_owned())).unwrap();
        assert_eq!(time.to_string(), "2026-11-20T12:00:01Z");
        assert_eq!(began(&RunId("r".to_owned())), None);
    }
}
