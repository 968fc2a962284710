//! Secrets fetched from where the answers file says, and from `SYNTHO_SECRET_<ID>`.
//!
//! No message holds a value. A file must be readable by its owner alone; one trailing line break is not part of the secret.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};

use super::files::{FolderFiles, plain};
use crate::model::answers::AnswersFile;
use crate::model::deployment::Deployment;
use crate::model::fault::Fault;
use crate::model::ids::QuestionId;
use crate::model::rules::{Broken, Files};
use crate::model::secret::{CommandLine, SecretSource, variable_of};
use crate::model::validate::{self, WantedSecret};

/// Largest secret file: a typo may hit anything.
const LARGEST: u64 = 64 << 10;

/// Fetches every wanted secret that has a source and puts it into `deployment`; returns what went wrong.
pub(super) fn gather(
    file: &AnswersFile,
    deployment: &mut Deployment,
    wanted: &[WantedSecret],
    files: &FolderFiles,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for WantedSecret { id, .. } in wanted {
        let fetched = match file.secrets.get(id) {
            Some(source) => fetch(source, files, environment).map(Some),
            None => Ok(environment(&variable_of(id))
                .filter(|value| !value.is_empty())
                .map(SecretString::from)),
        };
        let accepted = fetched
            .map_err(|reason| Fault::new(format!("secrets.{id}"), reason))
            .and_then(|value| {
                value
                    .map(|value| accept(deployment, id, &value))
                    .transpose()
            });
        match accepted {
            Ok(Some(value)) => deployment.secrets.insert(id.clone(), value),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// Checks a secret's value and returns it as it is used.
pub(super) fn accept(
    deployment: &Deployment,
    id: &QuestionId,
    value: &SecretString,
) -> Result<SecretString, Fault> {
    let text = value.expose_secret();
    validate::accept_secret(&deployment.preset, id, text)
        .map(SecretString::from)
        .map_err(|Broken { rule, example }| {
            Fault::new(format!("secrets.{id}"), format!("the secret {rule}")).example(example)
        })
}

fn fetch(
    source: &SecretSource,
    files: &FolderFiles,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<SecretString, String> {
    match source {
        SecretSource::Env(name) => environment(name)
            .filter(|value| !value.is_empty())
            .map(SecretString::from)
            .ok_or_else(|| format!("the environment variable `{name}` is not set, or empty")),
        SecretSource::File(path) => read_file(&files.locate(path.as_str())),
        SecretSource::Command(command) => run(command),
    }
}

fn read_file(path: &str) -> Result<SecretString, String> {
    let metadata = fs_err::metadata(path)
        .map_err(|error| format!("cannot read `{path}`: {}", plain(&error)))?;
    if !metadata.is_file() {
        return Err(format!("`{path}` is not a file"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "`{path}` can be read by others (mode {mode:04o}): make it yours alone with `chmod 600 {path}`"
        ));
    }
    if metadata.len() > LARGEST {
        return Err(format!(
            "`{path}` has {} bytes, too many for a secret",
            metadata.len()
        ));
    }
    let bytes =
        fs_err::read(path).map_err(|error| format!("cannot read `{path}`: {}", plain(&error)))?;
    text_of(bytes, &format!("`{path}`"))
}

fn run(command: &CommandLine) -> Result<SecretString, String> {
    let (mut process, name) = match command {
        CommandLine::Line(line) => {
            let mut process = Command::new("sh");
            process.args(["-c", line]);
            (process, line.split_whitespace().next().unwrap_or_default())
        }
        CommandLine::Arguments(words) => {
            let (program, arguments) = words.split_first().ok_or("the command is empty")?;
            let mut process = Command::new(program);
            process.args(arguments);
            (process, program.as_str())
        }
    };
    // What it says on stderr goes to the operator as it is: it may ask to touch a key.
    let output = process
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("the command `{name}` cannot be run: {}", plain(&error)))?;
    if !output.status.success() {
        return Err(format!("the command `{name}` failed: {}", output.status));
    }
    text_of(output.stdout, &format!("what the command `{name}` printed"))
}

/// Returns bytes as a secret, without one trailing line break.
fn text_of(bytes: Vec<u8>, what: &str) -> Result<SecretString, String> {
    let mut text = String::from_utf8(bytes).map_err(|_| format!("{what} is not UTF-8 text"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(format!("{what} is empty"));
    }
    Ok(text.into())
}
