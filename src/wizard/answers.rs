//! A draft written as the answers file it would become: once with everything that was typed, to be judged, and once as it is handed out.

use std::fmt::Write as _;

use camino::Utf8Path;

use super::field::Key;
use super::hosts::{HostDraft, HostPart};
use super::look::{self, Look};
use super::{Around, Wizard};
use crate::model::answers::ImageSource;
use crate::model::ids::QuestionId;
use crate::model::preset::{Page, Preset, Question, QuestionKind};
use crate::model::rules;
use crate::model::secret::{CommandLine, SecretSource};

/// What goes into the file.
#[derive(Clone, Copy)]
enum Extent<'a> {
    /// Everything that was typed, also where it is not asked for now.
    Everything,
    /// What is asked for now; relative paths are written out from a folder when one is given.
    Asked(&'a Look, Option<&'a Utf8Path>),
}

/// Returns the file as it is judged.
pub(super) fn in_the_making(wizard: &Wizard, preset: &Preset) -> String {
    write(wizard, preset, Extent::Everything)
}

/// Returns the file as it is handed out; nothing before a preset was chosen.
pub(super) fn finished(wizard: &Wizard, around: &Around<'_>, from: Option<&Utf8Path>) -> String {
    let look = look::look(wizard, around);
    match wizard.preset() {
        Some(preset) => write(wizard, preset, Extent::Asked(&look, from)),
        None => String::new(),
    }
}

struct Writer<'a> {
    wizard: &'a Wizard,
    extent: Extent<'a>,
    text: String,
}

fn write(wizard: &Wizard, preset: &Preset, extent: Extent<'_>) -> String {
    let mut writer = Writer {
        wizard,
        extent,
        text: String::from("version = 1\n"),
    };
    writer.text_line("name", &Key::new("name"));
    writer.line("preset", &preset.id.as_str().into());
    writer.images(preset);
    writer.ssh();
    for (number, host) in wizard.draft().hosts.iter().enumerate() {
        writer.host(number, host);
    }
    writer.answers(preset);
    writer.secrets(preset);
    writer.text
}

