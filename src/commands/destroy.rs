//! `destroy`: what the command line allows, the review and, where data goes too, the deployment's name.

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::{job, take_over};
use super::target::{self, SAME_COMMAND};
use crate::cli::DestroyArgs;
use crate::engine::removal::Data;
use crate::engine::session;
use crate::model::failure::Failure;
use crate::report::usage;
use crate::ui::line::Wanted;

/// Whether data goes, and whether that was said in a way that needs no more words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Keep,
    /// It goes once the name is typed.
    Ask,
    /// It goes: the name was given.
    Given,
}

/// Removes a deployment.
pub(super) fn run(session: &Session, args: &DestroyArgs) -> Result<u8, Failure> {
    let wish = wish(args)?;
    target::need_yes(session, args.yes, args.telling, "what goes", SAME_COMMAND)?;
    // Who said yes beforehand, or nobody, types no name.
    if wish == Wish::Ask && (args.yes || args.telling.json || !session.printer.can_ask()) {
        return Err(usage(
            "deleting data needs the deployment's name once more",
            format!("give it as `--delete-data={}`", args.name),
        ));
    }
    let again = format!("syntho-installer destroy {}", args.name);
    let show = Show {
        shown: Shown::of(args.telling.json, args.telling.plain),
        wanted: Wanted::Changes,
        again: match wish {
            Wish::Keep => again,
            Wish::Ask | Wish::Given => format!("{again} --delete-data"),
        },
    };
    let data = match wish {
        Wish::Keep => Data::Keep,
        Wish::Ask | Wish::Given => Data::Delete,
    };
    // One that was removed before is still known by its record.
    let home = match session.home.known(&args.name) {
        Ok(_) => session.home.clone(),
        Err(unknown) => session.home.with_removed(&args.name)?.ok_or(unknown)?,
    };
    let session = session.at(home);
    let chosen = target::look_at(&session, &args.name)?;
    let take_over = take_over(args.take_over);
    drive(&session, &show, |line, cancel| {
        let job = job(&session, chosen, line, cancel, take_over);
        session::destroy(&job, data, &|steps| {
            (args.yes || line.review(steps)) && (wish != Wish::Ask || line.word(args.name.as_str()))
        })
    })
}

fn wish(args: &DestroyArgs) -> Result<Wish, Failure> {
    match &args.delete_data {
        None => Ok(Wish::Keep),
        Some(None) => Ok(Wish::Ask),
        Some(Some(name)) if *name == args.name => Ok(Wish::Given),
        Some(Some(name)) => Err(usage(
            format!(
                "`--delete-data={name}` names another deployment than `{}`",
                args.name
            ),
            format!("give `--delete-data={}` if its data shall go", args.name),
        )),
    }
}
