//! The command line: clap types only.
//!
//! This is a contract: customers' scripts rely on the names, and `tests/cli.rs` keeps the help texts. What a command does is in [`crate::commands`];
//! which value wins over which is in [`crate::settings`].

mod adopt;
mod backup;
mod bundle;
mod certificate;
mod logs;
mod support;
mod upgrade;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::model::ids::{DeploymentName, PresetId};
pub use adopt::{AdoptArgs, GivenHost};
pub use backup::{BackupArgs, RestoreArgs};
pub use bundle::{ArchivesArgs, BundleCommand, CreateArgs, GivenImage, PushArgs, Size, StoreArgs};
pub use certificate::CertificateArgs;
pub use logs::LogsArgs;
pub use support::SupportArgs;
pub use upgrade::{RollbackArgs, UpgradeArgs};

/// How a command's end is told to the caller; printed below `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    done, or nothing to do
  1    failed, and the operator can act
  2    command line or answers invalid
  3    a preflight check failed; nothing was changed
  70   a bug in this program
  130  cancelled; the same command goes on from there";

/// Checks, deploys and verifies the Syntho platform on your own machines over SSH.
///
/// Nothing is written to any host before the plan is accepted. A deployment that was interrupted goes on where it stopped when the same command runs again.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do; without it the deployments are shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where deployments, receipts and logs are kept
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SYNTHO_INSTALLER_HOME",
        hide_env_values = true
    )]
    pub home: Option<Utf8PathBuf>,
    /// A folder of presets that adds to or overrides those built in
    #[arg(long, global = true, value_name = "DIR")]
    pub presets: Option<Utf8PathBuf>,
    /// How many hosts are worked on at once
    #[arg(long, global = true, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// When to use colour: auto, always or never; `NO_COLOR` is honoured
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub color: ColorChoice,
    /// Draw screens with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Print only failures and how it ended
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print also what hosts say
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask what is needed for a deployment, and write the answers file
    New(NewArgs),
    /// List what can be deployed, or describe one preset
    Presets(PresetsArgs),
    /// Check an answers file, or print an example of one
    #[command(subcommand)]
    Answers(AnswersCommand),
    /// Check the hosts and change nothing
    Check(CheckArgs),
    /// Show what a deployment would change, and change nothing
    Plan(PlanArgs),
    /// Deploy, or go on with a deployment that was interrupted
    Deploy(DeployArgs),
    /// Find what was set up by hand, and write the answers that take it over
    Adopt(AdoptArgs),
    /// Show the state of a deployment's containers
    Status(NamedArgs),
    /// Judge whether a deployment works
    Verify(NamedArgs),
    /// Gather the logs of all hosts and services into one file
    Logs(LogsArgs),
    /// Pack logs, facts, checks and a first diagnosis into one archive without secrets
    Support(SupportArgs),
    /// Bring another release; one that does not work is taken back
    Upgrade(UpgradeArgs),
    /// Come back from the last upgrade, with the data of before it
    Rollback(RollbackArgs),
    /// Save a deployment's databases to a folder on this machine
    Backup(BackupArgs),
    /// Replace a deployment's databases by a backup of them
    Restore(RestoreArgs),
    /// Replace the certificate that a deployment serves
    Certificate(CertificateArgs),
    /// Remove a deployment from its hosts; data stays unless it is asked to go
    Destroy(DestroyArgs),
    /// Play a recorded run again
    Replay(ReplayArgs),
    /// Make, check and push image archives, and manage the store they are read into
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Rehearse a whole deployment on this machine, on virtual machines in containers
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// Which deployment is meant: one that exists by its name, or one described by a file.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Target {
    /// A deployment's name
    pub name: Option<DeploymentName>,
    /// An answers file
    #[arg(long, value_name = "FILE")]
    pub answers: Option<Utf8PathBuf>,
}

/// Arguments of `new`.
#[derive(Debug, Clone, Default, Args)]
pub struct NewArgs {
    /// What to deploy, by its preset
    #[arg(long, value_name = "ID")]
    pub preset: Option<PresetId>,
    /// Begin with the answers of this file
    #[arg(long, value_name = "FILE")]
    pub answers: Option<Utf8PathBuf>,
    /// Ask plain questions, one line each, instead of showing full screens
    #[arg(long)]
    pub plain: bool,
}

