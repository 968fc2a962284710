//! `completions`: a script that lets a shell complete our command line.

use clap::CommandFactory;

use super::Session;
use crate::cli::{Cli, CompletionsArgs};

/// Prints the script for a shell.
pub(super) fn run(session: &Session, args: &CompletionsArgs) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "syntho-installer",
        &mut script,
    );
    session.printer.raw(&script);
    0
}
