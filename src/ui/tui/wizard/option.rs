//! The first page: what can be deployed, as cards that say what each gives and needs, and the deployment's name.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::panel::{self, Said, Tone};
use super::{WizardScreen, rows};
use crate::model::preset::Preset;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::wrapped;

/// Rows of the name below the cards, with its frame.
const NAME: u16 = 3;

/// Draws the cards, the name, and what is to be said of either.
pub(super) fn draw(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let [cards, name, below] = parts(area);
    draw_cards(screen, frame, cards, look);
    let fields = screen.fields();
    let block = Block::bordered().border_style(if screen.form.focus().is_some() {
        look.accent()
    } else {
        look.faint()
    });
    let inner = block.inner(name);
    frame.render_widget(block, name);
    rows::draw(frame, inner, &fields, &screen.form, look);
    let field = screen.form.at(&fields).and_then(|at| fields.get(at));
    match field {
        Some(field) => {
            let around = (&screen.desk, &screen.all);
            panel::draw(
                frame,
                below,
                field,
                screen.form.editor.as_ref(),
                around,
                look,
            );
        }
        None => panel::draw_lines(
            frame,
            below,
            "What to do here",
            &[
                Said::new(
                    Tone::Plain,
                    "Arrows choose what to deploy, Enter takes it and asks for a name.",
                ),
                Said::new(
                    Tone::Faint,
                    "Nothing is written to any host before you accept the plan at the end.",
                ),
            ],
            look,
        ),
    }
}

fn parts(area: Rect) -> [Rect; 3] {
    let tall = if area.height >= 30 { 8 } else { 5 };
    Layout::vertical([
        Constraint::Min(6),
        Constraint::Length(NAME),
        Constraint::Length(tall),
    ])
    .areas(area)
}

/// Returns where the name is typed.
pub(super) fn name_row(area: Rect) -> Rect {
    let [_, name, _] = parts(area);
    Block::bordered().inner(name)
}

/// Draws as many cards as fit, the chosen one among them.
fn draw_cards(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let block = Block::bordered()
        .title(" What shall be deployed? ")
        .border_style(if screen.form.focus().is_none() {
            look.accent()
        } else {
            look.faint()
        });
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let presets = screen.desk.presets();
    let chosen = screen.list.of(presets.len());
    let cards: Vec<Vec<Line<'_>>> = presets
        .iter()
        .enumerate()
        .map(|(at, preset)| {
            let here = screen.form.focus().is_none() && chosen == Some(at);
            card(screen, preset, here, usize::from(inner.width), look)
        })
        .collect();
    let rows = usize::from(inner.height);
    let begin = first_shown(&cards, chosen.unwrap_or(0), rows);
    let lines: Vec<Line<'_>> = cards.into_iter().skip(begin).flatten().take(rows).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Returns the first card to show, so that the chosen one is seen whole.
pub(super) fn first_shown(cards: &[Vec<Line<'_>>], chosen: usize, rows: usize) -> usize {
    let mut begin = 0;
    while begin < chosen && cards[begin..=chosen].iter().map(Vec::len).sum::<usize>() > rows {
        begin += 1;
    }
    begin
}

fn card(
    screen: &WizardScreen,
    preset: &Preset,
    here: bool,
    room: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let taken = screen
        .desk
        .wizard
        .preset()
        .is_some_and(|own| own.id == preset.id);
    let mark = if taken { sign::DONE } else { " " };
    let style = if here { look.chosen() } else { look.strong() };
    let mut lines = vec![Line::from(vec![
        Span::styled(if here { sign::CHOSEN } else { " " }, look.accent()),
        Span::styled(mark, look.good()),
        Span::raw(" "),
        Span::styled(preset.title.clone(), style),
    ])];
    for (word, text) in [("gives", &preset.summary), ("needs", &preset.needs)] {
        for (number, part) in wrapped(text, room.saturating_sub(10))
            .into_iter()
            .enumerate()
        {
            let head = if number == 0 { word } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!("   {head:6}"), look.faint()),
                Span::raw(part),
            ]));
        }
    }
    lines.push(Line::raw(""));
    lines
}
