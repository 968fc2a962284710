//! Writes the hand-over record.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use openssl::x509::{X509, X509NameRef};
use secrecy::ExposeSecret;

use super::{HandOver, Stands, trust};
use crate::engine::compose::PROJECT_LABEL;
use crate::model::check::Verdict;
use crate::model::deployment::AnswerValue;
use crate::model::docker::VolumeFacts;
use crate::model::ids::{HostName, RoleId};
use crate::model::image::ImageRef;
use crate::model::preset::{Page, QuestionKind};
use crate::model::resolved::PlacedStack;
use crate::model::text::shell_quoted;

/// Writes it.
#[must_use]
pub fn record(over: &HandOver<'_>) -> String {
    let resolved = over.resolved;
    let mut text = format!("# {}: {}\n\n", resolved.deployment, resolved.title);
    let _ = writeln!(
        text,
        "Handed over on {}. Preset `{}`, run `{}`, syntho-installer {}.\n",
        over.judged.strftime("%Y-%m-%d %H:%M UTC"),
        resolved.preset,
        over.run,
        env!("CARGO_PKG_VERSION"),
    );
    endpoints(&mut text, over);
    machines(&mut text, over);
    images(&mut text, over);
    ports(&mut text, over);
    certificates(&mut text, over);
    accounts(&mut text, over);
    data(&mut text, over);
    by_hand(&mut text, over);
    checks(&mut text, over);
    text
}

fn endpoints(text: &mut String, over: &HandOver<'_>) {
    if over.resolved.endpoints.is_empty() {
        return;
    }
    text.push_str("## End points\n\n| what | address | for |\n| --- | --- | --- |\n");
    for endpoint in &over.resolved.endpoints {
        row(text, &[&endpoint.title, &endpoint.url, &endpoint.audience]);
    }
    text.push('\n');
}

fn machines(text: &mut String, over: &HandOver<'_>) {
    text.push_str(
        "## Machines\n\n| name | address | what it is for | folders |\n| --- | --- | --- | --- |\n",
    );
    for host in &over.resolved.hosts {
        let roles: Vec<&str> = host.roles.iter().map(RoleId::as_str).collect();
        let folders: Vec<String> = stacks_on(over, &host.name)
            .map(|stack| format!("`{}`", stack.folder))
            .collect();
        row(
            text,
            &[
                host.name.as_str(),
                &host.private_address.to_string(),
                &roles.join(", "),
                &folders.join(", "),
            ],
        );
    }
    text.push('\n');
}

/// Every image once, with the digest that pins it and the hosts it is on.
fn images(text: &mut String, over: &HandOver<'_>) {
    let mut carriers: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for stack in &over.resolved.stacks {
        for image in &stack.images {
            let digest = digest(over, &stack.host, &image.reference);
            let hosts = carriers
                .entry((image.reference.to_string(), digest))
                .or_default();
            if !hosts.contains(&stack.host.as_str()) {
                hosts.push(stack.host.as_str());
            }
        }
    }
    text.push_str("## Versions\n\n| image | digest | on |\n| --- | --- | --- |\n");
    for ((reference, digest), hosts) in carriers {
        row(
            text,
            &[&format!("`{reference}`"), &digest, &hosts.join(", ")],
        );
    }
    text.push('\n');
}

/// Returns what pins an image: its repository digest, or its id where it was never pulled.
fn digest(over: &HandOver<'_>, host: &HostName, reference: &ImageRef) -> String {
    let unknown = || "not known".to_owned();
    let Some(stands) = over.stands.get(host) else {
        return unknown();
    };
    let named = |tag: &String| ImageRef::parse(tag).is_ok_and(|tag| tag == *reference);
    let Some(image) = stands.images.iter().find(|i| i.tags.iter().any(named)) else {
        return unknown();
    };
    let pulled = image.digests.iter().find_map(|d| d.split_once('@'));
    match pulled {
        Some((_, digest)) => format!("`{digest}`"),
        None => format!("`{}` (image id)", image.id),
    }
}

