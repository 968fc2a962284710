//! A run from end to end: connect, look, check, plan, do, judge. Every command that touches hosts is one of the functions here.
//!
//! The stages stand in [`stages`], in order; a command goes as far as it needs. Each run tells exactly one `RunStarted` and one `RunEnded`, whatever happens,
//! and its story is also written to the deployment's event log.

mod adopt;
mod backup;
mod carry_out;
pub(in crate::engine) mod connections;
mod deploy;
mod destroy;
mod kept;
mod logs;
mod look;
mod remembered;
mod restore;
mod stages;
mod story;
mod support;
mod teller;
mod through;
mod upgrade;

use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use super::adopt::Takeover;
use super::cancel::Cancel;
use super::gather::Order;
use super::helm::Helm;
use super::lock::TakeOver;
use super::planner::Superseded;
use super::removal::Data;
use super::store::{BACKUP, DEPLOY, DESTROY, Home, RESTORE, ROLLBACK, UPGRADE, Upgrade};
use super::support::Order as SupportOrder;
pub use super::upgrade::Older;
use crate::model::deployment::Deployment;
use crate::model::event::Listener;
use crate::model::failure::Failure;
use crate::model::operator::Operator;
use crate::model::plan::StepSummary;
use crate::model::preset::Preset;
use crate::model::template::Assets;
use crate::transport::{self, ConnectSpec, Host, TransportError};

/// What a run works on and with.
#[derive(Clone)]
pub struct Job {
    /// The deployment, its answers checked.
    pub deployment: Deployment,
    /// The answers as they were written.
    pub answers: AcceptedAnswers,
    /// Templates of presets, and files of the operator.
    pub assets: Arc<dyn Assets>,
    /// The program's home.
    pub home: Home,
    /// Who answers what comes up.
    pub operator: Arc<dyn Operator>,
    /// How hosts are reached.
    pub connector: Arc<dyn Connector>,
    /// Who hears the story.
    pub listener: Arc<dyn Listener>,
    /// The operator's wish to stop.
    pub cancel: Cancel,
    /// What the operator wants beside stopping.
    pub helm: Helm,
    /// How many hosts are worked on at once.
    pub concurrency: usize,
    /// The operator's `~/.ssh`.
    pub ssh_folder: Option<Utf8PathBuf>,
    /// What to do about a lock that somebody else holds.
    pub take_over: TakeOver,
    /// What becomes of images that newer ones have replaced.
    pub superseded: Superseded,
    /// When certificates by the deployment's own authority are made anew.
    pub renewal: Renewal,
}

/// When certificates by a deployment's own authority are made anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Renewal {
    /// Some time before they end.
    #[default]
    WhenDue,
    /// Now.
    Now,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.deployment.name)
    }
}

/// The answers as they were written, kept when the plan is accepted.
#[derive(Debug, Clone)]
pub struct AcceptedAnswers {
    /// The file's text.
    pub text: String,
    /// Where its relative paths begin.
    pub folder: Utf8PathBuf,
}

