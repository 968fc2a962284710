//! `backup` and `restore`: which folder is meant, and the yes before data is replaced.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{Timestamp, Zoned};

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::{job, take_over};
use super::target::{self, Asking, SAME_COMMAND};
use crate::cli::{BackupArgs, RestoreArgs};
use crate::engine::lock::TakeOver;
use crate::engine::session;
use crate::model::failure::Failure;
use crate::model::ids::DeploymentName;
use crate::model::text::shell_quoted;
use crate::report::usage;
use crate::ui::line::Wanted;

/// Takes a backup.
pub(super) fn backup(session: &Session, args: &BackupArgs) -> Result<u8, Failure> {
    let output = args.output.clone().unwrap_or_else(|| {
        let now = Timestamp::now().to_zoned(jiff::tz::TimeZone::system());
        proposed(&args.name, &now)
    });
    let output = absolute(&output)?;
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Changes,
        again: format!("syntho-installer backup {}", args.name),
    };
    let chosen = target::choose(
        session,
        &target::by_name(&args.name),
        Asking::unless(args.json),
    )?;
    drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, TakeOver::No);
        session::backup(&job, &output)
    })
}

/// Brings a backup back.
pub(super) fn restore(session: &Session, args: &RestoreArgs) -> Result<u8, Failure> {
    let what = "that data is replaced";
    target::need_yes(session, args.yes, args.telling, what, SAME_COMMAND)?;
    let backup = absolute(&args.backup)?;
    let show = Show {
        shown: Shown::of(args.telling.json, args.telling.plain),
        wanted: Wanted::Changes,
        again: format!(
            "syntho-installer restore {} {}",
            args.name,
            shell_quoted(backup.as_str())
        ),
    };
    let asking = Asking::unless(args.telling.json);
    let chosen = target::choose(session, &target::by_name(&args.name), asking)?;
    drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, take_over(args.take_over));
        session::restore(&job, &backup, &|steps| args.yes || line.review(steps))
    })
}

/// Returns the folder of a backup that is taken now and that nobody gave a name.
fn proposed(name: &DeploymentName, now: &Zoned) -> Utf8PathBuf {
    format!("{name}-backup-{}", now.strftime("%Y%m%d-%H%M%S")).into()
}

fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    camino::absolute_utf8(path).map_err(|error| {
        usage(
            format!("cannot use {path}: {error}"),
            "name a folder on this machine",
        )
    })
}