/// What listens, by host; what only the host itself reaches is said so.
fn ports(text: &mut String, over: &HandOver<'_>) {
    text.push_str("## Ports\n\n| host | stack | listens on |\n| --- | --- | --- |\n");
    for stack in &over.resolved.stacks {
        let mut listening: Vec<String> = over
            .stands
            .get(&stack.host)
            .into_iter()
            .flat_map(|stands| &stands.containers)
            .filter(|container| container.project() == Some(stack.project.as_str()))
            .flat_map(|container| container.published.iter().cloned())
            .collect();
        // A stack in its host's own network publishes nothing; its preset knows what it uses.
        for port in stack.ports.iter().map(ToString::to_string) {
            if !listening
                .iter()
                .any(|known| known.rsplit(':').next() == Some(port.as_str()))
            {
                listening.push(port);
            }
        }
        listening.sort();
        listening.dedup();
        let listening = if listening.is_empty() {
            "nothing outside its own network".to_owned()
        } else {
            listening.join(", ")
        };
        row(text, &[stack.host.as_str(), &stack.title, &listening]);
    }
    text.push('\n');
}

fn certificates(text: &mut String, over: &HandOver<'_>) {
    let mut rows = Vec::new();
    for stack in &over.resolved.stacks {
        for file in &stack.files {
            let content = file.content.expose_secret();
            // The server's own certificate comes first; its issuers follow.
            let Some(Ok(certificate)) = content
                .contains("-----BEGIN CERTIFICATE-----")
                .then(|| X509::from_pem(content.as_bytes()))
            else {
                continue;
            };
            rows.push([
                format!("`{}/{}` on {}", stack.folder, file.path, stack.host),
                name(certificate.subject_name()),
                name(certificate.issuer_name()),
                certificate.not_after().to_string(),
            ]);
        }
    }
    text.push_str("## Certificates\n\n");
    if rows.is_empty() {
        text.push_str("None stands on these machines.\n\n");
        return;
    }
    text.push_str("| where | for | issued by | good until |\n| --- | --- | --- | --- |\n");
    for [place, subject, issuer, until] in &rows {
        row(text, &[place, subject, issuer, until]);
    }
    text.push('\n');
    for authority in &over.resolved.authorities {
        trust::write(text, &over.resolved.deployment, authority);
    }
}

/// Returns the common name, or all of a name where it has none.
fn name(name: &X509NameRef) -> String {
    let entries = name.entries_by_nid(openssl::nid::Nid::COMMONNAME);
    let common: Vec<String> = entries
        .filter_map(|entry| entry.data().to_string().ok())
        .collect();
    if common.is_empty() {
        format!("{name:?}")
    } else {
        common.join(", ")
    }
}

/// Accounts and where their secrets are, never what they are.
fn accounts(text: &mut String, over: &HandOver<'_>) {
    let deployment = over.deployment;
    text.push_str("## Accounts\n\n| what | value or place |\n| --- | --- |\n");
    for host in &deployment.hosts {
        let user = host
            .login
            .user
            .as_deref()
            .unwrap_or("of the SSH configuration");
        row(text, &[&format!("SSH login on {}", host.name), user]);
    }
    for question in &deployment.preset.parts.questions {
        match (&question.kind, deployment.answers.get(&question.id)) {
            (QuestionKind::Secret, _) => {
                let Some(kept) = deployment.preset.kept(question) else {
                    continue;
                };
                let places: Vec<String> = over
                    .resolved
                    .stacks
                    .iter()
                    .filter(|stack| stack.id == kept.stack)
                    .map(|stack| {
                        format!(
                            "`{}` in `{}/.env` on {}",
                            kept.variable, stack.folder, stack.host
                        )
                    })
                    .collect();
                if !places.is_empty() {
                    row(text, &[&question.prompt, &places.join(", ")]);
                }
            }
            (_, Some(value)) if question.page == Page::Auth => {
                row(text, &[&question.prompt, &shown(value)]);
            }
            _ => {}
        }
    }
    text.push_str("\nPasswords are not in this record; hand them over by another way.\n\n");
}

fn shown(value: &AnswerValue) -> String {
    match value {
        AnswerValue::Text(text) => text.clone(),
        AnswerValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        AnswerValue::Integer(number) => number.to_string(),
        AnswerValue::Number(number) => number.to_string(),
        AnswerValue::List(list) => list.join(", "),
    }
}

fn data(text: &mut String, over: &HandOver<'_>) {
    text.push_str("## Where the data is\n\n");
    let mut any = false;
    for stack in &over.resolved.stacks {
        for (volume, place) in volumes(over, stack) {
            any = true;
            let _ = writeln!(
                text,
                "- volume `{}` on {}: `{place}`",
                volume.name, stack.host
            );
        }
    }
    if !any {
        text.push_str("No volume stands on these machines.\n");
    }
    text.push('\n');
}

