//! Running one command: sent once, followed to its end, and sent again only when it certainly has not begun.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::{Fault, Reply, Running};
use super::{Access, quote};
use crate::transport::sudo::Wrapped;
use crate::transport::{Command, Exit, Input, Stream, TransportError};

type Sink<'a> = &'a mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>;

/// How one try went.
enum Tried {
    Ended(Exit),
    /// The connection was gone before the command could begin.
    NotBegun(Fault),
}

/// Runs a command within its time limit; a connection that broke earlier is made anew first.
pub(super) fn run(
    access: &Access,
    wrapped: Wrapped,
    command: &Command,
    sink: Sink<'_>,
) -> Result<Exit, TransportError> {
    let deadline = Instant::now() + command.limit;
    let (request, input) = parts(wrapped, &command.input);
    if request.len() > quote::LONGEST {
        return Err(TransportError::Refused {
            what: format!(
                "a command of {} bytes; its bulk belongs into the input",
                request.len()
            ),
        });
    }
    let told = |fault| error(fault, &format!("`{}`", command.title()), command.limit);
    let link = access.link()?;
    let first = link.exec(request.clone(), Arc::clone(&input));
    match attempt(first, deadline, sink).map_err(told)? {
        Tried::Ended(exit) => return Ok(exit),
        Tried::NotBegun(fault @ (Fault::Lost(_) | Fault::Full)) => {
            tracing::debug!(
                ?fault,
                "the connection was of no use before the command began"
            );
            access.retire(&link);
        }
        Tried::NotBegun(fault) => return Err(told(fault)),
    }
    let second = access.link()?.exec(request, input);
    match attempt(second, deadline, sink).map_err(told)? {
        Tried::Ended(exit) => Ok(exit),
        Tried::NotBegun(fault) => Err(told(fault)),
    }
}

fn attempt(
    running: Result<Running, Fault>,
    deadline: Instant,
    sink: Sink<'_>,
) -> Result<Tried, Fault> {
    let mut running = match running {
        Ok(running) => running,
        Err(fault) => return Ok(Tried::NotBegun(fault)),
    };
    let mut begun = false;
    loop {
        match running.next(deadline) {
            Ok(Reply::Started) => begun = true,
            Ok(Reply::Printed(stream, bytes)) => {
                if sink(stream, &bytes).is_break() {
                    return Ok(Tried::Ended(Exit::Signal("PIPE".to_owned())));
                }
            }
            Ok(Reply::Ended(exit)) => return Ok(Tried::Ended(exit)),
            Ok(Reply::NotRun(fault)) => return Ok(Tried::NotBegun(fault)),
            // The worker ended without taking the job.
            Err(fault @ Fault::Lost(_)) if !begun => return Ok(Tried::NotBegun(fault)),
            Ok(Reply::Failed(fault)) | Err(fault) => return Err(fault),
        }
    }
}

/// Returns the line of an exec request, and what goes to standard input, the command's own last.
pub(super) fn parts(wrapped: Wrapped, own: &Input) -> (String, Arc<[Input]>) {
    let prefix = wrapped.prefix.map(Input::Secret);
    let input = prefix.into_iter().chain([own.clone()]).collect();
    (quote::carry(&wrapped.script), input)
}

/// Turns a fault of the connection into the error that callers see; `what` was wanted.
pub(super) fn error(fault: Fault, what: &str, limit: Duration) -> TransportError {
    match fault {
        Fault::Lost(detail) => TransportError::Lost { detail },
        Fault::Refused(why) => TransportError::Refused {
            what: format!("{what}: {why}"),
        },
        Fault::Full => TransportError::Refused {
            what: format!("{what}: another session on this connection"),
        },
        Fault::Closed => TransportError::Lost {
            detail: format!("the host closed the channel of {what}"),
        },
        Fault::TimedOut => TransportError::TimedOut {
            what: what.to_owned(),
            limit,
        },
    }
}
