//! `check`, `plan`, `deploy`, `verify` and `status`: what the command line means becomes a job of the engine, shown by a front end.

use std::sync::Arc;

use super::drive::{Show, Shown, drive};
use super::target::{self, Asking, Chosen};
use super::{Session, screens};
use crate::cli::{CheckArgs, DeployArgs, NamedArgs, PlanArgs, Target};
use crate::engine::cancel::Cancel;
use crate::engine::helm::Helm;
use crate::engine::lock::TakeOver;
use crate::engine::planner::Superseded;
use crate::engine::session::{self, AcceptedAnswers, Job, OverTransport, Renewal};
use crate::engine::store::StoreError;
use crate::model::failure::Failure;
use crate::ui::channel::{Line, open};
use crate::ui::line::Wanted;
use crate::wizard::Mending;

/// `check`.
pub(super) fn check(session: &Session, args: &CheckArgs) -> Result<u8, Failure> {
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Checks,
        again: target::again("check", &args.target),
    };
    run(session, &args.target, &show, TakeOver::No, session::check)
}

/// `plan`.
pub(super) fn plan(session: &Session, args: &PlanArgs) -> Result<u8, Failure> {
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Plan,
        again: target::again("plan", &args.target),
    };
    let chosen = target::choose(session, &args.target, Asking::unless(args.json))?;
    let folder = session.home.deployment(&chosen.deployment.name);
    let code = drive(session, &show, |line, cancel| {
        let mut job = job(session, chosen, line, cancel, TakeOver::No);
        job.superseded = superseded(args.prune);
        session::plan(&job)
    })?;
    if let (Some(file), 0) = (&args.runbook, code) {
        let copied = fs_err::copy(folder.runbook_path(), file).map_err(StoreError::from);
        copied.map_err(|error| Failure::from_error(&error))?;
    }
    Ok(code)
}

/// `deploy`.
pub(super) fn deploy(session: &Session, args: &DeployArgs) -> Result<u8, Failure> {
    let look = "look at it with `plan`";
    target::need_yes(session, args.yes, args.telling, "the plan", look)?;
    let show = Show {
        shown: Shown::of(args.telling.json, args.telling.plain),
        wanted: Wanted::Changes,
        again: target::again("deploy", &args.target),
    };
    let take_over = take_over(args.take_over);
    let chosen = target::choose(session, &args.target, Asking::unless(args.telling.json))?;
    if show.shown == Shown::Bars && !args.yes && screens::fit(session) {
        let (line, _) = open();
        let mut job = job(session, chosen, &line, &Cancel::new(), take_over);
        job.superseded = superseded(args.prune);
        return screens::deploy(session, &show, job);
    }
    drive(session, &show, |line, cancel| {
        let mut job = job(session, chosen, line, cancel, take_over);
        job.superseded = superseded(args.prune);
        session::deploy(&job, &|steps| args.yes || line.review(steps))
    })
}

/// Returns what the flag `--take-over` asks for.
pub(super) fn take_over(flag: bool) -> TakeOver {
    if flag {
        TakeOver::Knowingly
    } else {
        TakeOver::No
    }
}

/// Checks or plans on the screens for the wizard, which goes on then; returns where something is to be mended.
pub(super) fn look_for_wizard(
    session: &Session,
    target: &Target,
    wanted: Wanted,
) -> Result<Option<Mending>, Failure> {
    let verb = if wanted == Wanted::Checks {
        "check"
    } else {
        "plan"
    };
    let show = Show {
        shown: Shown::Bars,
        wanted,
        again: target::again(verb, target),
    };
    let chosen = target::choose(session, target, Asking::Allowed)?;
    let (line, _) = open();
    let job = job(session, chosen, &line, &Cancel::new(), TakeOver::No);
    screens::look_for_wizard(session, &show, job)
}

/// `verify`.
pub(super) fn verify(session: &Session, args: &NamedArgs) -> Result<u8, Failure> {
    named(session, args, "verify", session::verify)
}

/// `status`.
pub(super) fn status(session: &Session, args: &NamedArgs) -> Result<u8, Failure> {
    named(session, args, "status", session::status)
}

fn named(
    session: &Session,
    args: &NamedArgs,
    verb: &str,
    work: fn(&Job) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    let target = target::by_name(&args.name);
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Checks,
        again: target::again(verb, &target),
    };
    run(session, &target, &show, TakeOver::No, work)
}

fn run(
    session: &Session,
    target: &Target,
    show: &Show,
    take_over: TakeOver,
    work: fn(&Job) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    let chosen = target::choose(session, target, Asking::unless(show.shown == Shown::Json))?;
    run_chosen(session, chosen, show, take_over, work)
}

fn run_chosen(
    session: &Session,
    chosen: Chosen,
    show: &Show,
    take_over: TakeOver,
    work: fn(&Job) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    drive(session, show, |line, cancel| {
        work(&job(session, chosen, line, cancel, take_over))
    })
}

pub(super) fn job(
    session: &Session,
    chosen: Chosen,
    line: &Line,
    cancel: &Cancel,
    take_over: TakeOver,
) -> Job {
    let presets = session.presets();
    Job {
        assets: presets.assets(),
        deployment: chosen.deployment,
        answers: AcceptedAnswers {
            text: chosen.answers.text,
            folder: chosen.answers.folder,
        },
        home: session.home.clone(),
        operator: Arc::new(line.clone()),
        connector: Arc::new(OverTransport),
        listener: Arc::new(line.clone()),
        cancel: cancel.clone(),
        helm: Helm::default(),
        concurrency: session.global.concurrency.into(),
        ssh_folder: target::operators_home().map(|home| home.join(".ssh")),
        take_over,
        superseded: Superseded::Keep,
        renewal: Renewal::WhenDue,
    }
}

/// Returns what becomes of replaced images when `--prune` was given or not.
fn superseded(prune: bool) -> Superseded {
    if prune {
        Superseded::Remove
    } else {
        Superseded::Keep
    }
}