/// Reaches hosts.
pub trait Connector: Send + Sync {
    /// Returns the host, ready for commands.
    ///
    /// # Errors
    /// Fails when it cannot be reached or does not let us in.
    fn connect(
        &self,
        spec: &ConnectSpec,
        operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError>;
}

/// Reaches hosts over SSH, and this machine without.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverTransport;

impl Connector for OverTransport {
    fn connect(
        &self,
        spec: &ConnectSpec,
        operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        transport::connect(spec, operator)
    }
}

/// Says yes or no to a plan.
pub type Review<'a> = &'a (dyn Fn(Vec<StepSummary>) -> bool + Sync);

/// Checks the hosts and changes nothing.
///
/// # Errors
/// Fails when the run could not even begin; how it ended is told as its last event.
pub fn check(job: &Job) -> Result<(), Failure> {
    story::tell(job, "check", look::check)
}

/// Plans a deployment and changes nothing.
///
/// # Errors
/// As [`check`].
pub fn plan(job: &Job) -> Result<(), Failure> {
    story::tell(job, "plan", look::plan)
}

/// Deploys, or goes on with what was interrupted, once `review` says yes.
///
/// # Errors
/// As [`check`].
pub fn deploy(job: &Job, review: Review<'_>) -> Result<(), Failure> {
    story::tell(job, DEPLOY, |run| deploy::deploy(run, review))
}

/// Removes a deployment from its hosts, or goes on with that, once `review` says yes.
///
/// # Errors
/// As [`check`].
pub fn destroy(job: &Job, data: Data, review: Review<'_>) -> Result<(), Failure> {
    story::tell(job, DESTROY, |run| destroy::destroy(run, data, review))
}

/// Saves the data of a deployment to `folder` on this machine.
///
/// # Errors
/// As [`check`].
pub fn backup(job: &Job, folder: &Utf8Path) -> Result<(), Failure> {
    story::tell(job, BACKUP, |run| backup::backup(run, folder))
}

/// Replaces the data of a deployment by what `folder` holds, or goes on with that, once `review` says yes.
///
/// # Errors
/// As [`check`].
pub fn restore(job: &Job, folder: &Utf8Path, review: Review<'_>) -> Result<(), Failure> {
    story::tell(job, RESTORE, |run| restore::restore(run, folder, review))
}

/// The answers that a deployment shall stand by, and what they describe.
#[derive(Debug, Clone)]
pub struct Target {
    /// The deployment, its answers checked.
    pub deployment: Deployment,
    /// The answers as they were written.
    pub answers: AcceptedAnswers,
}

/// Brings the deployment of `job` to another release, or goes on with that, once `review` says yes. When it does not work with that release, it comes back
/// with all its data.
///
/// # Errors
/// As [`check`].
pub fn upgrade(job: &Job, to: &Target, older: Older, review: Review<'_>) -> Result<(), Failure> {
    story::tell(job, UPGRADE, |run| upgrade::upgrade(run, to, older, review))
}

/// Brings a deployment back to `job`, as it was before `upgrade`, or goes on with that, once `review` says yes.
///
/// # Errors
/// As [`check`].
pub fn rollback(job: &Job, upgrade: &Upgrade, review: Review<'_>) -> Result<(), Failure> {
    story::tell(job, ROLLBACK, |run| upgrade::rollback(run, upgrade, review))
}

/// Looks for what somebody set up by hand and `presets` know; returns what taking it over would be, and changes nothing.
///
/// # Errors
/// As [`check`].
pub fn adopt(job: &Job, presets: &[Arc<Preset>]) -> Result<Option<Takeover>, Failure> {
    let taken = Mutex::new(None);
    story::tell(job, "adopt", |run| {
        let found = adopt::adopt(run, presets)?;
        let outcome = adopt::outcome(&found);
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(outcome)
    })?;
    Ok(taken.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Judges whether a deployment works, as its preset says.
///
/// # Errors
/// As [`check`].
pub fn verify(job: &Job) -> Result<(), Failure> {
    story::tell(job, "verify", look::verify)
}

/// Looks at the containers of a deployment.
///
/// # Errors
/// As [`check`].
pub fn status(job: &Job) -> Result<(), Failure> {
    story::tell(job, "status", look::status)
}

/// Gathers what the programs of a deployment print.
///
/// # Errors
/// As [`check`].
pub fn logs(job: &Job, order: &Order) -> Result<(), Failure> {
    story::tell(job, "logs", |run| logs::gather(run, order))
}

/// Packs what is needed to find out what is wrong with a deployment into one archive without secrets, with a first diagnosis.
///
/// # Errors
/// As [`check`].
pub fn support(job: &Job, order: &SupportOrder) -> Result<(), Failure> {
    story::tell(job, "support", |run| support::pack(run, order))
}

#[cfg(test)]
mod tests;
