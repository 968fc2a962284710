//! `adopt`: the answers file of what somebody set up by hand. Nothing on any host is changed.

use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;

use super::Session;
use super::drive::{Show, Shown, drive};
use super::run::job;
use super::target::{self, Answers, Chosen};
use crate::cli::AdoptArgs;
use crate::engine::adopt::Takeover;
use crate::engine::lock::TakeOver;
use crate::engine::session;
use crate::model::answers;
use crate::model::deployment::Deployment;
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::preset::Preset;
use crate::model::text::shell_quoted;
use crate::model::validate::{self, Unasked};
use crate::report::usage;
use crate::settings::{self, FolderFiles, HostsAt};
use crate::ui::line::Wanted;

/// Looks for what stands on the hosts and writes the answers that take it over.
pub(super) fn run(session: &Session, args: &AdoptArgs) -> Result<u8, Failure> {
    if args.output.exists() {
        return Err(usage(
            format!("{} is there already", args.output),
            "name another file with `--output`, or move that one away",
        ));
    }
    let presets = presets(session, args)?;
    let base = base(args)?;
    let deployment = hosts_only(&base, &presets)?;
    let kinds = presets.clone();
    let taken: Mutex<Option<Takeover>> = Mutex::default();
    let show = Show {
        shown: Shown::of(args.json, false),
        wanted: Wanted::Checks,
        again: format!(
            "syntho-installer adopt … --output {}",
            shell_quoted(args.output.as_str())
        ),
    };
    let chosen = Chosen {
        deployment,
        answers: base.clone(),
    };
    let code = drive(session, &show, |line, cancel| {
        let job = job(session, chosen, line, cancel, TakeOver::No);
        let found = session::adopt(&job, &presets)?;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    })?;
    let taken = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (0, Some(taken)) = (code, taken) else {
        return Ok(code);
    };
    let preset = kinds.iter().find(|preset| preset.id == taken.preset);
    let preset = preset.ok_or_else(|| super::drive::bug("the preset that was found is gone"))?;
    let text = settings::with_takeover(&base.text, preset, &taken_parts(&taken));
    let text = text.ok_or_else(|| {
        usage(
            format!("cannot change {}", base.name),
            "begin with a smaller file",
        )
    })?;
    write(session, &args.output, &text)?;
    Ok(code)
}

fn taken_parts(taken: &Takeover) -> settings::TakenParts<'_> {
    settings::TakenParts {
        roles: &taken.roles,
        answers: &taken.answers,
        images: &taken.images,
        adopted: &taken.adopted,
    }
}

fn presets(session: &Session, args: &AdoptArgs) -> Result<Vec<Arc<Preset>>, Failure> {
    let all = session.presets();
    let ids = args.preset.clone().map_or_else(|| all.ids(), |id| vec![id]);
    let loaded: Result<Vec<Arc<Preset>>, _> = ids.iter().map(|id| all.load(id)).collect();
    loaded.map_err(|error| Failure::from_error(&error))
}

/// Returns the beginning of the answers: name, hosts and logins.
fn base(args: &AdoptArgs) -> Result<Answers, Failure> {
    if let Some(file) = &args.answers {
        return target::read(file);
    }
    let named = args.hosts.iter().enumerate().map(|(number, host)| {
        let name = host
            .name
            .clone()
            .map_or_else(|| format!("host-{}", number + 1).parse(), Ok);
        name.map(|name: HostName| (name, host.address.as_str()))
    });
    let hosts: Result<Vec<(HostName, &str)>, _> = named.collect();
    let hosts = hosts.map_err(|error| super::drive::bug(&error.to_string()))?;
    let key = args.key.as_deref().map(camino::absolute_utf8).transpose();
    let key = key.map_err(|error| {
        usage(
            format!("cannot tell where the key is: {error}"),
            "give its whole path",
        )
    })?;
    Ok(Answers {
        name: "the hosts that were given".to_owned(),
        text: settings::hosts_file(&HostsAt {
            name: args.name.as_ref().map_or("adopted", |name| name.as_str()),
            hosts: &hosts,
            user: args.user.as_deref(),
            key: key.as_deref(),
            port: args.port,
        }),
        folder: ".".into(),
    })
}

/// Returns a deployment that has hosts and nothing else.
fn hosts_only(base: &Answers, presets: &[Arc<Preset>]) -> Result<Deployment, Failure> {
    let invalid = || {
        usage(
            format!("{} names no hosts", base.name),
            "give `[[hosts]]` with `name` and `address`, or `--host`",
        )
    };
    let first = presets.first().ok_or_else(invalid)?;
    let text = settings::with_preset(&base.text, &first.id).ok_or_else(invalid)?;
    let reading = answers::read(&base.name, &text);
    if let Some(fault) = reading.faults.first() {
        return Err(usage(
            fault.to_string(),
            "mend it and run the same command again",
        ));
    }
    let file = reading.file.ok_or_else(invalid)?;
    let around = target::surroundings();
    let files = FolderFiles::new(&base.folder, around.home.as_deref());
    let around = validate::Surroundings {
        files: &files,
        now: around.now,
    };
    let deployment = validate::survey(&file, first, &around, &[], Unasked::Leave).deployment;
    if deployment.hosts.is_empty() {
        return Err(invalid());
    }
    Ok(deployment)
}

/// Writes the answers, and says what is still to be said in them.
fn write(session: &Session, output: &Utf8Path, text: &str) -> Result<(), Failure> {
    let written = fs_err::write(output, text);
    written.map_err(|error| {
        usage(
            format!("cannot write {output}: {error}"),
            "name another file with `--output`",
        )
    })?;
    let quoted = shell_quoted(output.as_str());
    target::load_file(session, output).map_err(|failure| Failure {
        hint: Some(format!(
            "write what is missing into {output}, then `syntho-installer deploy --answers {quoted}`"
        )),
        ..failure
    })?;
    session.printer.note(&format!(
        "{output} takes it over: `syntho-installer plan --answers {quoted}` shows what would change, `deploy --answers {quoted}` does it"
    ));
    Ok(())
}
