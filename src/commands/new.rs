//! `new`: asks for everything a deployment needs, and does with the answers what the operator wants.

use std::sync::Arc;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::drive::no_signals;
use super::signals::LeaveWith;
use super::{Session, log_file, run as commands, screens, target};
use crate::cli::{CheckArgs, DeployArgs, NewArgs, PlanArgs, Target, Telling};
use crate::engine::session::OverTransport;
use crate::engine::store::{DraftId, SavedDraft};
use crate::model::answers;
use crate::model::failure::Failure;
use crate::report::{self, usage};
use crate::ui::desk::{Desk, Outfit};
use crate::ui::line::wizard::{self as line, Ending, InquireAsker};
use crate::ui::line::{Wanted, prompt};
use crate::ui::tui;
use crate::ui::tui::wizard::WizardScreen;
use crate::wizard::{Draft, prefill};

/// What is said when the wizard is left.
const KEPT: &str = "the answers are kept; `syntho-installer new` goes on from there";

/// Asks, and goes on with what came out.
pub(super) fn run(session: &Session, args: &NewArgs) -> Result<u8, Failure> {
    if !session.printer.can_ask() {
        return Err(usage(
            "nobody is there to answer",
            "run it on a terminal, or fill in what `syntho-installer answers example ID` prints",
        ));
    }
    log_file::begin(session);
    let mut desk = desk(session, args)?;
    if args.plain || !screens::fit(session) {
        let mut asker = InquireAsker::new(Arc::clone(&session.printer));
        let signals =
            LeaveWith::note(KEPT, &session.printer).map_err(|error| no_signals(&error))?;
        let ending = line::run(&mut desk, &mut asker)?;
        drop(signals);
        return after(session, &desk, ending);
    }
    on_screens(session, desk)
}

/// Asks for a new deployment on screens, whatever drafts there are.
pub(super) fn begin(session: &Session) -> Result<u8, Failure> {
    let mut desk = Desk::new(outfit(session), new_id(), Draft::new(here()));
    desk.save()?;
    on_screens(session, desk)
}

/// Goes on with a draft on screens.
pub(super) fn go_on(session: &Session, id: DraftId, draft: Draft) -> Result<u8, Failure> {
    on_screens(session, Desk::new(outfit(session), id, draft))
}

/// Shows the wizard, and comes back to it after the hosts were checked or the plan was shown.
fn on_screens(session: &Session, mut desk: Desk) -> Result<u8, Failure> {
    loop {
        let (screen, _) = tui::show(WizardScreen::new(desk), screens::look(session))?;
        let (back, ending) = screen.finish();
        desk = back;
        let (path, wanted) = match ending {
            Ending::Check(path) => (path, Wanted::Checks),
            Ending::Plan(path) => (path, Wanted::Plan),
            ending => return after(session, &desk, ending),
        };
        let typed = session.with_typed(desk.secrets());
        match commands::look_for_wizard(&typed, &answered(path), wanted) {
            Ok(Some(mending)) => {
                desk.wizard.go_to_mend(&mending);
                desk.save()?;
            }
            Ok(None) => {}
            // Before anything could be shown: said in lines, until it was read.
            Err(failure) => {
                for line in report::for_people(&failure, session.printer.err_paint()) {
                    session.printer.note(&line);
                }
                prompt::wait("Enter goes back to the wizard", session.printer.err_paint());
            }
        }
    }
}

/// Returns the target that an answers file is.
fn answered(path: Utf8PathBuf) -> Target {
    Target {
        name: None,
        answers: Some(path),
    }
}

/// Sets up the draft that is meant: one made from a file, the one that was left last, or a new one.
fn desk(session: &Session, args: &NewArgs) -> Result<Desk, Failure> {
    let (id, draft) = match &args.answers {
        Some(file) => (new_id(), from_file(session, file)?),
        None => match last(session)? {
            Some((id, draft)) if args.preset.is_none() || draft.preset == args.preset => {
                session
                    .printer
                    .note("going on with the answers that were given before");
                (id, draft)
            }
            _ => (new_id(), Draft::new(here())),
        },
    };
    let mut desk = Desk::new(outfit(session), id, draft);
    if let Some(preset) = &args.preset
        && !desk.choose(preset)
    {
        // Says which there are.
        session.presets().load(preset)?;
    }
    desk.save()?;
    Ok(desk)
}

