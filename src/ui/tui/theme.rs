//! How things look: sixteen colours or none, Unicode or ASCII, on dark ground or light.
//!
//! Words and signs carry the meaning; colour only helps to find them. Screens ask a [`Look`] for styles and draw Unicode signs of [`sign`]; [`Look::finish`]
//! goes over the finished frame, so that no screen can forget ASCII, `NO_COLOR`, or that a host's text must not reach the terminal raw.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

use crate::model::text::visible;

/// Signs, each one column wide.
pub mod sign {
    /// It worked.
    pub const DONE: &str = "✔";
    /// It failed.
    pub const FAILED: &str = "✖";
    /// Somebody should know.
    pub const WARNING: &str = "!";
    /// Not begun.
    pub const WAITING: &str = "·";
    /// Nothing was to be changed.
    pub const ALREADY: &str = "=";
    /// Not begun because something else failed, or stopped.
    pub const STOPPED: &str = "-";
    /// The chosen one.
    pub const CHOSEN: &str = "▸";
    /// Busy; one after another.
    pub const BUSY: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠧", "⠇", "⠏"];
    /// A part of a bar that is done.
    pub const FULL: &str = "█";
    /// A part of a bar that is not.
    pub const EMPTY: &str = "░";
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// The terminal's sixteen.
    Sixteen,
    /// None.
    None,
}

/// Which characters are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// All that Unicode has.
    Unicode,
    /// Those that every terminal has.
    Ascii,
}

/// What lies behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used.
    pub colours: Colours,
    /// Which characters are used.
    pub characters: Characters,
    /// What lies behind.
    pub ground: Ground,
}

/// Graphemes of more characters than this are letters buried in marks, which a host uses only to spoil the screen.
const MOST_CHARACTERS: usize = 8;

impl Look {
    /// Everything a good terminal has.
    pub const FULL: Self = Self {
        colours: Colours::Sixteen,
        characters: Characters::Unicode,
        ground: Ground::Dark,
    };

    /// Finds out what the terminal can show; `colour` and `ascii` are what the command line asks for.
    ///
    /// `variable` looks up an environment variable: `COLORFGBG` tells the ground, `LC_ALL`, `LC_CTYPE` and `LANG` whether Unicode can be shown.
    #[must_use]
    pub fn of(colour: bool, ascii: bool, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let ground = match variable("COLORFGBG") {
            // `foreground;background`; 7 and 15 are the two whites.
            Some(pair) if matches!(pair.rsplit(';').next(), Some("7" | "15")) => Ground::Light,
            _ => Ground::Dark,
        };
        Self {
            colours: if colour {
                Colours::Sixteen
            } else {
                Colours::None
            },
            characters: if ascii || !speaks_unicode(variable) {
                Characters::Ascii
            } else {
                Characters::Unicode
            },
            ground,
        }
    }

    fn coloured(self, dark: Color, light: Color) -> Style {
        match (self.colours, self.ground) {
            (Colours::None, _) => Style::new(),
            (Colours::Sixteen, Ground::Dark) => Style::new().fg(dark),
            (Colours::Sixteen, Ground::Light) => Style::new().fg(light),
        }
    }

    /// It worked.
    #[must_use]
    pub fn good(self) -> Style {
        self.coloured(Color::Green, Color::Green)
    }

    /// Somebody should know. Yellow cannot be read on white.
    #[must_use]
    pub fn warn(self) -> Style {
        self.coloured(Color::Yellow, Color::Magenta)
    }

    /// It failed.
    #[must_use]
    pub fn bad(self) -> Style {
        self.coloured(Color::Red, Color::Red).bold_if_plain(self)
    }

    /// It matters.
    #[must_use]
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// It is there for who looks closely.
    #[must_use]
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// It goes on now, or can be acted on: keys, the running step, the frame of what has the focus.
    #[must_use]
    pub fn accent(self) -> Style {
        self.coloured(Color::Cyan, Color::Blue)
    }

    /// The chosen row or button.
    #[must_use]
    pub fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Goes over a finished frame: nothing a host wrote acts on the terminal, no colour where none is wanted, ASCII where that is all there is.
    pub fn finish(self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if self.colours == Colours::None {
                cell.fg = Color::Reset;
                cell.bg = Color::Reset;
                cell.underline_color = Color::Reset;
            }
            if !cell.symbol().is_ascii() {
                tame(cell, self.characters);
            } else if cell.symbol().chars().any(char::is_control) {
                cell.set_symbol("?");
            }
        }
    }
}

