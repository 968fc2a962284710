//! The rows of a form: pointer, sign, label, value. Nothing here changes anything.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::form::{Form, Way};
use crate::model::text::visible;
use crate::ui::desk::words;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::tui::widgets::text::{fitted, width};
use crate::wizard::{Choice, Field, FieldKind};

/// Columns before the label.
const MARKS: u16 = 3;

/// Returns which fields are shown in so many rows.
pub(super) fn window(fields: usize, at: Option<usize>, rows: u16) -> std::ops::Range<usize> {
    let mut chosen = Chosen::default();
    chosen.choose(at.unwrap_or(0));
    chosen.window(fields, usize::from(rows))
}

/// Draws fields, the chosen one with its editor and cursor.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, fields: &[Field], form: &Form, look: Look) {
    let at = form.at(fields);
    let label = (area.width * 9 / 20).clamp(20, 42);
    let shown = window(fields.len(), at, area.height);
    let begin = shown.start;
    for (row, field) in fields[shown].iter().enumerate() {
        let here = at == Some(begin + row);
        let line_area = Rect {
            y: area.y + u16::try_from(row).unwrap_or(u16::MAX),
            height: 1,
            ..area
        };
        let room = area.width.saturating_sub(MARKS + label + 1);
        let mut spans = marks(field, form, here, look);
        let name = fitted(&field.prompt, usize::from(label)).into_owned();
        let pad = usize::from(label) + 1 - width(&name).min(usize::from(label));
        let style = if here { look.strong() } else { Style::new() };
        spans.push(Span::styled(name, style));
        spans.push(Span::raw(" ".repeat(pad)));
        let editor = form.editor.as_ref().filter(|_| here);
        if let Some(editor) = editor {
            let (line, column) = editor.line.line(room, look);
            if editor.line.is_empty() {
                spans.push(Span::styled(
                    placeholder(field, &editor.way, room),
                    look.faint(),
                ));
            } else {
                spans.extend(line.spans);
            }
            frame.set_cursor_position((line_area.x + MARKS + label + 1 + column, line_area.y));
        } else {
            spans.extend(value(field, here, room, look));
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), line_area);
    }
}

/// Returns pointer and sign: something wrong, something missing, something said, or nothing.
fn marks(field: &Field, form: &Form, here: bool, look: Look) -> Vec<Span<'static>> {
    let pointer = if here { sign::CHOSEN } else { " " };
    let typed = form.editor.as_ref().filter(|_| here);
    let wrong = match typed {
        Some(editor) => editor
            .trouble
            .as_ref()
            .is_some_and(|trouble| !trouble.missing),
        None => field
            .trouble
            .as_ref()
            .is_some_and(|trouble| !trouble.missing),
    };
    let filled = typed.is_some_and(|editor| !editor.line.is_empty());
    let secret = matches!(&field.kind, FieldKind::Secret(state) if is_settled(state));
    let (mark, style) = if wrong {
        (sign::FAILED, look.bad())
    } else if filled {
        (sign::DONE, look.good())
    } else if field.is_missing() {
        (sign::WARNING, look.warn())
    } else if field.value.is_some() || secret {
        (sign::DONE, look.good())
    } else {
        (" ", Style::new())
    };
    vec![
        Span::styled(pointer, look.accent()),
        Span::styled(mark, style),
        Span::raw(" "),
    ]
}

fn is_settled(state: &crate::wizard::SecretState) -> bool {
    use crate::wizard::SecretState::{From, InEnvironment, Typed};
    matches!(state, Typed(_) | From(_) | InEnvironment(_))
}

/// Returns what stands in an empty field.
fn placeholder(field: &Field, way: &Way, room: u16) -> String {
    let text = match (way, &field.kind) {
        (Way::Secret(id, kind), FieldKind::Secret(state)) => match kind {
            crate::wizard::SourceKind::Typed => words::secret_in_short(state),
            kind => format!("such as {}", kind.example(id)),
        },
        _ => match (&field.default, field.optional) {
            (Some(default), _) => default.clone(),
            (None, true) => "may be empty".to_owned(),
            (None, false) => format!("such as {}", field.example),
        },
    };
    fitted(&text, usize::from(room)).into_owned()
}

/// Returns the value of a field that is not being typed.
fn value(field: &Field, here: bool, room: u16, look: Look) -> Vec<Span<'static>> {
    let room = usize::from(room);
    let faint = |text: &str| vec![Span::styled(fitted(text, room).into_owned(), look.faint())];
    match (&field.kind, field.effective()) {
        (FieldKind::Secret(state), _) => {
            let text = words::secret_in_short(state);
            if is_settled(state) {
                vec![Span::raw(fitted(&text, room).into_owned())]
            } else {
                faint(&text)
            }
        }
        (FieldKind::Choice(choices), now) if here => choice(choices, now, room, look),
        (_, Some(value)) if field.value.is_some() => {
            vec![Span::raw(fitted(&visible(value), room).into_owned())]
        }
        (_, Some(default)) => faint(default),
        (_, None) if field.optional => faint("-"),
        (_, None) => faint("missing"),
    }
}

/// Returns the choices side by side where they fit, else the chosen one with its number.
fn choice(choices: &[Choice], now: Option<&str>, room: usize, look: Look) -> Vec<Span<'static>> {
    let all: usize = choices.iter().map(|choice| width(&choice.value) + 3).sum();
    let is_now = |choice: &Choice| Some(choice.value.as_str()) == now;
    if all <= room {
        return choices
            .iter()
            .flat_map(|choice| {
                let own = is_now(choice);
                let (open, close) = if own { ("[", "] ") } else { (" ", "  ") };
                let style = if own { look.chosen() } else { Style::new() };
                [
                    Span::raw(open),
                    Span::styled(choice.value.clone(), style),
                    Span::raw(close),
                ]
            })
            .collect();
    }
    let at = choices.iter().position(is_now).map_or(0, |at| at + 1);
    let text = format!("← {} → {at} of {}", now.unwrap_or("none"), choices.len());
    vec![Span::raw(fitted(&text, room).into_owned())]
}
