//! `destroy`: takes away what the receipts say is ours, on every host that can be reached, and puts the record of it aside.
//!
//! It needs no facts and asks for nothing but logins: a host whose Docker is ill or whose disk is full must be left, too. The plan is made anew from what still
//! stands, so a removal that was killed goes on by the same command, and a second one finds nothing to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Review;
use super::carry_out::{Means, accept, close_receipt, plain};
use super::connections::{self, Connections};
use super::story::{Ending, Run};
use crate::engine::action::{AnyAction, Material, Materials};
use crate::engine::lock::LocalLock;
use crate::engine::plan::Plan;
use crate::engine::planner::{self, PlanError};
use crate::engine::redact::Redactor;
use crate::engine::removal::{self, Data, Removal, Removing};
use crate::engine::runner::{Links, sum_up};
use crate::engine::store::{DESTROY, DeploymentFolder};
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::{HostName, StackId};
use crate::model::preset::need_docker;
use crate::model::receipt::Receipt;
use crate::transport::RegistryLogin;

/// Removing needs no contents.
struct Nothing;

impl Materials for Nothing {
    fn file(&self, _: &HostName, _: &StackId, _: &str) -> Option<Material> {
        None
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        None
    }

    fn environment(
        &self,
        _: &HostName,
        _: &StackId,
    ) -> Option<Vec<(String, secrecy::SecretString)>> {
        None
    }
}

/// Removes.
pub(super) fn destroy(run: &Run<'_>, data: Data, review: Review<'_>) -> Result<Outcome, Ending> {
    let job = run.job;
    let folder = job.home.deployment(&job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), job.deployment.name.as_str()).map_err(plain)?;
    let receipts = receipts(run, &folder)?;
    if receipts.is_empty() {
        return Err(no_record(&folder).into());
    }
    run.stage(Stage::Connect);
    let (links, lost) = connections::connect(run, &|_| true);
    run.go_on()?;
    let reached: BTreeSet<HostName> = links.all().into_keys().collect();
    let plan = planned(run, &receipts, data, links.as_ref(), &reached)?;
    let nothing = plan.nothing_to_do();
    if !nothing && !run.peace.during(|| review(plan.summaries())) {
        return Err(Ending(Outcome::Cancelled));
    }
    run.go_on()?;
    let outcome = if nothing {
        Outcome::NothingToDo
    } else {
        accept(run, &folder, DESTROY, None)?;
        match carry_out(run, &links, plan, &folder) {
            Ok(()) => Outcome::Done,
            Err(Ending(outcome)) => outcome,
        }
    };
    let left_out = removal::left_out(&receipts, &reached);
    let outcome = match removal::incomplete(&left_out, &lost) {
        Some(failure) if outcome.exit_code() == 0 => Outcome::Failed(failure),
        _ => outcome,
    };
    if !nothing || outcome.exit_code() != 0 {
        accept(run, &folder, DESTROY, Some(outcome.clone()))?;
    }
    close_receipt(run, &folder, &outcome)?;
    if outcome.exit_code() == 0 {
        put_aside(run, &folder)?;
    }
    Ok(outcome)
}

/// Returns the receipts of every run, also of deployments of this name that were removed: what stayed then is ours still.
fn receipts(run: &Run<'_>, folder: &DeploymentFolder) -> Result<Vec<Receipt<AnyAction>>, Ending> {
    let home = &run.job.home;
    let mut stores = home.receipts_of_removed(folder.name()).map_err(plain)?;
    stores.push(folder.receipts());
    let mut all: Vec<Receipt<AnyAction>> = Vec::new();
    for store in stores {
        for receipt in store.all().map_err(plain)? {
            // One that is put aside may be the one at hand.
            if !all
                .iter()
                .any(|known: &Receipt<AnyAction>| known.run == receipt.run)
            {
                all.push(receipt);
            }
        }
    }
    Ok(all)
}

/// Decides what goes, and tells it with what stays.
fn planned(
    run: &Run<'_>,
    receipts: &[Receipt<AnyAction>],
    data: Data,
    links: &dyn Links,
    reached: &BTreeSet<HostName>,
) -> Result<Plan<AnyAction>, Ending> {
    run.stage(Stage::Plan);
    let deployment = &run.job.deployment;
    let keepers = deployment.preset.kept_variables().into_iter();
    let needs = &deployment.preset.parts.needs_of_roles;
    let hosts = deployment.hosts.iter();
    let without_docker = hosts.filter(|host| !need_docker(&host.roles, needs));
    let removing = removal::plan(&Removal {
        receipts,
        folder: &planner::folder(&deployment.base_folder, &deployment.name),
        keepers: &keepers.map(|(stack, _, _)| stack).collect(),
        data,
        links,
        reached,
        without_docker: &without_docker.map(|host| host.name.clone()).collect(),
        materials: &Nothing,
        concurrency: run.job.concurrency,
    });
    let Removing { plan, stays } = removing.map_err(|error| match &error {
        PlanError::Hosts(failures) => {
            sum_up(failures).map_or(Ending(Outcome::Cancelled), Ending::from)
        }
        _ => plain(error),
    })?;
    for (host, what) in stays {
        run.listener.hear(Event::Noticed {
            host: Some(host),
            text: format!("stays: {what}"),
        });
    }
    run.listener.hear(Event::PlanReady {
        steps: plan.summaries(),
    });
    Ok(plan)
}

/// Does it, with every host locked.
fn carry_out(
    run: &Run<'_>,
    links: &Arc<Connections>,
    plan: Plan<AnyAction>,
    folder: &DeploymentFolder,
) -> Result<(), Ending> {
    let means = Means {
        links,
        rights: &removal::rights(&plan),
        redactor: &Redactor::new(&run.job.deployment.secrets),
        materials: &Nothing,
    };
    let locks = means.lock(run, plan.hosts())?;
    means.work(run, plan, folder, &locks)?;
    locks.release();
    Ok(())
}

/// Puts the record of the deployment aside; nothing of it is lost.
fn put_aside(run: &Run<'_>, folder: &DeploymentFolder) -> Result<(), Ending> {
    if let Some(path) = folder.put_aside(&run.id).map_err(plain)? {
        run.listener.hear(Event::Noticed {
            host: None,
            text: format!("answers, receipts and events are kept in {path}"),
        });
    }
    Ok(())
}

fn no_record(folder: &DeploymentFolder) -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: format!(
            "this machine has no record of what was put on the hosts of `{}`",
            folder.name()
        ),
        causes: vec![format!(
            "there is no receipt in {}",
            folder.root().join("receipts")
        )],
        hint: Some(
            "run it where it was deployed from, or take the stacks down by hand: the way back stands at the end of `plan --runbook FILE.md`"
                .to_owned(),
        ),
        command: None,
    }
}
