//! Colour, or none. Words and symbols carry the meaning; colour only helps to find them.

/// What a piece of text is, so that it can be told apart at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Good,
    /// Somebody should know.
    Warn,
    /// It failed.
    Bad,
    /// It matters.
    Strong,
    /// It is there for who looks closely.
    Faint,
}

/// Puts colour around text, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Leaves text alone.
    pub const PLAIN: Self = Self { on: false };
    /// Uses colour.
    pub const COLOUR: Self = Self { on: true };

    /// Returns `text` in a tone.
    #[must_use]
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if !self.on {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Returns whether colour is used.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.on
    }
}
