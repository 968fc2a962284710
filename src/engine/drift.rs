//! What stands on hosts otherwise than it was accepted: files by their checksums, variables by their names, images by what their names stand for now.
//!
//! It reads only, one command a host and one question an image, so that `status` stays fast. It cannot know who changed something, and says no value.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::action::{AnyAction, Rights};
use super::fan_out::fan_out;
use super::runner::Links;
use crate::model::check::{CheckResult, Verdict};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::receipt::Receipt;
use crate::model::resolved::{PlacedStack, RenderedFile, Resolved};
use crate::model::text::{hexadecimal, shell_quoted};
use crate::transport::{Command, Host, TransportError, files};

/// The file that only people read.
const README: &str = "README";
/// The file of a stack's variables.
const ENV_FILE: &str = ".env";

/// What is compared with what.
pub struct Looking<'a> {
    /// Everything that shall be.
    pub resolved: &'a Resolved,
    /// Whose rights are used on each host.
    pub rights: &'a BTreeMap<HostName, Rights>,
    /// Connections.
    pub links: &'a dyn Links,
    /// What earlier runs did, oldest first.
    pub receipts: &'a [Receipt<AnyAction>],
    /// How many hosts are asked at once.
    pub concurrency: usize,
}

/// Returns one result a host.
#[must_use]
pub fn look(looking: &Looking<'_>) -> Vec<CheckResult> {
    let stacks = looking.resolved.stacks.iter();
    let hosts: BTreeSet<&HostName> = stacks.map(|stack| &stack.host).collect();
    let hosts = hosts.into_iter().collect();
    fan_out(hosts, looking.concurrency, |host| {
        let (verdict, found) = match differences(looking, host) {
            Ok(found) if found.is_empty() => (Verdict::Pass, "as accepted".to_owned()),
            Ok(found) => (Verdict::Warn, found.join("; ")),
            Err(error) => (Verdict::Warn, format!("could not be looked at: {error}")),
        };
        let name = &looking.resolved.deployment;
        let remedy = format!(
            "`syntho-installer plan {name}` shows the difference, `deploy {name}` brings back what was accepted"
        );
        CheckResult {
            id: "as-accepted".to_owned(),
            host: Some(host.clone()),
            title: "Files and images are as they were accepted".to_owned(),
            verdict,
            found,
            cause: None,
            remedy: Some(remedy).filter(|_| verdict != Verdict::Pass),
            command: None,
            mends: false,
            opening: None,
        }
    })
}

/// Returns what differs on a host.
fn differences(looking: &Looking<'_>, name: &HostName) -> Result<Vec<String>, TransportError> {
    let host = looking.links.host(name)?;
    let rights = looking.rights.get(name).copied().unwrap_or_default();
    let stacks = looking.resolved.stacks.iter();
    let stacks: Vec<&PlacedStack> = stacks.filter(|stack| stack.host == *name).collect();
    let mut found = in_files(host.as_ref(), rights, &stacks)?;
    found.extend(in_images(looking, host.as_ref(), &stacks)?);
    Ok(found)
}

fn in_files(
    host: &dyn Host,
    rights: Rights,
    stacks: &[&PlacedStack],
) -> Result<Vec<String>, TransportError> {
    let all = stacks.iter().flat_map(|stack| {
        let files = stack.files.iter().filter(|file| file.path != README);
        files.map(|file| (format!("{}/{}", stack.folder, file.path), file))
    });
    let all: Vec<(String, &RenderedFile)> = all.collect();
    let mut script = "sha256sum --".to_owned();
    for (path, _) in &all {
        script.push(' ');
        script.push_str(&shell_quoted(path));
    }
    script.push_str(" 2>/dev/null || :");
    let output = host.must(&Command::sh(script).with_privilege(rights.privilege()))?;
    let text = output.text();
    let sums: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, path)| (path, sum))
        .collect();
    let mut found = Vec::new();
    for (path, file) in all {
        match sums.get(path.as_str()) {
            None => found.push(format!("{path} is gone")),
            Some(sum) if *sum == sha256(file.content.expose_secret()) => {}
            Some(_) => found.push(how(host, rights, &path, file)?),
        }
    }
    Ok(found)
}

/// Says how a file differs: of variables, which ones.
fn how(
    host: &dyn Host,
    rights: Rights,
    path: &str,
    file: &RenderedFile,
) -> Result<String, TransportError> {
    if file.path != ENV_FILE {
        return Ok(format!("{path} is another"));
    }
    let there = files::read(host, path, rights.privilege())?.unwrap_or_default();
    let names = differing(
        file.content.expose_secret(),
        &String::from_utf8_lossy(&there),
    );
    if names.is_empty() {
        return Ok(format!("{path} is another"));
    }
    Ok(format!("{path} gives otherwise: {}", names.join(", ")))
}

/// Returns the names of the variables that two files give otherwise, or of which one knows nothing.
fn differing(wanted: &str, there: &str) -> Vec<String> {
    let variables = |text: &str| -> BTreeMap<String, String> {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once('='));
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        pairs
            .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
            .filter(|(name, _)| !name.is_empty() && plain(name))
            .collect()
    };
    let (wanted, there) = (variables(wanted), variables(there));
    let names: BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    let differ = |name: &&&String| wanted.get(**name) != there.get(**name);
    names
        .iter()
        .filter(differ)
        .map(|name| (*name).clone())
        .collect()
}

/// Compares what the names of images stand for with what the last run that knew them has found or brought.
fn in_images(
    looking: &Looking<'_>,
    host: &dyn Host,
    stacks: &[&PlacedStack],
) -> Result<Vec<String>, TransportError> {
    let images: BTreeSet<&ImageRef> = stacks
        .iter()
        .flat_map(|stack| stack.images.iter().map(|image| &image.reference))
        .collect();
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let docker = host.docker()?;
    let mut found = Vec::new();
    for reference in images {
        let Some(image) = docker.image(reference)? else {
            found.push(format!("image {reference} is gone"));
            continue;
        };
        let known = brought(looking.receipts, host.name(), reference);
        if known.is_some_and(|known| known != image.id) {
            found.push(format!("image {reference} is another than was brought"));
        }
    }
    Ok(found)
}

fn brought<'r>(
    receipts: &'r [Receipt<AnyAction>],
    host: &HostName,
    reference: &ImageRef,
) -> Option<&'r str> {
    let steps = receipts.iter().rev().flat_map(|receipt| &receipt.steps);
    steps
        .filter(|step| step.host == *host)
        .find_map(|step| match &step.action {
            AnyAction::DeliverImage(image) if image.reference == *reference => image.id.as_deref(),
            _ => None,
        })
}

fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_and_their_values_are_not() {
        let wanted = "# a comment\nA='1'\nB='2'\nC='3'\n";
        assert!(differing(wanted, "C='3'\n\nA='1'\nB='2'\n").is_empty());
        assert_eq!(
            differing(wanted, "A='1'\nB='secret'\nD='4'\n"),
            ["B", "C", "D"]
        );
    }
}
