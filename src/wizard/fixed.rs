//! The fields that every deployment has, whatever its preset: its name, its images, its hosts and how to log in to them.

use super::answers::source_word;
use super::field::{Choice, Field, FieldKind, Key, PathUse, SecretState};
use super::hosts::HostPart;
use super::{Around, Wizard, secrets};
use crate::model::answers::ImageSource;
use crate::model::validate::{Survey, way_secrets};

/// Everything that makes a field of fixed text.
struct Fixed {
    key: &'static str,
    prompt: &'static str,
    help: &'static str,
    example: &'static str,
    default: Option<&'static str>,
    optional: bool,
}

impl Fixed {
    fn field(&self, kind: FieldKind) -> Field {
        Field {
            key: Key::new(self.key),
            kind,
            prompt: self.prompt.to_owned(),
            help: self.help.to_owned(),
            example: self.example.to_owned(),
            default: self.default.map(str::to_owned),
            value: None,
            optional: self.optional,
            proposal: None,
            trouble: None,
        }
    }
}

/// Returns the fields of the first page; which preset is chosen there is no field.
pub(super) fn option() -> Vec<Field> {
    let name = Fixed {
        key: "name",
        prompt: "Name of the deployment",
        help: "How this installation is called here and on the hosts: it becomes a folder, and part of the names of containers and volumes. It cannot be changed afterwards",
        example: "acme-prod",
        default: None,
        optional: false,
    };
    vec![name.field(FieldKind::Text)]
}

/// Returns the two values of a question that is answered yes or no.
pub(super) fn yes_or_no() -> Vec<Choice> {
    choices(&[("true", "yes"), ("false", "no")])
}

fn choices(values: &[(&str, &str)]) -> Vec<Choice> {
    values
        .iter()
        .map(|(value, meaning)| Choice {
            value: (*value).to_owned(),
            meaning: Some((*meaning).to_owned()),
        })
        .collect()
}

/// Returns the fields about where images come from.
pub(super) fn images(wizard: &Wizard, survey: &Survey, around: &Around<'_>) -> Vec<Field> {
    let source = survey.deployment.images.source;
    let mut fields = vec![source_field()];
    if source == ImageSource::Bundle {
        fields.push(bundle_field());
    }
    fields.extend(registry_fields(source));
    if source == ImageSource::Registry
        && wizard.draft().text(&Key::new("images.username")).is_some()
    {
        let password = way_secret(wizard, "registry-password", SecretState::Missing, around);
        fields.extend(password);
        fields.push(keep_login_field());
    }
    fields.extend(image_fields(wizard, survey));
    fields
}

fn source_field() -> Field {
    let source = Fixed {
        key: "images.source",
        prompt: "Images come from",
        help: "How the container images reach the hosts",
        example: "registry",
        default: Some(source_word(ImageSource::Registry)),
        optional: false,
    };
    source.field(FieldKind::Choice(choices(&[
        (
            "registry",
            "each host pulls from a registry that it can reach",
        ),
        (
            "bundle",
            "from archives on this machine, carried to the hosts over SSH",
        ),
        ("present", "they are on the hosts already"),
    ])))
}

fn bundle_field() -> Field {
    Fixed {
        key: "images.bundle",
        prompt: "Image archives",
        help: "Files on this machine as `docker save` writes them, also compressed; several are parted by commas",
        example: "syntho-images.tar.gz",
        default: None,
        optional: false,
    }
    .field(FieldKind::List)
}

fn registry_fields(source: ImageSource) -> Vec<Field> {
    let tag = Fixed {
        key: "images.tag",
        prompt: "Release",
        help: "The tag of the product's images; the same on every host. A moving tag such as `latest` is refused: there would be no way back",
        example: "1.9.0",
        default: None,
        optional: false,
    };
    let registry = Fixed {
        key: "images.registry",
        prompt: "Registry",
        help: "The host of the registry, with its port if it has one; left empty, the vendor's. It is part of the images' names wherever they come from",
        example: "registry.acme.example:5000",
        default: None,
        optional: true,
    };
    let username = Fixed {
        key: "images.username",
        prompt: "User at the registry",
        help: "Whom the hosts log in as before they pull; left empty, they do not log in",
        example: "acme",
        default: None,
        optional: true,
    };
    let mut fields = vec![tag.field(FieldKind::Text), registry.field(FieldKind::Text)];
    if source == ImageSource::Registry {
        fields.push(username.field(FieldKind::Text));
    }
    fields
}

fn keep_login_field() -> Field {
    Fixed {
        key: "images.keep-login",
        prompt: "Keep the login on the hosts",
        help: "Whether the registry login stays on the hosts after the pull, so that an administrator can pull by hand",
        example: "false",
        default: Some("false"),
        optional: false,
    }
    .field(FieldKind::Choice(yes_or_no()))
}