impl Writer<'_> {
    fn line(&mut self, key: &str, value: &toml::Value) {
        // Writing into a `String` cannot fail.
        let _ = writeln!(self.text, "{key} = {value}");
    }

    /// Returns what goes into the file for a field.
    fn typed(&self, key: &Key) -> Option<&str> {
        let value = self.wizard.draft().text(key)?;
        match self.extent {
            Extent::Everything => Some(value),
            Extent::Asked(look, _) => look.field(key).map(|_| value),
        }
    }

    fn text_line(&mut self, key: &str, field: &Key) {
        if let Some(value) = self.typed(field).map(toml::Value::from) {
            self.line(key, &value);
        }
    }

    fn path_line(&mut self, key: &str, field: &Key) {
        if let Some(value) = self.typed(field).map(|path| self.path(path).into()) {
            self.line(key, &value);
        }
    }

    /// Writes a number as one, and anything else as text, so that the rule can say what it must be.
    fn number_line(&mut self, key: &str, field: &Key) {
        let value = self.typed(field).map(number);
        if let Some(value) = value {
            self.line(key, &value);
        }
    }

    fn section(&mut self, name: &str) {
        let _ = writeln!(self.text, "\n{name}");
    }

    /// Returns a path as it goes into the file.
    fn path(&self, path: &str) -> String {
        match self.extent {
            Extent::Asked(_, Some(folder)) if !path.starts_with('~') => {
                folder.join(path).into_string()
            }
            _ => path.to_owned(),
        }
    }

    fn images(&mut self, preset: &Preset) {
        self.section("[images]");
        let source = self.typed(&Key::new("images.source"));
        let source = source.map_or("registry", |source| source).to_owned();
        self.line("source", &source.as_str().into());
        self.bundles(&source);
        for key in ["registry", "username", "tag"] {
            // What is for a registry only is no fault elsewhere as long as the operator may come back to it.
            if key == "username" && source != "registry" {
                continue;
            }
            self.text_line(key, &Key::new(format!("images.{key}")));
        }
        if source == "registry"
            && let Some(keep) = self.typed(&Key::new("images.keep-login")).map(truth)
        {
            self.line("keep-login", &keep);
        }
        let refs: Vec<String> = preset
            .parts
            .images
            .iter()
            .filter_map(|image| {
                let typed = self.typed(&Key::new(format!("images.refs.{}", image.id)))?;
                Some(format!("{} = {}", image.id, toml::Value::from(typed)))
            })
            .collect();
        if !refs.is_empty() {
            let _ = writeln!(self.text, "refs = {{ {} }}", refs.join(", "));
        }
    }

    fn bundles(&mut self, source: &str) {
        let Some(typed) = self.typed(&Key::new("images.bundle")) else {
            return;
        };
        if source != "bundle" {
            return;
        }
        let paths: Vec<String> = split(typed).map(|path| self.path(path)).collect();
        match paths.as_slice() {
            [one] => self.line("bundle", &one.as_str().into()),
            several => {
                let several: toml::Value = several.to_vec().into();
                self.line("bundles", &several);
            }
        }
    }

    fn ssh(&mut self) {
        let any = HostPart::ALL.iter().any(|part| {
            self.typed(&Key::new(format!("ssh.{}", part.key())))
                .is_some()
        });
        if !any {
            return;
        }
        self.section("[ssh]");
        self.login("ssh");
    }

    fn login(&mut self, of: &str) {
        let key = |part: HostPart| Key::new(format!("{of}.{}", part.key()));
        self.text_line("user", &key(HostPart::User));
        self.number_line("port", &key(HostPart::Port));
        self.path_line("key", &key(HostPart::KeyFile));
        self.text_line("jump", &key(HostPart::Jump));
        self.text_line("sudo", &key(HostPart::Sudo));
    }

    fn host(&mut self, number: usize, host: &HostDraft) {
        self.section("[[hosts]]");
        let name = match self.extent {
            Extent::Everything => host
                .name_or_stand_in(number)
                .map_or_else(String::new, String::from),
            Extent::Asked(..) => host.name.clone(),
        };
        self.line("name", &name.into());
        self.line("address", &host.address.as_str().into());
        let key = |part| Key::host(number, part);
        self.text_line("private-address", &key(HostPart::PrivateAddress));
        self.line("roles", &host.roles.clone().into());
        self.text_line("host-key", &key(HostPart::HostKey));
        self.login(&format!("hosts[{number}]"));
    }

    fn answers(&mut self, preset: &Preset) {
        let open = |question: &&Question| question.kind != QuestionKind::Secret;
        let mut lines = Vec::new();
        for question in by_page(preset).into_iter().filter(open) {
            let Some(text) = self.typed(&Key::answer(&question.id)) else {
                continue;
            };
            let value = match question.kind {
                QuestionKind::File | QuestionKind::Certificate | QuestionKind::PrivateKey => {
                    self.path(text).into()
                }
                _ => rules::value_of_text(question, text),
            };
            lines.push((question.id.clone(), value));
        }
        if !lines.is_empty() {
            self.section("[answers]");
        }
        for (id, value) in lines {
            self.line(id.as_str(), &value);
        }
    }

    fn secrets(&mut self, preset: &Preset) {
        let questions = by_page(preset)
            .into_iter()
            .map(|question| question.id.clone());
        let way = crate::model::validate::way_secrets();
        let fixed = way.iter().filter_map(|(id, _, _)| id.parse().ok());
        let mut lines = Vec::new();
        for id in questions.chain(fixed) {
            let source = self.wizard.draft().secrets.get(&id);
            let asked = match self.extent {
                Extent::Everything => true,
                Extent::Asked(look, _) => look.field(&Key::secret(&id)).is_some(),
            };
            if let Some(source) = source.filter(|_| asked) {
                lines.push(self.secret(&id, source));
            }
        }
        if !lines.is_empty() {
            self.section("[secrets]");
        }
        for line in lines {
            let _ = writeln!(self.text, "{line}");
        }
    }

    fn secret(&self, id: &QuestionId, source: &SecretSource) -> String {
        let (word, value) = match source {
            SecretSource::Env(name) => ("env", toml::Value::from(name.as_str())),
            SecretSource::File(path) => ("file", self.path(path.as_str()).into()),
            SecretSource::Command(CommandLine::Line(line)) => ("command", line.as_str().into()),
            SecretSource::Command(CommandLine::Arguments(words)) => {
                ("command", words.clone().into())
            }
        };
        format!("{id} = {{ {word} = {value} }}")
    }
}

/// Returns the questions as the pages ask them.
pub(super) fn by_page(preset: &Preset) -> Vec<&Question> {
    let mut questions: Vec<&Question> = preset.parts.questions.iter().collect();
    questions.sort_by_key(|question| question.page);
    questions
}

/// Returns the words of the answers file for where images come from.
pub(super) fn source_word(source: ImageSource) -> &'static str {
    match source {
        ImageSource::Registry => "registry",
        ImageSource::Bundle => "bundle",
        ImageSource::Present => "present",
    }
}

/// Returns the pages that questions may stand on.
pub(super) fn is_of(question: &Question, page: Page) -> bool {
    question.page == page
}

/// Takes a list apart as it is typed.
pub(super) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', '\n'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn truth(text: &str) -> toml::Value {
    text.parse::<bool>()
        .map_or_else(|_| text.into(), toml::Value::Boolean)
}

fn number(text: &str) -> toml::Value {
    text.parse::<i64>()
        .map_or_else(|_| text.into(), toml::Value::Integer)
}
