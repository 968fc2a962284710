//! Runs the command that mends a failure on its host, because the operator asked for it, and tells what it prints.
//!
//! Root's rights are had as everywhere else: a command names `sudo`, and here that stands for the rights that this session has found. It decides neither
//! which command is offered nor what comes after it.

use std::ops::ControlFlow;
use std::time::Duration;

use super::cancel::Cancel;
use super::printed::Lines;
use super::redact::Redactor;
use crate::model::event::{Event, Listener};
use crate::model::facts::RootAccess;
use crate::model::failure::{Failure, FailureKind};
use crate::model::text::visible;
use crate::transport::{Command, Exit, Host, Privilege};

/// How long such a command may take: installing a container engine over a slow line is the longest.
const LIMIT: Duration = Duration::from_mins(20);

/// Gives `sudo` in the command the meaning of rights that are there already.
const NO_SUDO: &str = "sudo() { \"$@\"; }\n";

/// What mending works with.
pub(super) struct Mending<'a> {
    pub(super) listener: &'a dyn Listener,
    pub(super) redactor: &'a Redactor,
    pub(super) cancel: &'a Cancel,
}

/// Runs the command to its end and returns whether it did its work.
pub(super) fn mend(host: &dyn Host, command: &str, mending: &Mending<'_>) -> bool {
    let name = host.name().clone();
    mending.listener.hear(Event::FixStarted {
        host: name.clone(),
        command: command.to_owned(),
    });
    let failure = run(host, command, mending).err().map(|mut failure| {
        mending.redactor.failure(&mut failure);
        failure.on(&name)
    });
    let mended = failure.is_none();
    mending.listener.hear(Event::FixEnded {
        host: name,
        failure,
    });
    mended
}

fn run(host: &dyn Host, command: &str, mending: &Mending<'_>) -> Result<(), Failure> {
    let mut lines = Lines::default();
    let tell = |line: String| {
        mending.listener.hear(Event::FixOutput {
            host: host.name().clone(),
            line: mending.redactor.text(&visible(&line)),
        });
    };
    let exit = host
        .stream(&as_a_command(host, command), &mut |_, bytes| {
            lines.take(bytes).into_iter().for_each(tell);
            if mending.cancel.is_raised() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .map_err(|error| Failure::from_error(&error))?;
    lines.rest().into_iter().for_each(tell);
    match exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(code) => Err(not_done(&format!("ended with status {code}"))),
        Exit::Signal(signal) => Err(not_done(&format!("was ended by signal {signal}"))),
    }
}

/// Returns the command with the rights it asks for.
fn as_a_command(host: &dyn Host, command: &str) -> Command {
    let wants_root = command.split_whitespace().any(|word| word == "sudo");
    let privilege = match host.root_access() {
        _ if !wants_root => Privilege::User,
        // Where root's rights cannot be had, the group of Docker may still do.
        RootAccess::None | RootAccess::PasswordMissing => Privilege::User,
        RootAccess::IsRoot | RootAccess::Passwordless | RootAccess::Password => Privilege::Root,
    };
    Command::sh(format!("{NO_SUDO}{command}"))
        .with_privilege(privilege)
        .within(LIMIT)
}

fn not_done(how: &str) -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: format!("the command {how}"),
        causes: Vec::new(),
        hint: Some("read what it printed, mend the cause on the host, and try again".to_owned()),
        command: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::engine::local_shell::LocalShell;

    fn mended(command: &str) -> (bool, Vec<Event>) {
        let heard = Mutex::new(Vec::new());
        let listener = |event: Event| heard.lock().unwrap().push(event);
        let host = LocalShell::new("ui", &["sh"]);
        let done = mend(
            &host,
            command,
            &Mending {
                listener: &listener,
                redactor: &Redactor::default(),
                cancel: &Cancel::new(),
            },
        );
        (done, heard.into_inner().unwrap())
    }

    #[test]
    fn its_output_is_told_line_by_line_and_sudo_means_the_rights_that_are_there() {
        let (done, heard) = mended("sudo printf 'one\\ntwo' && echo three | sudo cat");
        assert!(done, "{heard:?}");
        let lines: Vec<&str> = heard
            .iter()
            .filter_map(|event| match event {
                Event::FixOutput { line, .. } => Some(line.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(lines, ["one", "twothree"]);
        assert!(matches!(heard[0], Event::FixStarted { .. }));
    }

    #[test]
    fn a_command_that_fails_says_how() {
        let (done, heard) = mended("echo no >&2; exit 3");
        assert!(!done);
        let Some(Event::FixEnded {
            failure: Some(failure),
            ..
        }) = heard.last()
        else {
            panic!("{heard:?}");
        };
        assert_eq!(failure.message, "the command ended with status 3");
    }
}
