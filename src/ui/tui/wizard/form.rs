//! A form: fields one below the other, the chosen one with an editor. What is typed is accepted when the field is left.

use secrecy::SecretString;

use super::complete;
use crate::model::ids::QuestionId;
use crate::ui::desk::Desk;
use crate::ui::tui::keys::Key as Pressed;
use crate::ui::tui::widgets::field::{Display, Field as Line};
use crate::wizard::{Field, FieldKind, Key, PathUse, SecretState, SourceKind, Trouble, Wizard};

/// Where the operator is in a form, and what is being typed there.
#[derive(Debug, Default)]
pub(super) struct Form {
    focus: Option<Key>,
    pub(super) editor: Option<Editor>,
}

/// What is typed for one field and not accepted yet.
#[derive(Debug)]
pub(super) struct Editor {
    pub(super) line: Line,
    pub(super) way: Way,
    /// The rule that it would break.
    pub(super) trouble: Option<Trouble>,
    dirty: bool,
}

/// What the editor's text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// The field's value.
    Text,
    /// A secret, or where it comes from.
    Secret(QuestionId, SourceKind),
}

/// Whether a field could be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It could; what was typed is accepted.
    Free,
    /// A secret that breaks its rule is not kept anywhere, so it stays where it is.
    Held,
}

impl Form {
    /// Returns the field that has the focus.
    pub(super) fn focus(&self) -> Option<&Key> {
        self.focus.as_ref()
    }

    /// Returns its place among `fields`.
    pub(super) fn at(&self, fields: &[Field]) -> Option<usize> {
        let focus = self.focus.as_ref()?;
        fields.iter().position(|field| field.key == *focus)
    }

    /// Returns whether characters are typed into a field.
    pub(super) fn typing(&self) -> bool {
        self.editor.is_some()
    }

    /// Leaves the form without a focus.
    pub(super) fn blur(&mut self) {
        *self = Self::default();
    }

    /// Gives a field the focus, with what holds there to be edited.
    pub(super) fn enter(&mut self, field: &Field) {
        self.focus = Some(field.key.clone());
        self.editor = editor_of(field);
    }

    /// Takes in a key that edits; returns whether it did anything.
    pub(super) fn heed(&mut self, key: Pressed, desk: &Desk, field: &Field) -> bool {
        let Some(editor) = &mut self.editor else {
            return false;
        };
        let before = editor.line.text().to_owned();
        if !editor.line.heed(key) {
            return false;
        }
        if editor.line.text() != before {
            editor.judge(desk, field);
        }
        true
    }

    /// Takes in pasted text.
    pub(super) fn paste(&mut self, text: &str, desk: &Desk, field: &Field) {
        if let Some(editor) = &mut self.editor {
            editor.line.insert(text.trim());
            editor.judge(desk, field);
        }
    }

    /// Puts a text in place of what was typed.
    pub(super) fn fill(&mut self, text: &str, desk: &Desk, field: &Field) {
        if let Some(editor) = &mut self.editor {
            editor.line.set(text);
            editor.judge(desk, field);
        }
    }

