//! Checks that failed hold a run that somebody attends: what mends them is run from here, and then everything is looked at anew.

use std::time::Duration;

use crate::engine::helm::Wish;
use crate::engine::mend::{self, Mending};
use crate::engine::runner::Links;
use crate::engine::session::stages::Settled;
use crate::engine::session::story::{Ending, Run};
use crate::model::event::{Event, Listener, Outcome};
use crate::model::failure::Failure;
use crate::model::ids::HostName;

/// How often it is looked whether the operator has decided.
const LOOK: Duration = Duration::from_millis(100);

/// Waits until something was mended or the operator wants to try again.
///
/// # Errors
/// Returns `ending` when nobody attends the run, or the operator leaves.
pub(super) fn until_mended(run: &Run<'_>, settled: &Settled, ending: Ending) -> Result<(), Ending> {
    let helm = &run.job.helm;
    if !helm.is_attended() || ending.0 != Outcome::ChecksFailed {
        return Err(ending);
    }
    run.listener.hear(Event::Held);
    run.peace.during(|| {
        loop {
            match helm.take() {
                Some(Wish::Retry(_)) => return Ok(()),
                Some(Wish::Fix { host, command }) if mended(run, settled, &host, &command) => {
                    return Ok(());
                }
                Some(Wish::Fix { .. }) => run.listener.hear(Event::Held),
                None if run.job.cancel.wait(LOOK) => return Err(ending),
                // What was not begun cannot be gone on without.
                Some(Wish::Skip(_)) | None => {}
            }
        }
    })
}

fn mended(run: &Run<'_>, settled: &Settled, host: &HostName, command: &str) -> bool {
    let mending = Mending {
        listener: run.listener.as_ref(),
        redactor: &settled.redactor,
        cancel: &run.job.cancel,
    };
    match settled.seen.links.host(host) {
        Ok(link) => mend::mend(link.as_ref(), command, &mending),
        Err(error) => {
            let failure = Failure::from_error(&error).on(host);
            run.listener.hear(Event::FixEnded {
                host: host.clone(),
                failure: Some(failure),
            });
            false
        }
    }
}
