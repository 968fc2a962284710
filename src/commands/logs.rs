//! `logs`: gathers what a deployment's programs print into one file.

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::job;
use super::target;
use crate::cli::LogsArgs;
use crate::engine::gather::Order;
use crate::engine::lock::TakeOver;
use crate::engine::session;
use crate::logs::Reach;
use crate::model::failure::Failure;
use crate::report::usage;
use crate::ui::line::Wanted;

/// Gathers logs.
pub(super) fn run(session: &Session, args: &LogsArgs) -> Result<u8, Failure> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        return Err(usage(
            format!("nothing is both since {since:.0} and until {until:.0}"),
            "give a `--since` that is before `--until`",
        ));
    }
    // Secrets that nobody gives now are read from the hosts: logs are looked at when things are on fire, and nothing more is asked than the way in.
    let chosen = target::look_at(session, &args.name)?;
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Changes,
        again: target::again("logs", &target::by_name(&args.name)),
    };
    let order = order(args)?;
    drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, TakeOver::No);
        session::logs(&job, &order)
    })
}

fn order(args: &LogsArgs) -> Result<Order, Failure> {
    // What is told is where the file is, wherever that is read.
    let output = camino::absolute_utf8(&args.output);
    let output = output.map_err(|error| {
        usage(
            format!("cannot use {}: {error}", args.output),
            "name a file with `--output FILE`",
        )
    })?;
    Ok(Order {
        hosts: args.hosts.clone(),
        services: args.services.clone(),
        reach: Reach {
            since: args.since,
            until: args.until,
            tail: args.tail,
        },
        follow: args.follow,
        daemon: args.daemon,
        output,
    })
}
