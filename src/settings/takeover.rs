//! The answers of a deployment that was set up by hand: what its hosts say, put into a file that named little but them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value,
};

use super::edit::{put, section};
use crate::model::answers::{Adopted, ImageSource, ImagesSection};
use crate::model::ids::{HostName, PresetId, QuestionId, RoleId};
use crate::model::preset::{Preset, QuestionKind};

/// Hosts as a command line gives them.
#[derive(Debug, Clone, Copy)]
pub struct HostsAt<'a> {
    /// The deployment's name.
    pub name: &'a str,
    /// The hosts with their addresses.
    pub hosts: &'a [(HostName, &'a str)],
    /// The login name.
    pub user: Option<&'a str>,
    /// The key file.
    pub key: Option<&'a Utf8Path>,
    /// The port of SSH.
    pub port: Option<u16>,
}

/// Returns the beginning of an answers file with these hosts.
#[must_use]
pub fn hosts_file(at: &HostsAt<'_>) -> String {
    let mut document = DocumentMut::new();
    document.insert("version", value(1));
    document.insert("name", value(at.name));
    let mut ssh = Table::new();
    if let Some(user) = at.user {
        ssh.insert("user", value(user));
    }
    if let Some(key) = at.key {
        ssh.insert("key", value(key.as_str()));
    }
    if let Some(port) = at.port {
        ssh.insert("port", value(i64::from(port)));
    }
    document.insert("ssh", Item::Table(ssh));
    let hosts = at.hosts.iter().map(|(name, address)| {
        let mut host = Table::new();
        host.insert("name", value(name.as_str()));
        host.insert("address", value(*address));
        host
    });
    document.insert("hosts", Item::ArrayOfTables(hosts.collect()));
    document.to_string()
}

/// Returns the text with a preset, and a role or none for every host, so that it can be read; `None` when it is no answers file at all.
#[must_use]
pub fn with_preset(text: &str, preset: &PresetId) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    if !document.contains_key("preset") {
        document.insert("preset", value(preset.as_str()));
    }
    each_host(&mut document, |_, host| {
        if !host.contains_key("roles") {
            host.insert("roles", value(Array::new()));
        }
    });
    Some(document.to_string())
}

/// What is put into the answers.
#[derive(Debug, Clone, Copy)]
pub struct TakenParts<'a> {
    /// What each host is for.
    pub roles: &'a BTreeMap<HostName, Vec<RoleId>>,
    /// Answers, as they would be typed.
    pub answers: &'a BTreeMap<QuestionId, String>,
    /// The images that run.
    pub images: &'a ImagesSection,
    /// What is taken over.
    pub adopted: &'a [Adopted],
}

/// Returns the text with everything that was found in it; what it said itself of other things stays, comments and all.
#[must_use]
pub fn with_takeover(text: &str, preset: &Preset, taken: &TakenParts<'_>) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    put(document.as_table_mut(), "preset", preset.id.as_str());
    each_host(&mut document, |name, host| {
        let of_host = taken.roles.iter().filter(|(host, _)| host.as_str() == name);
        let roles = of_host.flat_map(|(_, roles)| roles);
        let roles: Array = roles.map(RoleId::as_str).collect();
        put(host, "roles", roles);
    });
    images(section(&mut document, "images")?, taken.images);
    let answers = section(&mut document, "answers")?;
    for (id, text) in taken.answers {
        let number = matches!(
            kind(preset, id),
            Some(QuestionKind::Port | QuestionKind::Integer)
        );
        match text.parse::<i64>() {
            Ok(number_found) if number => put(answers, id.as_str(), number_found),
            _ => put(answers, id.as_str(), text.as_str()),
        }
    }
    document.insert(
        "adopted",
        Item::ArrayOfTables(taken.adopted.iter().map(adopted).collect::<ArrayOfTables>()),
    );
    Some(document.to_string())
}

fn kind(preset: &Preset, id: &QuestionId) -> Option<QuestionKind> {
    preset.question(id).map(|question| question.kind)
}