/// Arguments of `presets`.
#[derive(Debug, Args)]
pub struct PresetsArgs {
    /// The preset to describe
    pub id: Option<PresetId>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with answers.
#[derive(Debug, Subcommand)]
pub enum AnswersCommand {
    /// Check an answers file without connecting anywhere
    Validate {
        /// The file
        file: Utf8PathBuf,
    },
    /// Print a complete answers file for a preset, to be filled in
    Example {
        /// The preset
        id: PresetId,
    },
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to check.
    #[command(flatten)]
    pub target: Target,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What to plan.
    #[command(flatten)]
    pub target: Target,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
    /// Write the plan as numbered commands to type by hand, Markdown
    #[arg(long, value_name = "FILE.md")]
    pub runbook: Option<Utf8PathBuf>,
    /// Plan also the removal of images that newer ones have replaced
    #[arg(long)]
    pub prune: bool,
}

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// What to deploy.
    #[command(flatten)]
    pub target: Target,
    /// Accept the plan without asking
    #[arg(short, long)]
    pub yes: bool,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
    /// Take the deployment over from another operator who holds its lock
    #[arg(long)]
    pub take_over: bool,
    /// Remove images that newer ones have replaced, at the end; the plan shows them, and what a container uses stays
    #[arg(long)]
    pub prune: bool,
}

/// How a run is told.
#[derive(Debug, Clone, Copy, Args)]
pub struct Telling {
    /// Print plain lines even on a terminal
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// Arguments of commands that work on a deployment that exists.
#[derive(Debug, Args)]
pub struct NamedArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// Print one JSON event a line on standard output, and ask nothing
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// The deployment's name
    pub name: DeploymentName,
    /// Accept what goes without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Delete the data volumes too; with `--yes`, or without a terminal, the name is given once more
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true)]
    pub delete_data: Option<Option<DeploymentName>>,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
    /// Take the deployment over from another operator who holds its lock
    #[arg(long)]
    pub take_over: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A run's id, a deployment's name for its last run, or a file of events
    pub run: String,
    /// How many times faster than it happened; 0 shows it all at once
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Print plain lines even on a terminal
    #[arg(long)]
    pub plain: bool,
}

/// Reads a speed.
fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.0..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("give a number from 0 to 10000, such as 10".to_owned()),
    }
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Accept the plan without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Leave the virtual machines running
    #[arg(long)]
    pub keep: bool,
    /// Only take down what an earlier `--keep` left running
    #[arg(long, conflicts_with_all = ["yes", "keep"])]
    pub down: bool,
    /// How it is told.
    #[command(flatten)]
    pub telling: Telling,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use rstest::rstest;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[rstest]
    #[case(&["deploy", "acme"], true)]
    #[case(&["deploy", "--answers", "a.toml"], true)]
    #[case(&["deploy"], false)]
    #[case(&["deploy", "acme", "--answers", "a.toml"], false)]
    #[case(&["deploy", "acme", "--plain", "--json"], false)]
    #[case(&["deploy", "Acme"], false)]
    #[case(&["certificate", "acme", "--renew", "--yes"], true)]
    #[case(&["certificate", "acme", "--cert", "a.crt", "--key", "a.key"], true)]
    #[case(&["certificate", "acme"], false)]
    #[case(&["certificate", "acme", "--cert", "a.crt"], false)]
    #[case(&["certificate", "acme", "--key", "a.key"], false)]
    #[case(&["certificate", "acme", "--renew", "--cert", "a.crt", "--key", "a.key"], false)]
    #[case(&["logs", "acme", "--since", "2h", "--host", "ui", "--host", "db", "--tail", "10"], true)]
    #[case(&["logs", "acme", "--since", "some time ago"], false)]
    #[case(&["logs", "acme", "--follow", "--until", "1h"], false)]
    #[case(&["support", "acme", "--output", "a.tar.gz", "--json"], true)]
    #[case(&["support"], false)]
    #[case(&["destroy", "acme", "--delete-data"], true)]
    #[case(&["destroy", "acme", "--delete-data=acme", "--yes"], true)]
    #[case(&["destroy", "--delete-data", "acme"], true)]
    #[case(&["destroy"], false)]
    #[case(&["-q", "-v", "presets"], false)]
    #[case(&["--concurrency", "0", "presets"], false)]
    fn combinations(#[case] arguments: &[&str], #[case] accepted: bool) {
        let parsed = Cli::try_parse_from(
            std::iter::once("syntho-installer").chain(arguments.iter().copied()),
        );
        assert_eq!(parsed.is_ok(), accepted, "{parsed:?}");
    }
}
