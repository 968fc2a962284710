//! Who reaches whom, tried between the hosts before anything else is.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::WizardScreen;
use super::hosts::busy;
use crate::engine::preflight::Report;
use crate::engine::trial::Tried;
use crate::model::text::visible;
use crate::report::Tone;
use crate::ui::grid;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::{width, wrapped};

/// Draws what was found.
pub(super) fn draw(
    screen: &WizardScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
    now: Timestamp,
) {
    let block = Block::bordered()
        .title(" Who reaches whom ")
        .border_style(look.accent());
    let inner = block.inner(area);
    let lines = lines(screen, usize::from(inner.width), look, now);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    let most = u16::try_from(most).unwrap_or(u16::MAX);
    let text = Paragraph::new(lines).scroll((screen.scroll.min(most), 0));
    frame.render_widget(text.block(block), area);
}

fn lines(screen: &WizardScreen, room: usize, look: Look, now: Timestamp) -> Vec<Line<'static>> {
    let plain = |text: &str| in_lines(text, Style::new(), room);
    match screen.desk.paths() {
        Tried::Nothing => plain(
            "Not tried, or hosts have changed since. Once every host has told what it is, g tries every path that will be used.",
        ),
        Tried::AtWork => plain(&format!(
            "{} Every host tries the others, on the ports that will be used. Nothing is written.",
            busy(now)
        )),
        Tried::Failed(failure) => {
            let on = failure.host.as_ref();
            let on = on.map_or_else(String::new, |host| format!("{host}: "));
            let said = format!("{} {on}{}", sign::FAILED, failure.message);
            let mut lines = in_lines(&said, look.bad(), room);
            let more = failure.causes.iter().chain(&failure.hint);
            lines.extend(more.flat_map(|text| plain(text)));
            lines
        }
        Tried::Known(report) => known(report, room, look),
    }
}

/// Breaks text that somebody else may have written into lines.
fn in_lines(text: &str, style: Style, room: usize) -> Vec<Line<'static>> {
    let lines = wrapped(&visible(text), room).into_iter();
    lines.map(|line| Line::styled(line, style)).collect()
}

/// The grid, and below it what opens what is shut.
fn known(report: &Report, room: usize, look: Look) -> Vec<Line<'static>> {
    if report.reach.is_empty() {
        return in_lines("No host needs to reach another.", Style::new(), room);
    }
    let mut lines = in_lines(
        "Rows connect to columns; a cell says how many of the ports needed are open.",
        look.faint(),
        room,
    );
    for pieces in grid::toned(&report.reach).into_iter().skip(1) {
        let text: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
        if width(&text) > room {
            lines.extend(in_lines(&text, Style::new(), room));
        } else {
            let spans = pieces
                .into_iter()
                .map(|(tone, text)| Span::styled(text, style(tone, look)));
            lines.push(Line::from(spans.collect::<Vec<_>>()));
        }
    }
    for check in report.failed() {
        lines.push(Line::raw(""));
        lines.extend(in_lines(&check.found, Style::new(), room));
        lines.extend(
            check
                .remedy
                .iter()
                .flat_map(|text| in_lines(text, Style::new(), room)),
        );
        if let Some(command) = &check.command {
            let host = check.host.as_ref();
            let on = host.map_or_else(String::new, |host| format!("on {host}: "));
            lines.extend(in_lines(&format!("{on}{command}"), look.strong(), room));
        }
    }
    lines
}

fn style(tone: Option<Tone>, look: Look) -> Style {
    match tone {
        None => Style::new(),
        Some(Tone::Good) => look.good(),
        Some(Tone::Warn) => look.warn(),
        Some(Tone::Bad) => look.bad(),
        Some(Tone::Strong) => look.strong(),
        Some(Tone::Faint) => look.faint(),
    }
}
