//! Reading an answers file from text: its shape only, with the place of every fault.
//!
//! Every section is read key by key, so that all faults are told at once. No message repeats a value of `[secrets]` or `[answers]`: somebody may have
//! put a secret there. Whether the answers obey the preset is decided in `model::validate`.

mod adopted;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::Table;
use super::value::{plain_value, secret_source};
use super::{AnswersFile, HostSection, ImagesSection, SshSection};
use crate::model::fault::Fault;
use crate::model::ids::{DeploymentName, ImageId, QuestionId};
use crate::model::image::ImageRef;
use crate::model::secret::SecretSource;
use crate::model::source::{Shown, SourceText};

/// The format version this installer reads.
const VERSION: u32 = 1;

/// An answers file as far as it could be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its text with the place of every key.
    pub source: SourceText,
    /// What could be read; `None` when not even its preset could.
    pub file: Option<AnswersFile>,
    /// What is wrong with its shape.
    pub faults: Vec<Fault>,
}

/// Reads an answers file from its text; `name` is how messages call it.
#[must_use]
pub fn read(name: &str, text: &str) -> Reading {
    let mut source = SourceText::new(name, text, Shown::Key);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.iter().map(|error| syntax_fault(error, &source));
        let faults = faults.collect();
        return Reading {
            source,
            file: None,
            faults,
        };
    }
    source.index(document.get_ref());
    let mut faults = Vec::new();
    let file = Reader {
        source: &source,
        faults: &mut faults,
    }
    .file(document.get_ref());
    Reading {
        source,
        file,
        faults,
    }
}

fn syntax_fault(error: &toml::de::Error, source: &SourceText) -> Fault {
    let place = source.place(error.span().unwrap_or(0..0));
    Fault::new(
        "",
        format!("not valid TOML: {}", error.message().trim_end()),
    )
    .place(place)
}

struct Reader<'d> {
    source: &'d SourceText,
    faults: &'d mut Vec<Fault>,
}

impl<'d> Reader<'d> {
    fn fault(&mut self, path: &str, message: impl Into<String>, example: &str) {
        self.faults.push(
            Fault::new(path, message)
                .example(example)
                .placed_in(self.source),
        );
    }

    fn file(&mut self, document: &'d DeTable<'d>) -> Option<AnswersFile> {
        let mut top = Table::new(document, "", self.source);
        let version = top.required("version", "the number 1", "version = 1", self.faults);
        if version.is_some_and(|version: u32| version != VERSION) {
            self.fault(
                "version",
                "is not a version this installer knows: it knows 1",
                "version = 1",
            );
        }
        let name = top.required(
            "name",
            "the deployment's name",
            "name = \"acme-prod\"",
            self.faults,
        );
        let preset = top.required(
            "preset",
            "what to deploy; `syntho-installer presets` lists them",
            "preset = \"ID\"",
            self.faults,
        );
        let images = self
            .section(&mut top, "images", Self::images)
            .unwrap_or_default();
        let ssh = self.section(&mut top, "ssh", Self::ssh).unwrap_or_default();
        let hosts = top
            .raw("hosts")
            .map(|value| self.hosts(value))
            .unwrap_or_default();
        let answers = self
            .section(&mut top, "answers", Self::answers)
            .unwrap_or_default();
        let secrets = self
            .section(&mut top, "secrets", Self::secrets)
            .unwrap_or_default();
        let adopted = top
            .raw("adopted")
            .map(|value| self.adopted(value))
            .unwrap_or_default();
        top.finish(self.faults);
        let unnamed = || "unnamed".parse::<DeploymentName>().ok();
        Some(AnswersFile {
            version: VERSION,
            name: name.or_else(unnamed)?,
            preset: preset?,
            images,
            ssh,
            hosts,
            answers,
            secrets,
            adopted,
        })
    }

    fn section<T>(
        &mut self,
        top: &mut Table<'d>,
        key: &'static str,
        read: impl Fn(&mut Self, &'d DeTable<'d>) -> T,
    ) -> Option<T> {
        let value = top.raw(key)?;
        if let Some(table) = value.get_ref().as_table() {
            Some(read(self, table))
        } else {
            self.fault(key, "must be a table", &format!("[{key}]"));
            None
        }
    }

    fn images(&mut self, table: &'d DeTable<'d>) -> ImagesSection {
        let mut t = Table::new(table, "images", self.source);
        let f = &mut *self.faults;
        let section = ImagesSection {
            source: t
                .optional(
                    "source",
                    "`registry`, `bundle` or `present`",
                    "source = \"registry\"",
                    f,
                )
                .unwrap_or_default(),
            bundle: t.optional(
                "bundle",
                "a path in quotes",
                "bundle = \"images.tar.gz\"",
                f,
            ),
            bundles: t
                .optional(
                    "bundles",
                    "a list of paths",
                    "bundles = [\"one.tar.gz\", \"two.tar.gz\"]",
                    f,
                )
                .unwrap_or_default(),
            registry: t.optional(
                "registry",
                "a host in quotes",
                "registry = \"registry.acme.example\"",
                f,
            ),
            username: t.optional("username", "a text in quotes", "username = \"acme\"", f),
            tag: t.optional("tag", "a release in quotes", "tag = \"1.9.0\"", f),
            refs: BTreeMap::new(),
            through: t.optional(
                "through",
                "the name of a host in quotes",
                "through = \"ui\"",
                f,
            ),
            keep_login: t
                .optional("keep-login", "true or false", "keep-login = false", f)
                .unwrap_or_default(),
        };
        let refs = t
            .raw("refs")
            .map(|value| self.refs(value))
            .unwrap_or_default();
        t.finish(self.faults);
        ImagesSection { refs, ..section }
    }

