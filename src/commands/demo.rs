//! `demo`: a whole deployment on this machine, on virtual machines in containers. Real SSH, real Docker, the real engine; only the images are stand-ins.

mod folder;

use std::time::Instant;

use super::{Session, run as commands};
use crate::cli::{DemoArgs, DeployArgs, Target};
use crate::engine::store::Home;
use crate::model::failure::{Failure, FailureKind};
use crate::rehearsal::images::{self, Release};
use crate::rehearsal::{Engine, Fleet, FleetSpec, VmSpec};
use crate::report::Printer;
use crate::ui::line::prompt;
use folder::Machine;

/// Names a fleet that is kept, so that `--down` finds it; others get a name of their own and do not meet.
const FLEET: &str = "demo";
/// The virtual machines, as the answers of the rehearsal name them.
const MACHINES: [&str; 3] = ["ui", "head", "worker"];
/// The release that is deployed.
const RELEASE: Release = Release::Old;

/// Rehearses.
pub(super) fn run(session: &Session, args: &DemoArgs) -> Result<u8, Failure> {
    let engine = engine(session)?;
    if args.down || args.keep {
        Fleet::take_down(&engine, FLEET)?;
    }
    if args.down {
        // Those of rehearsals that were killed, too.
        Fleet::sweep(&engine)?;
        let note = "no rehearsal's virtual machines are left running";
        session.printer.note(note);
        return Ok(0);
    }
    let fleet = fleet(session, &engine, args)?;
    let machines: Vec<Machine> = fleet.vms().iter().map(Machine::of).collect();
    let folder = session.home.root().join(fleet.name());
    let answers = folder::write(&folder, &machines, &fleet.private_key(), RELEASE.tag())?;
    let inner = Session {
        global: session.global.clone(),
        printer: std::sync::Arc::clone(&session.printer),
        home: Home::new(folder.join("home")),
        typed: session.typed.clone(),
    };
    let code = commands::deploy(&inner, &deploy_args(args, answers))?;
    farewell(session, args, code, fleet)?;
    if !args.keep {
        fs_err::remove_dir_all(&folder).map_err(folder::FolderError::from)?;
    }
    Ok(code)
}

fn engine(session: &Session) -> Result<Engine, Failure> {
    let cache = Engine::default_cache().ok_or_else(|| Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "there is no home folder to keep the rehearsal's images in".to_owned(),
        causes: Vec::new(),
        hint: Some("set HOME".to_owned()),
        command: None,
    })?;
    let tell = |line: &str| session.printer.note(line);
    Ok(Engine::find_or_start(&cache, &tell)?)
}

/// Brings the virtual machines up, building what is missing, and says how long each part took.
fn fleet(session: &Session, engine: &Engine, args: &DemoArgs) -> Result<Fleet, Failure> {
    let printer = &session.printer;
    let tell = |line: &str| printer.note(line);
    printer.note("this machine plays a customer's site: three virtual machines with real sshd and Docker, and stand-in images around the real services below the product");
    let began = Instant::now();
    let images: Vec<String> = images::ensure(engine, &[RELEASE], &tell)?
        .iter()
        .map(ToString::to_string)
        .collect();
    took(printer, "images ready", began);
    let began = Instant::now();
    let empty = if args.keep {
        FleetSpec::new(FLEET, &[]).keep()
    } else {
        FleetSpec::unique(FLEET, &[])
    };
    let spec = MACHINES.iter().fold(empty, |spec, &name| {
        spec.vm(VmSpec::new(name).images(images.clone()))
    });
    let fleet = Fleet::up(engine, &spec, &tell)?;
    took(printer, "three virtual machines up", began);
    Ok(fleet)
}

fn took(printer: &Printer, what: &str, began: Instant) {
    printer.note(&format!(
        "{what} after {:.1} s",
        began.elapsed().as_secs_f64()
    ));
}

fn deploy_args(args: &DemoArgs, answers: camino::Utf8PathBuf) -> DeployArgs {
    DeployArgs {
        target: Target {
            name: None,
            answers: Some(answers),
        },
        yes: args.yes,
        telling: args.telling,
        take_over: false,
        prune: false,
    }
}

/// Leaves the machines running as long as they are wanted.
fn farewell(session: &Session, args: &DemoArgs, code: u8, fleet: Fleet) -> Result<(), Failure> {
    if args.keep {
        session.printer.note(&format!(
            "the virtual machines go on: log in with `ssh -i {} deploy@{}`, take them down with `syntho-installer demo --down`",
            fleet.private_key(),
            fleet.vms().first().map(|vm| vm.address().to_string()).unwrap_or_default()
        ));
        return Ok(());
    }
    if session.printer.can_ask() {
        let prompt = match code {
            0 => "Open the end points above; Enter takes the virtual machines down",
            _ => "Look around; Enter takes the virtual machines down",
        };
        prompt::wait(prompt, session.printer.err_paint());
    }
    fleet.down()?;
    session
        .printer
        .note("the virtual machines are gone again; `--keep` would have left them running");
    Ok(())
}
