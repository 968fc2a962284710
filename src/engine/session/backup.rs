//! `backup`: saves data on its host, fetches it, and removes it there again. Nothing of the deployment changes.

use camino::Utf8Path;

use super::carry_out::{Means, close_receipt, plain};
use super::stages;
use super::story::{Ending, Run};
use crate::engine::action::AnyAction;
use crate::engine::backups::{self, Place};
use crate::engine::lock::LocalLock;
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::store::DeploymentFolder;
use crate::model::backup::Backup;
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind};
use crate::model::size::human;

/// Saves data to `output`.
pub(super) fn backup(run: &Run<'_>, output: &Utf8Path) -> Result<Outcome, Ending> {
    refuse_used(output)?;
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), run.job.deployment.name.as_str()).map_err(plain)?;
    let seen = stages::see(run)?;
    let settled = stages::settle(run, seen)?;
    run.stage(Stage::Plan);
    let id = format!("backup-{}", run.id);
    let place = Place {
        deployment: &run.job.deployment,
        resolved: &settled.resolved,
        facts: &settled.seen.facts,
        rights: &settled.rights,
        id: &id,
    };
    let (plan, backup) = backups::saving(&place, output, &run.id).map_err(plain)?;
    stages::show(run, &plan);
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    let means = Means {
        links: &settled.seen.links,
        rights: &settled.rights,
        redactor: &settled.redactor,
        materials: &materials,
    };
    let outcome = taken(run, &means, plan, &folder, output, backup).unwrap_or_else(|end| end.0);
    close_receipt(run, &folder, &outcome)?;
    Ok(outcome)
}

/// Carries it out and completes the backup with its record.
fn taken(
    run: &Run<'_>,
    means: &Means<'_>,
    plan: Plan<AnyAction>,
    folder: &DeploymentFolder,
    output: &Utf8Path,
    backup: Backup,
) -> Result<Outcome, Ending> {
    let locks = means.lock(run, plan.hosts())?;
    means.work(run, plan, folder, &locks)?;
    locks.release();
    let backup = backups::write(output, backup).map_err(plain)?;
    let bytes = backup
        .sets
        .iter()
        .flat_map(|set| &set.files)
        .map(|f| f.size)
        .sum();
    run.listener.hear(Event::Noticed {
        host: None,
        text: format!(
            "the backup is in {output}, {}; `syntho-installer restore {} {output}` brings it back",
            human(bytes),
            backup.deployment
        ),
    });
    Ok(Outcome::Done)
}

/// Refuses a folder with something in it.
fn refuse_used(output: &Utf8Path) -> Result<(), Ending> {
    let used = output
        .read_dir_utf8()
        .is_ok_and(|mut entries| entries.next().is_some());
    if !used {
        return Ok(());
    }
    Err(Ending(Outcome::Failed(Failure {
        kind: FailureKind::Usage,
        host: None,
        message: format!("there is something in {output} already"),
        causes: Vec::new(),
        hint: Some("name a folder that is not there yet with `--output FOLDER`".to_owned()),
        command: None,
    })))
}