    fn refs(&mut self, value: &'d Spanned<DeValue<'d>>) -> BTreeMap<ImageId, ImageRef> {
        const EXAMPLE: &str = "refs = { backend = \"registry.acme.example/app/backend:1.9.0\" }";
        let mut refs = BTreeMap::new();
        let Some(table) = value.get_ref().as_table() else {
            self.fault(
                "images.refs",
                "must be a table of image references",
                EXAMPLE,
            );
            return refs;
        };
        for (key, value) in table {
            let path = format!("images.refs.{}", key.get_ref());
            let Ok(id) = key.get_ref().parse::<ImageId>() else {
                self.fault(&path, "is not an image of any preset", EXAMPLE);
                continue;
            };
            match value.get_ref().as_str().map(ImageRef::parse) {
                Some(Ok(reference)) => {
                    refs.insert(id, reference);
                }
                Some(Err(error)) => self.fault(&path, error.to_string(), EXAMPLE),
                None => self.fault(&path, "must be an image reference in quotes", EXAMPLE),
            }
        }
        refs
    }

    fn ssh(&mut self, table: &'d DeTable<'d>) -> SshSection {
        let mut t = Table::new(table, "ssh", self.source);
        let section = Self::login(&mut t, self.faults);
        t.finish(self.faults);
        section
    }

    fn login(t: &mut Table<'d>, f: &mut Vec<Fault>) -> SshSection {
        SshSection {
            user: t.optional("user", "a login name in quotes", "user = \"deploy\"", f),
            port: t.optional("port", "a port from 1 to 65535", "port = 22", f),
            key: t.optional("key", "a path in quotes", "key = \"~/.ssh/id_ed25519\"", f),
            jump: t.optional(
                "jump",
                "a host in quotes",
                "jump = \"bastion.acme.example\"",
                f,
            ),
            sudo: t.optional("sudo", "`auto`, `never` or `always`", "sudo = \"auto\"", f),
        }
    }

    fn hosts(&mut self, value: &'d Spanned<DeValue<'d>>) -> Vec<HostSection> {
        let tables: Option<Vec<&DeTable<'d>>> = value
            .get_ref()
            .as_array()
            .and_then(|array| array.iter().map(|host| host.get_ref().as_table()).collect());
        let Some(tables) = tables else {
            self.fault("hosts", "must be tables, one for each host", "[[hosts]]");
            return Vec::new();
        };
        let hosts = tables.into_iter().enumerate();
        hosts
            .filter_map(|(number, table)| self.host(number, table))
            .collect()
    }

    fn host(&mut self, number: usize, table: &'d DeTable<'d>) -> Option<HostSection> {
        let mut t = Table::new(table, &format!("hosts[{number}]"), self.source);
        let f = &mut *self.faults;
        let name = t.required("name", "the host's name here", "name = \"host-1\"", f);
        let address = t.required(
            "address",
            "a name, an address or `local`",
            "address = \"10.0.0.11\"",
            f,
        );
        let private_address = t.optional(
            "private-address",
            "an address in quotes",
            "private-address = \"10.0.0.11\"",
            f,
        );
        let roles = t.required(
            "roles",
            "a list of what the host is for",
            "roles = [\"ROLE\"]",
            f,
        );
        let host_key = t.optional(
            "host-key",
            "a fingerprint in quotes",
            "host-key = \"SHA256:…\"",
            f,
        );
        let login = Self::login(&mut t, f);
        t.finish(f);
        Some(HostSection {
            name: name?,
            address: address?,
            private_address,
            roles: roles?,
            host_key,
            user: login.user,
            port: login.port,
            key: login.key,
            jump: login.jump,
            sudo: login.sudo,
        })
    }

    fn answers(&mut self, table: &'d DeTable<'d>) -> BTreeMap<QuestionId, toml::Value> {
        let mut answers = BTreeMap::new();
        for (key, value) in table {
            let path = format!("answers.{}", key.get_ref());
            match key.get_ref().parse::<QuestionId>() {
                Ok(id) => {
                    answers.insert(id, plain_value(value.get_ref()));
                }
                Err(_) => self.fault(
                    &path,
                    "is not a question: ids are lower-case words joined by hyphens",
                    &key.get_ref().to_lowercase().replace('_', "-"),
                ),
            }
        }
        answers
    }

    fn secrets(&mut self, table: &'d DeTable<'d>) -> BTreeMap<QuestionId, SecretSource> {
        let mut secrets = BTreeMap::new();
        for (key, value) in table {
            let path = format!("secrets.{}", key.get_ref());
            let id = key.get_ref().parse::<QuestionId>();
            match (id, secret_source(value.get_ref())) {
                (Ok(id), Some(source)) => {
                    secrets.insert(id, source);
                }
                (Ok(id), None) => self.fault(
                    &path,
                    "must say where the secret comes from, by exactly one of `env`, `file` and `command`; the secret itself never stands here",
                    &format!("{id} = {{ env = \"{}\" }}", crate::model::secret::variable_of(&id)),
                ),
                (Err(_), _) => self.fault(
                    &path,
                    "is not a secret: ids are lower-case words joined by hyphens",
                    &key.get_ref().to_lowercase().replace('_', "-"),
                ),
            }
        }
        secrets
    }
}