/// Returns the volumes of a stack with their folders on the host.
fn volumes<'a>(
    over: &'a HandOver<'_>,
    stack: &'a PlacedStack,
) -> impl Iterator<Item = (&'a VolumeFacts, String)> {
    let stands: Option<&Stands> = over.stands.get(&stack.host);
    stands.into_iter().flat_map(move |stands| {
        stands
            .volumes
            .iter()
            .filter(|volume| volume.labels.get(PROJECT_LABEL) == Some(&stack.project))
            .map(|volume| {
                let root = stands.root.trim_end_matches('/');
                (volume, format!("{root}/volumes/{}/_data", volume.name))
            })
    })
}

/// The commands of everyday work, by stack.
fn by_hand(text: &mut String, over: &HandOver<'_>) {
    text.push_str("## By hand\n\nEvery folder holds a `README` with its commands. Where Compose is no plugin of Docker, write `docker-compose` for `docker compose`.\n\n");
    for stack in &over.resolved.stacks {
        let _ = writeln!(text, "### {} on {}\n", stack.title, stack.host);
        let folder = shell_quoted(&stack.folder);
        steps_by_hand(text, stack, &folder);
        if !stack.is_project() {
            continue;
        }
        let _ = writeln!(
            text,
            "State, and a start after a stop:\n\n    cd {folder} && docker compose ps\n    docker compose up -d\n"
        );
        let volumes: Vec<(&VolumeFacts, String)> = volumes(over, stack).collect();
        let _ = writeln!(
            text,
            "Backup, with the stack stopped; the folder holds the keys that the data needs:\n\n    cd {folder} && docker compose stop"
        );
        for (volume, place) in &volumes {
            let name = shell_quoted(&volume.name);
            let _ = writeln!(
                text,
                "    sudo tar -C {} -czf ~/{name}.tar.gz .",
                shell_quoted(place)
            );
        }
        let _ = writeln!(
            text,
            "    sudo tar -C {folder} -czf ~/{}-folder.tar.gz .\n    docker compose up -d\n",
            stack.project
        );
        let _ = writeln!(
            text,
            "Removal; the data stays in its volumes, and is of no use without a backup of this folder:\n\n    cd {folder} && docker compose down\n    cd / && sudo rm -r {folder}\n"
        );
        if !volumes.is_empty() {
            text.push_str("Removal of the data, which cannot be taken back:\n\n");
            for (volume, _) in &volumes {
                let _ = writeln!(text, "    docker volume rm {}", shell_quoted(&volume.name));
            }
            text.push('\n');
        }
    }
}

/// What tools have brought about, and how one looks whether it is so, brings it about again and takes it back.
fn steps_by_hand(text: &mut String, stack: &PlacedStack, folder: &str) {
    for step in &stack.steps {
        let typed = |program: &[String]| {
            let words: Vec<String> = program.iter().map(|word| shell_quoted(word)).collect();
            words.join(" ")
        };
        let _ = writeln!(
            text,
            "{}. Whether it is so, and what brings it about:\n\n    cd {folder} && {}\n    {}\n",
            step.title,
            typed(&step.probe),
            typed(&step.run)
        );
        if !step.revert.is_empty() {
            let _ = writeln!(
                text,
                "What takes it back:\n\n    cd {folder} && {}\n",
                typed(&step.revert)
            );
        }
    }
}

fn checks(text: &mut String, over: &HandOver<'_>) {
    let _ = writeln!(
        text,
        "## What was checked\n\nJudged on {}.\n\n| check | host | result |\n| --- | --- | --- |",
        over.judged.strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    for check in over.checks {
        let verdict = match check.verdict {
            Verdict::Pass => "passed",
            Verdict::Warn => "warning",
            Verdict::Fail => "failed",
        };
        let host = check.host.as_ref().map_or("all", HostName::as_str);
        row(
            text,
            &[&check.title, host, &format!("{verdict}: {}", check.found)],
        );
    }
}

fn stacks_on<'a>(
    over: &'a HandOver<'_>,
    host: &'a HostName,
) -> impl Iterator<Item = &'a PlacedStack> {
    let stacks = over.resolved.stacks.iter();
    stacks.filter(move |stack| stack.host == *host)
}

/// Writes a row; nothing in a cell may end it.
fn row(text: &mut String, cells: &[&str]) {
    for cell in cells {
        let cell = cell.replace('|', "\\|").replace('\n', " ");
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

#[cfg(test)]
mod tests;
