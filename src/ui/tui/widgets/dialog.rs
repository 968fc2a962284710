//! A question above everything else.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use super::text::{width, wrapped};
use crate::ui::tui::keys::Key;
use crate::ui::tui::screen::Dialog;
use crate::ui::tui::theme::Look;

/// What a key did to a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heeded<A> {
    /// It is still open.
    Open,
    /// It is closed, and this is to be done.
    Closed(Option<A>),
}

impl<A: Copy> Dialog<A> {
    /// Heeds a key: arrows and Tab move, Enter answers, Esc gives the last answer, and each answer has its letter.
    pub fn heed(&mut self, key: Key) -> Heeded<A> {
        let count = self.choices.len();
        match key.code() {
            KeyCode::Right | KeyCode::Tab | KeyCode::Down if count > 0 => {
                self.chosen = (self.chosen + 1) % count;
            }
            KeyCode::Left | KeyCode::BackTab | KeyCode::Up if count > 0 => {
                self.chosen = (self.chosen + count - 1) % count;
            }
            KeyCode::Enter => {
                return Heeded::Closed(self.choices.get(self.chosen).and_then(|c| c.action));
            }
            KeyCode::Esc => {
                return Heeded::Closed(self.choices.last().and_then(|choice| choice.action));
            }
            _ => {
                let typed = key.typed().map(|c| c.to_ascii_lowercase());
                let choice = self.choices.iter().find(|c| Some(c.key) == typed);
                if let Some(choice) = choice {
                    return Heeded::Closed(choice.action);
                }
            }
        }
        Heeded::Open
    }
}

/// Draws a dialog in the middle of the terminal.
pub fn draw<A>(frame: &mut Frame<'_>, dialog: &Dialog<A>, look: Look) {
    let whole = frame.area();
    let wide = whole.width.min(72);
    let room = usize::from(wide.saturating_sub(4));
    let mut lines: Vec<Line<'_>> = dialog
        .lines
        .iter()
        .flat_map(|line| wrapped(line, room))
        .map(Line::raw)
        .collect();
    lines.push(Line::raw(""));
    lines.extend(buttons(dialog, room, look));
    let tall = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(whole.height);
    let area = Rect {
        x: whole.x + (whole.width - wide) / 2,
        y: whole.y + (whole.height - tall) / 2,
        width: wide,
        height: tall,
    };
    let block = Block::bordered()
        .title(format!(" {} ", dialog.title))
        .border_style(look.accent())
        .padding(Padding::horizontal(1));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns the answers, side by side where they fit and otherwise one below the other.
fn buttons<A>(dialog: &Dialog<A>, room: usize, look: Look) -> Vec<Line<'static>> {
    let button = |at: usize| {
        let choice = &dialog.choices[at];
        let text = format!(" {} {} ", choice.key, choice.label);
        let style = if at == dialog.chosen {
            look.chosen().patch(look.strong())
        } else {
            look.accent()
        };
        // Brackets tell the chosen one without colour, too.
        let (open, close) = if at == dialog.chosen {
            ("[", "]")
        } else {
            (" ", " ")
        };
        vec![Span::raw(open), Span::styled(text, style), Span::raw(close)]
    };
    let wide = |spans: &[Span<'_>]| spans.iter().map(|s| width(&s.content)).sum::<usize>();
    let all: Vec<Vec<Span<'static>>> = (0..dialog.choices.len()).map(button).collect();
    if all.iter().map(|spans| wide(spans) + 1).sum::<usize>() <= room {
        let mut row = Vec::new();
        for spans in all {
            row.extend(spans);
            row.push(Span::raw(" "));
        }
        vec![Line::from(row)]
    } else {
        all.into_iter().map(Line::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Key::char('y'), Heeded::Closed(Some(7)))]
    #[case(Key::char('Y'), Heeded::Closed(Some(7)))]
    #[case(Key::char('n'), Heeded::Closed(None))]
    #[case(Key::of(KeyCode::Esc), Heeded::Closed(None))]
    #[case::the_safe_answer_is_chosen(Key::of(KeyCode::Enter), Heeded::Closed(None))]
    #[case(Key::char('x'), Heeded::Open)]
    fn answers(#[case] key: Key, #[case] heeded: Heeded<u8>) {
        let mut dialog = Dialog::confirm("t", Vec::new(), "Yes", 7, "No");
        assert_eq!(dialog.heed(key), heeded);
    }

    #[test]
    fn arrows_move_between_answers() {
        let mut dialog = Dialog::confirm("t", Vec::new(), "Yes", 7, "No");
        assert_eq!(dialog.heed(Key::of(KeyCode::Left)), Heeded::Open);
        assert_eq!(
            dialog.heed(Key::of(KeyCode::Enter)),
            Heeded::Closed(Some(7))
        );
    }
}