/// A style that stands out without colour.
trait BoldIfPlain {
    fn bold_if_plain(self, look: Look) -> Self;
}

impl BoldIfPlain for Style {
    fn bold_if_plain(self, look: Look) -> Self {
        match look.colours {
            Colours::Sixteen => self,
            Colours::None => self.add_modifier(Modifier::BOLD),
        }
    }
}

/// Returns whether the locale speaks UTF-8; without any locale the terminal is taken at its best.
fn speaks_unicode(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Makes a cell safe, and plain where it must be.
fn tame(cell: &mut Cell, characters: Characters) {
    let symbol = cell.symbol();
    let count = symbol.chars().count();
    if count > MOST_CHARACTERS {
        let first = symbol.chars().next().unwrap_or('?').to_string();
        cell.set_symbol(&first);
    } else if visible(symbol) != symbol {
        cell.set_symbol("?");
    }
    if characters == Characters::Ascii {
        let plain = ascii(cell.symbol());
        cell.set_symbol(plain);
    }
}

/// Returns what stands for a sign where there is only ASCII.
fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "✖" | "×" => "x",
        "·" | "░" | "∙" => ".",
        "▸" | "→" | "❯" => ">",
        "←" => "<",
        "↑" => "^",
        "↓" => "v",
        "█" | "▌" | "■" => "#",
        "•" | "●" => "*",
        "○" => "o",
        // The tick, and the corners of frames.
        "✔" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "…" => "~",
        "│" | "┃" | "⠋" | "⠦" => "|",
        "⠙" | "⠧" => "/",
        "─" | "—" | "–" | "━" | "⠸" | "⠇" => "-",
        "⠴" | "⠏" => "\\",
        "‘" | "’" => "'",
        "“" | "”" => "\"",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use rstest::rstest;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[rstest]
    #[case(&[("LANG", "en_GB.UTF-8")], Characters::Unicode)]
    #[case(&[("LANG", "C")], Characters::Ascii)]
    #[case(&[("LC_ALL", "C.utf8"), ("LANG", "C")], Characters::Unicode)]
    #[case(&[("LC_ALL", ""), ("LANG", "POSIX")], Characters::Ascii)]
    #[case(&[], Characters::Unicode)]
    fn the_locale_decides_the_characters(
        #[case] environment: &[(&str, &str)],
        #[case] characters: Characters,
    ) {
        let look = Look::of(true, false, &|name| {
            let pair = environment.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        assert_eq!(look.characters, characters);
    }

    #[test]
    fn a_light_ground_is_recognised_and_gets_no_yellow() {
        let light = Look::of(true, false, &|name| {
            (name == "COLORFGBG").then(|| "0;15".to_owned())
        });
        assert_eq!(light.ground, Ground::Light);
        assert_eq!(light.warn().fg, Some(Color::Magenta));
        assert_eq!(Look::of(true, false, &none).warn().fg, Some(Color::Yellow));
    }

    #[test]
    fn without_colour_no_cell_has_one() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        buffer.set_string(0, 0, "abc", Style::new().fg(Color::Red).bg(Color::Blue));
        Look {
            colours: Colours::None,
            ..Look::FULL
        }
        .finish(&mut buffer);
        assert!(
            buffer
                .content
                .iter()
                .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
    }

    #[test]
    fn nothing_but_ascii_is_left_where_that_is_all_there_is() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, "✔ ✖ │ █░ … ▸ naïve 漢", Style::new());
        Look {
            characters: Characters::Ascii,
            ..Look::FULL
        }
        .finish(&mut buffer);
        let shown: String = buffer.content.iter().map(Cell::symbol).collect();
        assert!(shown.is_ascii(), "{shown}");
        assert!(shown.starts_with("+ x | #. ~ > na?ve ?"), "{shown}");
    }

    #[test]
    fn a_cell_never_carries_what_a_terminal_obeys() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer[(0, 0)].set_symbol("\u{1b}");
        buffer[(1, 0)].set_symbol("a\u{202e}");
        buffer[(2, 0)].set_symbol(&format!("e{}", "\u{301}".repeat(40)));
        buffer[(3, 0)].set_symbol("é");
        Look::FULL.finish(&mut buffer);
        let symbols: Vec<&str> = buffer.content.iter().map(Cell::symbol).collect();
        assert_eq!(symbols, ["?", "?", "e", "é"]);
    }
}
