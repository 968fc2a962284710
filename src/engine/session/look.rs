//! The commands that change nothing: `check`, `plan`, `verify` and `status`.

use super::stages::{self, Settled};
use super::story::{Ending, Run, SILENCE};
use crate::engine::drift::{self, Looking};
use crate::engine::it_sheet::it_sheet;
use crate::engine::verify::{self, Depth, Verification};
use crate::model::check::{CheckResult, Verdict};
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind};

/// Makes every check and writes the sheet for the customer's IT when something must be opened or mended.
pub(super) fn check(run: &Run<'_>) -> Result<Outcome, Ending> {
    let seen = stages::see(run)?;
    let mut settled = stages::settle(run, seen)?;
    stages::open_bundles(run, &mut settled)?;
    let report = stages::checked(run, &settled)?;
    let sheet = it_sheet(&settled.resolved, &report);
    let folder = run.job.home.deployment(&run.job.deployment.name);
    let path = folder
        .save_sheet(&sheet)
        .map_err(|error| Failure::from_error(&error))?;
    run.listener.hear(Event::Noticed {
        host: None,
        text: format!("the sheet for the customer's IT is in {path}"),
    });
    Ok(match report.verdict() {
        Verdict::Fail => Outcome::ChecksFailed,
        Verdict::Pass | Verdict::Warn => Outcome::NothingToDo,
    })
}

/// Plans and tells the plan.
pub(super) fn plan(run: &Run<'_>) -> Result<Outcome, Ending> {
    let seen = stages::see(run)?;
    let mut settled = stages::settle(run, seen)?;
    let bundles = stages::open_bundles(run, &mut settled);
    let plan = if let Some(plan) = stages::plan_of_nothing(run, &settled) {
        plan
    } else {
        bundles?;
        stages::preflight(run, &settled)?;
        stages::plan(run, &settled)?
    };
    stages::write_runbook(run, &settled, &plan)?;
    Ok(Outcome::NothingToDo)
}

/// Judges everything.
pub(super) fn verify(run: &Run<'_>) -> Result<Outcome, Ending> {
    let seen = stages::see(run)?;
    let settled = stages::settle(run, seen)?;
    compare(run, &settled)?;
    judge(run, &settled, Depth::Full)
}

/// Judges at one look.
pub(super) fn status(run: &Run<'_>) -> Result<Outcome, Ending> {
    let seen = stages::see(run)?;
    let settled = stages::settle(run, seen)?;
    compare(run, &settled)?;
    judge(run, &settled, Depth::Quick)
}

/// Tells what stands on the hosts otherwise than it was accepted.
fn compare(run: &Run<'_>, settled: &Settled) -> Result<(), Ending> {
    run.go_on()?;
    run.stage(Stage::Verify);
    compared(run, settled);
    Ok(())
}

/// As [`compare`], and returns what was told.
pub(super) fn compared(run: &Run<'_>, settled: &Settled) -> Vec<CheckResult> {
    let folder = run.job.home.deployment(&run.job.deployment.name);
    // An old receipt that cannot be read says nothing of now.
    let receipts = folder.receipts().all().unwrap_or_default();
    let checks = drift::look(&Looking {
        resolved: &settled.resolved,
        rights: &settled.rights,
        links: settled.seen.links.as_ref(),
        receipts: &receipts,
        concurrency: run.job.concurrency,
    });
    for check in &checks {
        run.listener.hear(Event::CheckEnded {
            check: check.clone(),
        });
    }
    checks
}

/// Makes every judgement and returns what each came to.
pub(super) fn verified(run: &Run<'_>, settled: &Settled, depth: Depth) -> Vec<CheckResult> {
    verify::verify(&Verification {
        resolved: &settled.resolved,
        rights: &settled.rights,
        facts: &settled.seen.facts,
        links: settled.seen.links.as_ref(),
        listener: run.listener.as_ref(),
        redactor: &settled.redactor,
        cancel: &run.job.cancel,
        depth,
        silence: SILENCE,
    })
}

/// Judges whether the deployment works and tells where it can be seen.
pub(super) fn judge(run: &Run<'_>, settled: &Settled, depth: Depth) -> Result<Outcome, Ending> {
    judged(run, settled, depth).map(|_| Outcome::NothingToDo)
}

/// As [`judge`], and returns the judgements, all of which hold.
pub(super) fn judged(
    run: &Run<'_>,
    settled: &Settled,
    depth: Depth,
) -> Result<Vec<CheckResult>, Ending> {
    run.go_on()?;
    run.stage(Stage::Verify);
    let checks = verified(run, settled, depth);
    run.go_on()?;
    for endpoint in &settled.resolved.endpoints {
        run.listener.hear(Event::EndpointReady {
            title: endpoint.title.clone(),
            url: endpoint.url.clone(),
        });
    }
    match does_not_work(&checks) {
        Some(failure) => Err(failure.into()),
        None => Ok(checks),
    }
}

/// Returns the failure that stands for every judgement that does not hold.
fn does_not_work(checks: &[CheckResult]) -> Option<Failure> {
    let failed: Vec<&CheckResult> = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .collect();
    let first = failed.first()?;
    let causes = failed.iter().map(|check| match &check.cause {
        Some(cause) => format!("{}: {} ({cause})", check.title, check.found),
        None => format!("{}: {}", check.title, check.found),
    });
    Some(Failure {
        kind: FailureKind::Situation,
        host: first.host.clone(),
        message: format!(
            "{} of {} judgements do not hold",
            failed.len(),
            checks.len()
        ),
        causes: causes.collect(),
        hint: first.remedy.clone(),
        command: None,
    })
}
