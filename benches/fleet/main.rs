//! Measures the program on a fleet of VMs against doing the same by hand over OpenSSH, with Ansible and with pyinfra; `make bench` runs it.
//!
//! Everything that is compared is measured in this one run, on the same machine and the same VMs. Figures are printed as a table and as a ratio to ours.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a measurement ends at the first surprise and prints what it found"
)]

#[path = "../../tests/e2e/program.rs"]
#[expect(
    dead_code,
    reason = "the measurements need only a part of what the tests do"
)]
mod program;
#[path = "../../tests/e2e/site.rs"]
#[expect(
    dead_code,
    reason = "the measurements need only a part of what the tests do"
)]
mod site;
#[path = "../../tests/e2e/trouble.rs"]
#[expect(
    dead_code,
    reason = "the measurements need only a part of what the tests do"
)]
mod trouble;

mod by_hand;
mod commands;
mod deployment;
mod images;
mod logs;
mod looking;
mod others;
mod table;

use std::process::Command;
use std::time::{Duration, Instant};

use table::Table;

fn main() {
    let mut table = Table::default();
    itself(&mut table);
    let only = std::env::var("SYNTHO_BENCH_ONLY").ok();
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if wanted("images") {
        images::measure(&mut table);
    }
    if wanted("logs") {
        logs::measure(&mut table);
    }
    if wanted("deployment") {
        deployment::measure(&mut table);
    }
    if wanted("commands") {
        let many = commands::site();
        commands::measure(&many, &mut table);
        looking::measure(&many, &mut table);
    }
    print!("{table}");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Start-up time and size of the program.
fn itself(table: &mut Table) {
    let binary = env!("CARGO_BIN_EXE_syntho-installer");
    let times: Vec<Duration> = (0..21)
        .map(|_| timed(|| run(Command::new(binary).arg("--version"))))
        .collect();
    table.ours("`--version`, median of 21", "start", median(times));
    let size = fs_err::metadata(binary).unwrap().len();
    table.note(format!(
        "size of the stripped release binary: {:.1} MB",
        size as f64 / 1e6
    ));
}

/// Runs a command that must end well.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns how long `work` takes.
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