/// Set, no registry is asked from this machine while answers are given.
const OFFLINE: &str = "SYNTHO_INSTALLER_OFFLINE";

fn outfit(session: &Session) -> Outfit {
    let presets = session.presets();
    let known = presets.ids().into_iter();
    let known = known.filter_map(|id| match presets.load(&id) {
        Ok(preset) => Some(preset),
        Err(error) => {
            let note = format!("warning: `{id}` cannot be deployed: {error}");
            session.printer.note(&note);
            None
        }
    });
    Outfit {
        store: session.home.drafts(),
        images: session.home.images(),
        presets: known.collect(),
        assets: presets.assets(),
        asks_registries: std::env::var_os(OFFLINE).is_none(),
        connector: Arc::new(OverTransport),
        home: target::operators_home(),
        is_set: |name| std::env::var_os(name).is_some_and(|value| !value.is_empty()),
        clock: Timestamp::now,
    }
}

fn new_id() -> DraftId {
    DraftId::new(Timestamp::now(), rand::random())
}

/// Returns the folder the program was started in.
fn here() -> Utf8PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| Utf8PathBuf::from_path_buf(here).ok())
        .unwrap_or_else(|| Utf8PathBuf::from("."))
}

/// Makes a draft from an answers file; what the file says wrongly is told, and asked for.
fn from_file(session: &Session, file: &Utf8Path) -> Result<Draft, Failure> {
    let read = target::read(file)?;
    let reading = answers::read(&read.name, &read.text);
    for fault in &reading.faults {
        session.printer.note(&format!("warning: {fault}"));
    }
    match &reading.file {
        Some(file) if !file.adopted.is_empty() => Err(usage(
            format!(
                "`{file}` takes over what was set up by hand, which cannot be shown here",
                file = read.name
            ),
            "change it in an editor; `syntho-installer answers validate FILE` checks it",
        )),
        Some(file) => Ok(prefill(file, &read.folder)),
        None => Err(usage(
            format!("`{file}` is no answers file that can be gone on with"),
            "see `syntho-installer answers validate FILE`, or begin without `--answers`",
        )),
    }
}

/// Returns the draft that was worked on last.
pub(super) fn last(session: &Session) -> Result<Option<(DraftId, Draft)>, Failure> {
    let drafts = session.home.drafts().all()?;
    Ok(drafts.into_iter().find_map(understood))
}

/// Returns every draft that can be understood, the last one first, with when it was last changed.
pub(super) fn drafts(session: &Session) -> Result<Vec<(DraftId, Draft, SystemTime)>, Failure> {
    let drafts = session.home.drafts().all()?.into_iter();
    Ok(drafts
        .filter_map(|saved| {
            let when = saved.saved;
            understood(saved).map(|(id, draft)| (id, draft, when))
        })
        .collect())
}

/// Returns a draft that can be understood; another one stays where it is.
fn understood(saved: SavedDraft) -> Option<(DraftId, Draft)> {
    match Draft::from_text(&saved.text) {
        Ok(draft) => Some((saved.id, draft)),
        Err(error) => {
            tracing::warn!(id = %saved.id, %error, "left out of the drafts");
            None
        }
    }
}

/// Does what the operator wants with the answers; a draft that became a file is done with.
fn after(session: &Session, desk: &Desk, ending: Ending) -> Result<u8, Failure> {
    let session = session.with_typed(desk.secrets());
    let target = answered;
    match ending {
        Ending::Left => {
            session.printer.note(KEPT);
            Ok(130)
        }
        Ending::Discarded => {
            desk.discard()?;
            session.printer.note("the answers were thrown away");
            Ok(130)
        }
        Ending::Plan(path) => {
            let args = PlanArgs {
                target: target(path),
                json: false,
                runbook: None,
                prune: false,
            };
            commands::plan(&session, &args)
        }
        Ending::Written(path) => {
            desk.discard()?;
            let next = target::again("deploy", &target(path));
            session.printer.note(&format!("next: `{next}`"));
            Ok(0)
        }
        Ending::Check(path) => {
            let args = CheckArgs {
                target: target(path),
                json: false,
            };
            commands::check(&session, &args)
        }
        Ending::Deploy(path) => {
            desk.discard()?;
            let args = DeployArgs {
                target: target(path),
                yes: false,
                telling: Telling {
                    plain: false,
                    json: false,
                },
                take_over: false,
                prune: false,
            };
            commands::deploy(&session, &args)
        }
    }
}