fn images(section: &mut dyn TableLike, images: &ImagesSection) {
    if images.source == ImageSource::Present {
        put(section, "source", "present");
    }
    for (key, text) in [("registry", &images.registry), ("tag", &images.tag)] {
        if let Some(text) = text {
            put(section, key, text.as_str());
        }
    }
    if !images.refs.is_empty() {
        let refs = images.refs.iter();
        let refs: InlineTable = refs
            .map(|(id, reference)| (id.to_string(), Value::from(reference.to_string())))
            .collect();
        put(section, "refs", refs);
    }
}

fn adopted(adopted: &Adopted) -> Table {
    let mut table = Table::new();
    for (key, text) in [
        ("host", adopted.host.as_str()),
        ("stack", adopted.stack.as_str()),
        ("form", adopted.form.as_str()),
        ("project", adopted.project.as_str()),
        ("folder", adopted.folder.as_str()),
        ("environment", adopted.environment.as_str()),
    ] {
        table.insert(key, value(text));
    }
    if !adopted.volumes.is_empty() {
        let volumes = adopted.volumes.iter();
        let volumes: InlineTable = volumes
            .map(|(ours, theirs)| (ours.as_str(), Value::from(theirs.as_str())))
            .collect();
        table.insert("volumes", value(volumes));
    }
    table
}

/// Does something with every host of the file, whichever way they are written.
fn each_host(document: &mut DocumentMut, mut change: impl FnMut(&str, &mut dyn TableLike)) {
    let mut change = |host: &mut dyn TableLike| {
        let name = host
            .get("name")
            .and_then(Item::as_str)
            .unwrap_or_default()
            .to_owned();
        change(&name, host);
    };
    match document.get_mut("hosts") {
        Some(Item::ArrayOfTables(hosts)) => hosts.iter_mut().for_each(|host| change(host)),
        Some(Item::Value(Value::Array(hosts))) => {
            let tables = hosts.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.for_each(|host| change(host));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::Presets;

    #[test]
    fn a_file_of_hosts_becomes_answers_and_keeps_its_words() {
        let hosts = [("ui".parse().unwrap(), "10.0.0.11")];
        let text = hosts_file(&HostsAt {
            name: "acme",
            hosts: &hosts,
            user: Some("deploy"),
            key: None,
            port: Some(2222),
        });
        let text = text.replace("[ssh]", "# the jump host is gone since May\n[ssh]");
        let preset = Presets::new(None)
            .load(&"syntho-one-node".parse().unwrap())
            .unwrap();
        assert!(
            with_preset(&text, &preset.id)
                .unwrap()
                .contains("roles = []")
        );
        let taken = TakenParts {
            roles: &BTreeMap::from([("ui".parse().unwrap(), vec!["ui".parse().unwrap()])]),
            answers: &BTreeMap::from([
                ("frontend-port".parse().unwrap(), "3001".to_owned()),
                ("admin-username".parse().unwrap(), "12".to_owned()),
            ]),
            images: &ImagesSection {
                source: ImageSource::Present,
                tag: Some("1.9.0".to_owned()),
                ..ImagesSection::default()
            },
            adopted: &[Adopted {
                host: "ui".parse().unwrap(),
                stack: "application".parse().unwrap(),
                form: "one-node".to_owned(),
                project: "app".to_owned(),
                folder: "/home/ops/app".to_owned(),
                environment: "/home/ops/app/.env".to_owned(),
                volumes: BTreeMap::from([(
                    "database-data".to_owned(),
                    "app_database-data".to_owned(),
                )]),
            }],
        };
        let text = with_takeover(&text, &preset, &taken).unwrap();
        assert!(
            text.contains("# the jump host is gone since May\n[ssh]"),
            "{text}"
        );
        let reading = crate::model::answers::read("x", &text);
        assert!(reading.faults.is_empty(), "{:?}\n{text}", reading.faults);
        let file = reading.file.unwrap();
        assert_eq!(file.adopted, taken.adopted);
        assert_eq!(
            file.answers[&"frontend-port".parse().unwrap()],
            toml::Value::from(3001)
        );
        assert_eq!(
            file.answers[&"admin-username".parse().unwrap()],
            toml::Value::from("12")
        );
        assert_eq!(file.hosts[0].roles.len(), 1);
        assert_eq!(file.ssh.port, Some(2222));
    }
}
