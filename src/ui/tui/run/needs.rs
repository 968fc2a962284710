//! What needs the operator: a question that somebody waits on, or a failure with its cause, its evidence and what helps.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::Facing;
use super::asking::Asking;
use super::keys::Do;
use crate::model::failure::Failure;
use crate::model::text::visible;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::{fitted, wrapped};

/// How many causes are shown here; all of them are in the host's log.
const MOST_CAUSES: usize = 3;

/// Returns how many rows it wants in `room` columns; none when nobody is needed.
pub(super) fn rows(facing: &Facing<'_>, room: u16) -> u16 {
    match lines(facing, room.saturating_sub(2), Look::FULL) {
        Some((_, lines)) => u16::try_from(lines.len() + 2).unwrap_or(u16::MAX),
        None => 0,
    }
}

/// Draws it, and the cursor where something is typed.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, facing: &Facing<'_>, look: Look) {
    let room = area.width.saturating_sub(2);
    let Some((title, lines)) = lines(facing, room, look) else {
        return;
    };
    let block = Block::bordered()
        .title(Line::styled(title, look.warn().patch(look.strong())))
        .border_style(look.warn());
    let inner = block.inner(area);
    let row = lines.len().saturating_sub(2);
    frame.render_widget(Paragraph::new(lines).block(block), area);
    if let Some(Asking::Secret { field, .. }) = facing.asking {
        let (_, column) = field.line(inner.width.saturating_sub(2), look);
        let y = inner.y + u16::try_from(row).unwrap_or(0);
        if y < inner.bottom() {
            frame.set_cursor_position((inner.x + 2 + column, y));
        }
    }
}

fn lines(facing: &Facing<'_>, room: u16, look: Look) -> Option<(String, Vec<Line<'static>>)> {
    if let Some(asking) = facing.asking {
        return Some((" Needs you ".to_owned(), asked(asking, room, look)));
    }
    let failure = facing.failure()?;
    let mut title = match facing.view.failures.len() {
        0 | 1 => " Needs you".to_owned(),
        count => format!(" Needs you: {count} failures"),
    };
    title.push_str(if facing.view.held {
        "; nothing goes on without you "
    } else {
        " "
    });
    Some((title, failed(failure, facing, usize::from(room), look)))
}

fn failed(failure: &Failure, facing: &Facing<'_>, room: usize, look: Look) -> Vec<Line<'static>> {
    let place = failure.host.as_ref().map(|host| format!("{host}: "));
    let message = format!("{}{}", place.unwrap_or_default(), visible(&failure.message));
    let mut lines = set_in(&message, sign::FAILED, room, look.bad());
    let causes = failure.causes.iter().take(MOST_CAUSES);
    for cause in causes {
        let cause = format!("   {}", visible(cause));
        lines.push(Line::raw(fitted(&cause, room).into_owned()));
    }
    if failure.causes.len() > MOST_CAUSES {
        let more = failure.causes.len() - MOST_CAUSES;
        lines.push(Line::styled(
            format!("   … {more} more in the log"),
            look.faint(),
        ));
    }
    if let Some(hint) = &failure.hint {
        lines.extend(set_in(&visible(hint), "→", room, look.good()));
    }
    lines.push(keys(facing, look));
    lines
}

/// Returns the keys that help, those that work now.
fn keys(facing: &Facing<'_>, look: Look) -> Line<'static> {
    let mut entries: Vec<(&str, &str)> = Vec::new();
    if facing.can(Do::Retry) {
        entries.push(("r", "try again"));
    }
    if facing.can(Do::Mend) {
        entries.push(("f", "fix"));
    }
    if facing.can(Do::Skip) {
        entries.push(("x", "skip"));
    }
    if facing.can(Do::Shell) {
        entries.push(("!", "shell"));
    }
    entries.push(("c", "copy"));
    let mut spans = vec![Span::raw("  ")];
    for (at, (key, what)) in entries.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw(" · "));
        }
        spans.push(Span::styled(key, look.accent().patch(look.strong())));
        spans.push(Span::raw(format!(" {what}")));
    }
    if facing.view.outcome.is_none() && !facing.view.held {
        spans.push(Span::styled(" · the others go on", look.faint()));
    }
    Line::from(spans)
}

fn asked(asking: &Asking, room: u16, look: Look) -> Vec<Line<'static>> {
    let wide = usize::from(room);
    let mut lines: Vec<Line<'static>> = asking
        .words()
        .iter()
        .flat_map(|words| wrapped(words, wide.saturating_sub(1)))
        .map(|line| Line::raw(format!(" {line}")))
        .collect();
    match asking {
        Asking::Secret { field, .. } => {
            let (line, _) = field.line(room.saturating_sub(2), look);
            let mut spans = vec![Span::styled("> ", look.accent())];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
            lines.push(hint(
                &[("Enter", "give it"), ("Ctrl-R", "show"), ("Esc", "without")],
                look,
            ));
        }
        Asking::HostKey { .. } => {
            lines.push(hint(&[("y", "yes, it is its own"), ("n", "no")], look));
        }
    }
    lines
}

fn hint(entries: &[(&'static str, &'static str)], look: Look) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (key, what) in entries {
        spans.push(Span::styled(*key, look.accent().patch(look.strong())));
        spans.push(Span::raw(format!(" {what}  ")));
    }
    Line::from(spans)
}

/// Returns text behind a sign, its further lines set in.
fn set_in(
    text: &str,
    sign: &'static str,
    room: usize,
    style: ratatui::style::Style,
) -> Vec<Line<'static>> {
    let lines = wrapped(text, room.saturating_sub(3));
    let begin = |at: usize| if at == 0 { sign } else { " " };
    lines
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            Line::from(vec![
                Span::styled(format!(" {} ", begin(at)), style),
                Span::raw(line),
            ])
        })
        .collect()
}
