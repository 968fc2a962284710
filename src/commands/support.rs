//! `support`: one archive with all that somebody needs who was not there, without a secret, and a first diagnosis.

use jiff::Timestamp;

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::job;
use super::target;
use crate::cli::SupportArgs;
use crate::engine::lock::TakeOver;
use crate::engine::session;
use crate::engine::support::Order;
use crate::model::failure::Failure;
use crate::report::usage;
use crate::ui::line::Wanted;

/// Makes a support archive.
pub(super) fn run(session: &Session, args: &SupportArgs) -> Result<u8, Failure> {
    // As for logs: things are on fire, and nothing more is asked than the way in.
    let chosen = target::look_at(session, &args.name)?;
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Changes,
        again: target::again("support", &target::by_name(&args.name)),
    };
    let order = order(args)?;
    drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, TakeOver::No);
        session::support(&job, &order)
    })
}

fn order(args: &SupportArgs) -> Result<Order, Failure> {
    let began = Timestamp::now();
    let name = format!("{}-support-{}", args.name, began.strftime("%Y%m%dT%H%M%SZ"));
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| format!("{name}.tar.gz").into());
    // What is told is where the file is, wherever that is read.
    let output = camino::absolute_utf8(&output).map_err(|error| {
        usage(
            format!("cannot use {output}: {error}"),
            "name a file with `--output FILE.tar.gz`",
        )
    })?;
    Ok(Order {
        output,
        name,
        began,
    })
}
