//! The binary: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use syntho_installer::cli::Cli;
use syntho_installer::commands;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(commands::run(&cli)),
        Err(error) => {
            // Nothing better can be done when even this cannot be printed.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}
