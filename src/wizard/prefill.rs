//! A draft made from an answers file, to go on from there.

use camino::Utf8Path;

use super::draft::Draft;
use super::field::Key;
use super::hosts::{HostDraft, HostPart};
use crate::model::answers::{AnswersFile, SshSection, SudoUse};

/// Takes everything over that an answers file says; `folder` is where its relative paths begin.
#[must_use]
pub fn prefill(file: &AnswersFile, folder: &Utf8Path) -> Draft {
    let mut draft = Draft::new(folder);
    draft.preset = Some(file.preset.clone());
    let mut set = |key: &str, value: Option<String>| draft.set(&Key::new(key), value);
    set("name", Some(file.name.to_string()));
    images(file, &mut set);
    for (part, value) in login(&file.ssh) {
        set(&format!("ssh.{}", part.key()), value);
    }
    for (id, value) in &file.answers {
        set(&format!("answers.{id}"), Some(text(value)));
    }
    draft.secrets.clone_from(&file.secrets);
    draft.hosts = file
        .hosts
        .iter()
        .map(|host| {
            let mut made = HostDraft {
                name: host.name.to_string(),
                address: host.address.clone(),
                roles: host.roles.iter().map(ToString::to_string).collect(),
                private_address: host.private_address.clone().unwrap_or_default(),
                host_key: host.host_key.clone().unwrap_or_default(),
                ..HostDraft::default()
            };
            let own = SshSection {
                user: host.user.clone(),
                port: host.port,
                key: host.key.clone(),
                jump: host.jump.clone(),
                sudo: host.sudo,
            };
            for (part, value) in login(&own) {
                made.set(part, value);
            }
            made
        })
        .collect();
    draft.number_hosts();
    draft
}

fn images(file: &AnswersFile, set: &mut dyn FnMut(&str, Option<String>)) {
    let images = &file.images;
    let source = super::answers::source_word(images.source);
    // The default stays unsaid.
    set(
        "images.source",
        Some(source.to_owned()).filter(|source| source != "registry"),
    );
    let archives: Vec<&str> = images
        .bundle
        .iter()
        .chain(&images.bundles)
        .map(|path| path.as_str())
        .collect();
    set(
        "images.bundle",
        Some(archives.join(", ")).filter(|list| !list.is_empty()),
    );
    set("images.registry", images.registry.clone());
    set("images.username", images.username.clone());
    set("images.tag", images.tag.clone());
    set(
        "images.keep-login",
        images.keep_login.then(|| "true".to_owned()),
    );
    for (id, reference) in &images.refs {
        set(&format!("images.refs.{id}"), Some(reference.to_string()));
    }
}

fn login(ssh: &SshSection) -> [(HostPart, Option<String>); 5] {
    let sudo = ssh.sudo.map(|sudo| match sudo {
        SudoUse::Auto => "auto",
        SudoUse::Never => "never",
        SudoUse::Always => "always",
    });
    [
        (HostPart::User, ssh.user.clone()),
        (HostPart::Port, ssh.port.map(|port| port.to_string())),
        (HostPart::KeyFile, ssh.key.as_ref().map(ToString::to_string)),
        (HostPart::Jump, ssh.jump.clone()),
        (HostPart::Sudo, sudo.map(str::to_owned)),
    ]
}

/// Returns a value as it is typed.
fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
