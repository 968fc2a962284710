//! What can go wrong with the rehearsal, and what to do about it.

use std::io;

use crate::model::failure::Hinted;

/// A failure of the rehearsal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// A program could not be started at all.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{what} failed with status {status}: {tail}")]
    Failed {
        /// What was being done.
        what: String,
        /// The exit status.
        status: i32,
        /// The last lines it printed.
        tail: String,
    },
    /// A program or a wait took longer than its limit.
    #[error("{what} took longer than {seconds} s")]
    TimedOut {
        /// What was being done.
        what: String,
        /// The limit.
        seconds: u64,
    },
    /// No Docker Engine can be used.
    #[error("no Docker Engine here can run the rehearsal's virtual machines")]
    NoEngine {
        /// Why the machine's own does not do.
        machine: String,
        /// Why no second one could be started.
        second: String,
    },
    /// There is no Debian base image, and none could be made.
    #[error("cannot make the Debian base image: {reason}")]
    NoBase {
        /// Why not.
        reason: String,
    },
    /// Every candidate subnet is taken.
    #[error("no free subnet for the rehearsal's virtual machines")]
    NoSubnet,
    /// A fleet of this name is up already.
    #[error("a rehearsal named `{name}` is already running")]
    AlreadyUp {
        /// The fleet's name.
        name: String,
    },
    /// The fleet has no VM of this name.
    #[error("the rehearsal has no virtual machine named `{name}`")]
    UnknownVm {
        /// The name asked for.
        name: String,
    },
    /// The fault cannot be inflicted on this VM.
    #[error("`{fault}` cannot be inflicted on `{vm}`: {reason}")]
    Refused {
        /// The fault.
        fault: String,
        /// The VM.
        vm: String,
        /// Why not.
        reason: String,
    },
    /// The specification of a fleet cannot be met.
    #[error("this rehearsal cannot be set up: {reason}")]
    Spec {
        /// Why not.
        reason: String,
    },
    /// A file of the rehearsal could not be read or written.
    #[error("cannot use a file of the rehearsal")]
    File(#[from] io::Error),
}

impl Hinted for RehearsalError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Start { program, .. } if program == "docker" => {
                "install Docker Engine, on Debian or Ubuntu with `sudo apt-get install docker.io`, and start it".to_owned()
            }
            Self::Start { program, .. } => format!("install `{program}` and try again"),
            Self::NoEngine { machine, second } => format!(
                "the rehearsal needs a local Docker Engine that can start privileged containers; this machine's own: {machine}; \
                 a second one: {second}"
            ),
            Self::NoBase { .. } => "on Debian, install `debootstrap`; elsewhere, let Docker reach an image registry this once".to_owned(),
            Self::NoSubnet => "remove unused networks with `docker network prune`, or choose a subnet".to_owned(),
            Self::AlreadyUp { .. } => "end the other one first".to_owned(),
            _ => return None,
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_engine_says_why_both_ways_failed() {
        let error = RehearsalError::NoEngine {
            machine: "not running".into(),
            second: "no containerd".into(),
        };
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("not running") && hint.contains("no containerd"),
            "{hint}"
        );
    }

    #[test]
    fn a_missing_docker_says_how_to_install_it() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        let error = RehearsalError::Start {
            program: "docker".into(),
            source,
        };
        assert!(error.hint().unwrap().contains("docker.io"));
    }
}
