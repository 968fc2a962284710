//! Keys and what they do: one table drives the handling, the key bar and the help.
//!
//! A screen has a `const` table of [`Binding`]s and lists those that can be used now; nobody else decides what a key does, so the bar and the help cannot say something else than what happens.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Returns the key that types `c`.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            modifiers: KeyModifiers::NONE,
        }
    }

    /// Returns the key `c` together with Ctrl.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            modifiers: KeyModifiers::CONTROL,
        }
    }

    /// Returns a key that types nothing, such as [`KeyCode::Up`].
    #[must_use]
    pub const fn of(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// Returns the key that an event tells of; `None` when it tells of a release.
    #[must_use]
    pub fn pressed(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        // Terminals differ in whether they tell Shift beside a character that holds it already.
        let modifiers = match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => event.modifiers - KeyModifiers::SHIFT,
            _ => event.modifiers,
        };
        let kept = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        Some(Self {
            code: event.code,
            modifiers: modifiers & kept,
        })
    }

    /// Returns the character that the key types into a field, if it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Returns the key's code.
    #[must_use]
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// Returns whether Ctrl is held.
    #[must_use]
    pub fn is_ctrl(self) -> bool {
        self.modifiers.contains(KeyModifiers::CONTROL)
    }

    /// Returns the key's name as the bar and the help write it.
    #[must_use]
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.is_ctrl() => c.to_ascii_uppercase().to_string(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::Delete => "Del".to_owned(),
            code => code.to_string(),
        };
        let mut held = String::new();
        for (modifier, word) in [
            (KeyModifiers::CONTROL, "Ctrl-"),
            (KeyModifiers::ALT, "Alt-"),
            (KeyModifiers::SHIFT, "Shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                held.push_str(word);
            }
        }
        held + &name
    }
}

/// Where a binding is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// In the key bar and in the help.
    InBar,
    /// In the help only.
    InHelp,
}

/// What some keys do on a screen.
#[derive(Debug, Clone, Copy)]
pub struct Binding<A> {
    /// The keys, each of which does it.
    pub keys: &'static [Key],
    /// What is done.
    pub action: A,
    /// One or two words for the key bar; neighbours with the same words share one entry.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// Where it is told of.
    pub told: Told,
}

impl<A: Copy> Binding<A> {
    /// Returns a binding that the key bar shows.
    #[must_use]
    pub const fn new(
        keys: &'static [Key],
        action: A,
        label: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            keys,
            action,
            label,
            help,
            told: Told::InBar,
        }
    }

    /// Returns the same, told of in the help only.
    #[must_use]
    pub const fn quiet(self) -> Self {
        Self {
            told: Told::InHelp,
            ..self
        }
    }
}

/// An entry of the key bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The keys' names.
    pub keys: String,
    /// What they do.
    pub label: &'static str,
}

/// Returns what a key does, by the first binding that names it.
#[must_use]
pub fn action_of<A: Copy>(bindings: &[Binding<A>], key: Key) -> Option<A> {
    bindings
        .iter()
        .find(|binding| binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// Returns the entries of the key bar: the first key of each binding, neighbours with the same label together.
#[must_use]
pub fn hints<A>(bindings: &[Binding<A>]) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for binding in bindings.iter().filter(|b| b.told == Told::InBar) {
        let Some(key) = binding.keys.first() else {
            continue;
        };
        match hints.last_mut().filter(|last| last.label == binding.label) {
            Some(last) => {
                // Arrows read best side by side.
                if key.name().chars().count() > 1 {
                    last.keys.push('/');
                }
                last.keys.push_str(&key.name());
            }
            None => hints.push(Hint {
                keys: key.name(),
                label: binding.label,
            }),
        }
    }
    hints
}

/// Returns the lines of the help: every key of each binding, and its sentence.
#[must_use]
pub fn help<A>(bindings: &[Binding<A>]) -> Vec<(String, &'static str)> {
    bindings
        .iter()
        .map(|binding| {
            let names: Vec<String> = binding.keys.iter().map(|key| key.name()).collect();
            (names.join(" "), binding.help)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TABLE: &[Binding<u8>] = &[
        Binding::new(
            &[Key::of(KeyCode::Up), Key::char('k')],
            1,
            "host",
            "The host above",
        ),
        Binding::new(
            &[Key::of(KeyCode::Down), Key::char('j')],
            2,
            "host",
            "The host below",
        ),
        Binding::new(&[Key::char('G')], 3, "end", "The newest line"),
    ];

    #[rstest]
    #[case(KeyCode::Up, KeyModifiers::NONE, Some(1))]
    #[case(KeyCode::Char('j'), KeyModifiers::NONE, Some(2))]
    #[case::told_with_shift(KeyCode::Char('G'), KeyModifiers::SHIFT, Some(3))]
    #[case::another_modifier(KeyCode::Char('j'), KeyModifiers::CONTROL, None)]
    fn a_key_does_what_the_table_says(
        #[case] code: KeyCode,
        #[case] modifiers: KeyModifiers,
        #[case] action: Option<u8>,
    ) {
        let key = Key::pressed(&KeyEvent::new(code, modifiers)).unwrap();
        assert_eq!(action_of(TABLE, key), action);
    }

    #[test]
    fn neighbours_with_one_label_share_an_entry() {
        let hints: Vec<String> = hints(TABLE)
            .into_iter()
            .map(|hint| format!("{} {}", hint.keys, hint.label))
            .collect();
        assert_eq!(hints, ["↑↓ host", "G end"]);
    }

    #[test]
    fn a_release_is_no_press() {
        let mut event = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(Key::pressed(&event), None);
    }

    #[rstest]
    #[case(Key::ctrl('c'), "Ctrl-C")]
    #[case(Key::char(' '), "Space")]
    #[case(Key::of(KeyCode::F(2)), "F2")]
    #[case(Key::of(KeyCode::PageUp), "PgUp")]
    fn names(#[case] key: Key, #[case] name: &str) {
        assert_eq!(key.name(), name);
    }
}
