//! Without a command, on a terminal, once something was deployed: the list of deployments, the dashboard of each, and the way to whatever can be done from there.
//!
//! The screens only say what is wanted; it is done here by the same functions as the commands, and afterwards the screen is shown again as it was.

mod access;
mod list;
mod live;
mod orders;

use std::sync::Arc;
use std::time::Duration;

use super::drive::{Show, Shown};
use super::target::{self, Asking};
use super::{Session, log_file, new, replay, run as commands, screens};
use crate::cli::{ReplayArgs, Target};
use crate::engine::cancel::Cancel;
use crate::engine::lock::TakeOver;
use crate::engine::session::{Job, OverTransport};
use crate::engine::watch::memory::Remembering;
use crate::engine::watch::{Watch, Watching};
use crate::model::failure::Failure;
use crate::model::ids::DeploymentName;
use crate::model::secret::Secrets;
use crate::report;
use crate::ui::channel::open;
use crate::ui::line::{Wanted as Told, prompt};
use crate::ui::tui::dashboard::{DashboardScreen, Setup, Wanted};
use crate::ui::tui::deployments::{self, DeploymentsScreen};
use crate::ui::tui::{self, Left, Screen, TuiError};
use list::What;
use live::Live;

/// Time between two readings of a host.
const EVERY: Duration = Duration::from_secs(3);

/// The exit code of screens that were left by a second signal, or with their terminal.
const CANCELLED: u8 = 130;

/// Shows the deployments until the operator leaves.
pub(super) fn run(session: &Session) -> Result<u8, Failure> {
    log_file::begin(session);
    let mut visit = Visit {
        session,
        typed: Secrets::default(),
        connector: Remembering::new(Arc::new(OverTransport)),
    };
    let mut place = 0;
    loop {
        let (entries, what) = list::read(session)?;
        let Some(screen) = visit.show(DeploymentsScreen::new(entries, place))? else {
            return Ok(CANCELLED);
        };
        place = screen.place();
        let done = match screen.wanted() {
            deployments::Wanted::Leave => return Ok(0),
            deployments::Wanted::New => new::begin(session).map(Some),
            deployments::Wanted::Open(at) => match what.get(at) {
                Some(What::Deployment(name)) => visit.open(name),
                Some(What::Draft(id, draft)) => {
                    new::go_on(session, id.clone(), draft.as_ref().clone()).map(Some)
                }
                None => Ok(None),
            },
            deployments::Wanted::Replay(at) => match what.get(at) {
                Some(What::Deployment(name)) => play(session, name).map(Some),
                _ => Ok(None),
            },
        };
        match done {
            Ok(None) if screens::left_at_once() => return Ok(CANCELLED),
            Ok(None) => return Ok(0),
            Ok(Some(_)) => {}
            Err(failure) => visit.say(&failure, "Enter goes back to the deployments"),
        }
    }
}

fn play(session: &Session, name: &DeploymentName) -> Result<u8, Failure> {
    let args = ReplayArgs {
        run: name.to_string(),
        speed: 1.0,
        plain: false,
    };
    replay::run(session, &args)
}

/// One stay at the screens: what was typed is remembered until its end.
struct Visit<'a> {
    session: &'a Session,
    typed: Secrets,
    connector: Remembering,
}

impl Visit<'_> {
    /// Shows a screen; `None` when it, or what was shown before, was left in such a way that nothing else may be shown.
    fn show<S: Screen>(&self, screen: S) -> Result<Option<S>, Failure> {
        if screens::left_at_once() {
            return Ok(None);
        }
        match tui::show(screen, screens::look(self.session)) {
            Ok((screen, Left::Done)) => Ok(Some(screen)),
            Ok((_, Left::AtOnce)) | Err(TuiError::Gone) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells what went wrong outside the screens, and waits until it was read.
    fn say(&self, failure: &Failure, prompt: &str) {
        let paint = self.session.printer.err_paint();
        for line in report::for_people(failure, paint) {
            self.session.printer.note(&line);
        }
        prompt::wait(prompt, paint);
    }

    /// Shows a dashboard; `None` when the operator wants to leave the program.
    fn open(&mut self, name: &DeploymentName) -> Result<Option<u8>, Failure> {
        let session = self.session.with_typed(self.typed.clone());
        let chosen = target::look_at(&session, name)?;
        let deployment = chosen.deployment;
        let (line, asked) = open();
        let setup = Setup {
            name: name.to_string(),
            title: deployment.preset.title.clone(),
            hosts: deployment
                .hosts
                .iter()
                .map(|host| (host.name.clone(), host.address.clone()))
                .collect(),
            shells: screens::shells(&deployment, &chosen.answers.folder),
            save_folder: screens::save_folder(&session),
            zone: jiff::tz::TimeZone::system(),
        };
        let (watch, seen) = Watch::begin(&Watching {
            deployment,
            connector: Arc::new(self.connector.clone()),
            operator: Arc::new(line),
            ssh_folder: target::operators_home().map(|home| home.join(".ssh")),
            every: EVERY,
        });
        let watch = Arc::new(watch);
        let feed = Live::new(Arc::clone(&watch), seen, asked);
        let folder = session.home.deployment(name);
        let mut screen = DashboardScreen::new(Box::new(feed), setup, access::read(&folder));
        loop {
            let Some(back) = self.show(screen)? else {
                return Ok(None);
            };
            screen = back;
            let wanted = screen.wanted();
            match wanted {
                Wanted::Leave => return Ok(None),
                Wanted::Deployments => return Ok(Some(0)),
                Wanted::Order(order) => {
                    watch.rest(true);
                    let session = self.session.with_typed(self.typed.clone());
                    let back = "Enter goes back to the dashboard";
                    match orders::carry_out(&session, name, order) {
                        Ok(()) => prompt::wait(back, session.printer.err_paint()),
                        Err(failure) => self.say(&failure, back),
                    }
                    if session.home.known(name).is_err() {
                        // It was removed.
                        return Ok(Some(0));
                    }
                    screen.set_access(access::read(&folder));
                    watch.rest(false);
                }
                Wanted::Verify | Wanted::Deploy => {
                    watch.rest(true);
                    if let Err(failure) = self.work(name, wanted) {
                        self.say(&failure, "Enter goes back to the dashboard");
                    }
                    screen.set_access(access::read(&folder));
                    watch.rest(false);
                }
            }
        }
    }

    /// Does what a command of the same name does, on the screens of a run.
    fn work(&mut self, name: &DeploymentName, wanted: Wanted) -> Result<u8, Failure> {
        let session = self.session.with_typed(self.typed.clone());
        let target = Target {
            name: Some(name.clone()),
            answers: None,
        };
        let (verb, told) = match wanted {
            Wanted::Deploy => ("deploy", Told::Changes),
            _ => ("verify", Told::Checks),
        };
        let show = Show {
            shown: Shown::Bars,
            wanted: told,
            again: target::again(verb, &target),
        };
        let chosen = target::choose(&session, &target, Asking::Allowed)?;
        self.typed = chosen.deployment.secrets.clone();
        let (line, _) = open();
        let job = Job {
            connector: Arc::new(self.connector.clone()),
            ..commands::job(&session, chosen, &line, &Cancel::new(), TakeOver::No)
        };
        match wanted {
            Wanted::Deploy => screens::deploy(&session, &show, job),
            _ => screens::verify(&session, &show, job),
        }
    }
}