    /// Accepts what was typed, when anything was.
    pub(super) fn leave(&mut self, desk: &mut Desk, field: &Field) -> Leaving {
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.dirty) else {
            return Leaving::Free;
        };
        let text = editor.line.text().to_owned();
        match &editor.way {
            Way::Text => desk.accept(field, &text),
            Way::Secret(id, _) if text.is_empty() => desk.wizard.clear_secret(id),
            Way::Secret(id, SourceKind::Typed) => {
                if desk
                    .wizard
                    .accept_secret(id, &SecretString::from(text))
                    .is_err()
                {
                    return Leaving::Held;
                }
            }
            Way::Secret(id, kind) => {
                if let Some(source) = Wizard::source_of(*kind, &text) {
                    desk.wizard.accept_source(id, source);
                }
            }
        }
        editor.dirty = false;
        Leaving::Free
    }

    /// Lets what was typed go.
    pub(super) fn discard(&mut self) {
        if let Some(editor) = &mut self.editor {
            editor.dirty = false;
        }
    }

    /// Goes on to the next way of giving a secret.
    pub(super) fn other_source(&mut self) {
        let Some(editor) = &mut self.editor else {
            return;
        };
        let Way::Secret(_, kind) = &mut editor.way else {
            return;
        };
        let at = SourceKind::ALL.iter().position(|other| other == kind);
        let next = at.map_or(0, |at| (at + 1) % SourceKind::ALL.len());
        *kind = SourceKind::ALL[next];
        editor.line = Line::new("", display(*kind));
        editor.dirty = false;
        editor.trouble = None;
    }

    /// Completes the path that is typed; returns whether anything was added.
    pub(super) fn complete(&mut self, desk: &Desk, field: &Field) -> bool {
        let Some(editor) = &mut self.editor else {
            return false;
        };
        let is_path = matches!(field.kind, FieldKind::Path(_) | FieldKind::List)
            || matches!(editor.way, Way::Secret(_, SourceKind::File));
        if !is_path || editor.line.is_empty() {
            return false;
        }
        let text = editor.line.text().to_owned();
        // Of a list the last one is completed.
        let begin = match field.kind {
            FieldKind::List => text.rfind([',', ' ']).map_or(0, |at| at + 1),
            _ => 0,
        };
        let Some(path) = complete::complete(&text[begin..], &|path| desk.locate(path)) else {
            return false;
        };
        editor.line.set(&format!("{}{path}", &text[..begin]));
        editor.judge(desk, field);
        true
    }
}

/// Moves a choice by one.
pub(super) fn choose(desk: &mut Desk, field: &Field, forward: bool) {
    let FieldKind::Choice(choices) = &field.kind else {
        return;
    };
    let count = choices.len();
    let now = choices
        .iter()
        .position(|choice| Some(choice.value.as_str()) == field.effective());
    let next = match (now, forward) {
        (None, _) => 0,
        (Some(at), true) => (at + 1) % count,
        (Some(at), false) => (at + count - 1) % count,
    };
    if let Some(choice) = choices.get(next) {
        desk.accept(field, &choice.value);
    }
}

impl Editor {
    /// Looks what would be wrong with what is typed.
    fn judge(&mut self, desk: &Desk, field: &Field) {
        self.dirty = true;
        let text = self.line.text();
        self.trouble = match &self.way {
            Way::Text => desk.trouble_with(field, text),
            Way::Secret(_, _) if text.is_empty() => None,
            Way::Secret(id, SourceKind::Typed) => desk
                .wizard
                .trouble_with_secret(id, &SecretString::from(text.to_owned()))
                .map(|broken| Trouble {
                    at: field.key.clone(),
                    rule: format!("the secret {}", broken.rule),
                    example: None,
                    missing: false,
                }),
            Way::Secret(..) => None,
        };
    }
}

fn display(kind: SourceKind) -> Display {
    match kind {
        SourceKind::Typed => Display::Masked,
        SourceKind::Env | SourceKind::File | SourceKind::Command => Display::Plain,
    }
}

/// Returns the editor for a field; a choice needs none.
fn editor_of(field: &Field) -> Option<Editor> {
    use crate::model::secret::{CommandLine, SecretSource};
    let (line, way) = match &field.kind {
        FieldKind::Choice(_) => return None,
        FieldKind::Text
        | FieldKind::List
        | FieldKind::Path(PathUse::File | PathUse::Certificate | PathUse::PrivateKey) => (
            Line::new(field.value.as_deref().unwrap_or_default(), Display::Plain),
            Way::Text,
        ),
        FieldKind::Secret(state) => {
            let (kind, text) = match state {
                SecretState::From(source) => {
                    let text = match source {
                        SecretSource::Env(name) => name.clone(),
                        SecretSource::File(path) => path.to_string(),
                        SecretSource::Command(CommandLine::Line(line)) => line.clone(),
                        SecretSource::Command(CommandLine::Arguments(words)) => words.join(" "),
                    };
                    (SourceKind::of(source), text)
                }
                _ => (SourceKind::Typed, String::new()),
            };
            let id = field.key.as_secret()?;
            (Line::new(&text, display(kind)), Way::Secret(id, kind))
        }
    };
    Some(Editor {
        line,
        way,
        trouble: field.trouble.clone().filter(|trouble| !trouble.missing),
        dirty: false,
    })
}