/// Returns one field for each image that is wanted now; left alone, its reference follows from registry and release.
fn image_fields(wizard: &Wizard, survey: &Survey) -> Vec<Field> {
    let Some(preset) = wizard.preset() else {
        return Vec::new();
    };
    let images = preset.parts.images.iter();
    images
        .filter_map(|image| {
            let key = Key::new(format!("images.refs.{}", image.id));
            let typed = wizard.draft().text(&key).is_some();
            let known = survey.references.get(&image.id).map(ToString::to_string);
            (typed || known.is_some()).then(|| Field {
                key,
                kind: FieldKind::Text,
                prompt: image.title.clone(),
                help: "The whole reference of this image; left alone, it follows from registry and release".to_owned(),
                example: format!("registry.acme.example/{}:1.9.0", image.id),
                default: if typed { None } else { known },
                value: None,
                optional: true,
                proposal: None,
                trouble: None,
            })
        })
        .collect()
}

/// What a part of a login or host is, in the order name, prompt, help, example.
fn words(part: HostPart) -> (&'static str, &'static str, &'static str) {
    match part {
        HostPart::Name => (
            "Name",
            "How the host is called here: lower-case letters, digits and hyphens",
            "host-1",
        ),
        HostPart::Address => (
            "Address",
            "Where SSH reaches it: a name, an address, an alias of `~/.ssh/config`, or `local` for this machine",
            "10.0.0.11",
        ),
        HostPart::User => (
            "User",
            "Whom to log in as; left empty, what `~/.ssh/config` says, or your own login name",
            "deploy",
        ),
        HostPart::PrivateAddress => (
            "Private address",
            "How the other hosts reach it; left empty, it is found",
            "10.0.0.11",
        ),
        HostPart::Port => ("Port", "Where its SSH server listens", "22"),
        HostPart::KeyFile => (
            "Key file",
            "The private key to log in with; left empty, the agent's keys and the usual files",
            "~/.ssh/id_ed25519",
        ),
        HostPart::Jump => (
            "Jump host",
            "The machine on the way, `[user@]host[:port]`; left empty, what `~/.ssh/config` says",
            "bastion.acme.example",
        ),
        HostPart::Sudo => ("Root's rights", "Whether sudo is used", "auto"),
        HostPart::HostKey => (
            "Fingerprint",
            "What `ssh-keygen -lf` says of the host's key; needed only where nobody is there to confirm it",
            "SHA256:uNiVztksCsDhcc0u9e8BrVbCG4mVMC9yBgl1ZXIwPzk",
        ),
    }
}

fn sudo_choices() -> Vec<Choice> {
    choices(&[
        (
            "auto",
            "where the login alone may not reach Docker or the folder",
        ),
        ("never", "not at all"),
        ("always", "for everything"),
    ])
}

/// Returns the login that holds for every host which says nothing else, and the passwords of the way.
pub(super) fn login(wizard: &Wizard, around: &Around<'_>) -> Vec<Field> {
    let parts = [
        HostPart::User,
        HostPart::Port,
        HostPart::KeyFile,
        HostPart::Jump,
        HostPart::Sudo,
    ];
    let mut fields: Vec<Field> = parts
        .into_iter()
        .map(|part| {
            let (prompt, help, example) = words(part);
            Field {
                key: Key::new(format!("ssh.{}", part.key())),
                kind: kind(part),
                prompt: prompt.to_owned(),
                help: format!("{help}. For every host that says nothing else"),
                example: example.to_owned(),
                default: (part == HostPart::Sudo).then(|| "auto".to_owned()),
                value: None,
                optional: true,
                proposal: None,
                trouble: None,
            }
        })
        .collect();
    for id in ["ssh-password", "ssh-passphrase", "sudo-password"] {
        fields.extend(way_secret(wizard, id, SecretState::Optional, around));
    }
    fields
}

fn kind(part: HostPart) -> FieldKind {
    match part {
        HostPart::KeyFile => FieldKind::Path(PathUse::File),
        HostPart::Sudo => FieldKind::Choice(sudo_choices()),
        _ => FieldKind::Text,
    }
}

/// Returns one part of one host; a login part that is left alone follows the login of all.
pub(super) fn host_part(wizard: &Wizard, number: usize, part: HostPart) -> Field {
    let (prompt, help, example) = words(part);
    let common = wizard
        .draft()
        .text(&Key::new(format!("ssh.{}", part.key())));
    let default = common
        .map(str::to_owned)
        .or_else(|| (part == HostPart::Sudo).then(|| "auto".to_owned()));
    Field {
        key: Key::host(number, part),
        kind: kind(part),
        prompt: prompt.to_owned(),
        help: help.to_owned(),
        example: example.to_owned(),
        default,
        value: None,
        optional: !matches!(part, HostPart::Name | HostPart::Address),
        proposal: None,
        trouble: None,
    }
}

/// Returns the field of a secret of the way to hosts and registries.
fn way_secret(
    wizard: &Wizard,
    id: &str,
    left_alone: SecretState,
    around: &Around<'_>,
) -> Option<Field> {
    let (id, prompt, help) = way_secrets().into_iter().find(|(own, _, _)| *own == id)?;
    let id = id.parse().ok()?;
    Some(Field {
        key: Key::secret(&id),
        optional: left_alone == SecretState::Optional,
        kind: FieldKind::Secret(secrets::state(wizard, &id, left_alone, around)),
        prompt: prompt.to_owned(),
        help: help.to_owned(),
        example: format!("env {}", crate::model::secret::variable_of(&id)),
        default: None,
        value: None,
        proposal: None,
        trouble: None,
    })
}
