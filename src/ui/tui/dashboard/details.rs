//! Below the table: what there is to say of the chosen row, or what the operator is asked.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::DashboardScreen;
use super::view::{HostState, Row};
use super::words::{ago, state, until};
use crate::model::failure::Failure;
use crate::model::text::visible;
use crate::model::watch::{Fitness, ServiceReading};
use crate::ui::amounts::bytes;
use crate::ui::tui::run::asking::Asking;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::wrapped;
use crate::ui::view::between;

/// One thing to say, with how it looks.
type Said = (String, Style);

/// Draws the details of the chosen row.
pub(super) fn draw(
    screen: &DashboardScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
    now: Timestamp,
) {
    let (title, said) = said(screen, look, now);
    let block = Block::bordered()
        .title(format!(" {title} "))
        .border_style(look.faint());
    let inner = block.inner(area);
    let lines: Vec<Line<'_>> = said
        .into_iter()
        .flat_map(|(text, style)| {
            let lines = wrapped(&text, usize::from(inner.width));
            lines.into_iter().map(move |line| Line::styled(line, style))
        })
        .take(usize::from(inner.height))
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns the details as text.
pub(super) fn text(screen: &DashboardScreen) -> String {
    let (title, said) = said(screen, Look::FULL, screen.now);
    let lines = std::iter::once(title).chain(said.into_iter().map(|(text, _)| text));
    lines.collect::<Vec<_>>().join("\n")
}

fn said(screen: &DashboardScreen, look: Look, now: Timestamp) -> (String, Vec<Said>) {
    match screen.chosen_row() {
        None => (screen.setup.name.clone(), Vec::new()),
        Some(Row::Host(at)) => {
            let host = &screen.view.hosts[at];
            (
                format!("{} · {}", host.name, visible(&host.address)),
                of_host(host, look, now),
            )
        }
        Some(Row::Service(at, service)) => {
            let host = &screen.view.hosts[at];
            let service = &host.services[service];
            let name = visible(&service.service);
            (
                format!("{name} on {}", host.name),
                of_service(host, service, look, now),
            )
        }
    }
}

fn of_host(host: &HostState, look: Look, now: Timestamp) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(lost) = &host.lost {
        failed(&mut said, &lost.failure, look);
        said.push(match lost.again {
            Some(again) => (
                format!("tried again in {}; r tries now", until(again, now)),
                look.faint(),
            ),
            None => ("r tries again".to_owned(), look.faint()),
        });
        return said;
    }
    if let Some(docker) = &host.docker {
        failed(&mut said, docker, look);
    }
    let share = |name: &str, share: Option<crate::model::watch::Share>| {
        share.map(|share| {
            let free = share.total.saturating_sub(share.used);
            (
                format!(
                    "{name}: {} of {} taken, {} free",
                    bytes(share.used),
                    bytes(share.total),
                    bytes(free)
                ),
                Style::new(),
            )
        })
    };
    said.extend(share("memory", host.machine.memory));
    said.extend(share("disk of Docker's folder", host.machine.disk));
    match host.read {
        Some(read) if host.is_old(now) => {
            let when = ago(between(read, now));
            said.insert(
                0,
                (
                    format!("! it says nothing; it was read {when}"),
                    look.warn(),
                ),
            );
        }
        Some(read) => said.push((format!("read {}", ago(between(read, now))), look.faint())),
        None => said.push(("not read yet".to_owned(), look.faint())),
    }
    said
}

fn failed(said: &mut Vec<Said>, failure: &Failure, look: Look) {
    said.push((
        format!("{} {}", sign::FAILED, visible(&failure.message)),
        look.bad(),
    ));
    // What helps comes before the evidence: there may be no room for all of it.
    if let Some(hint) = &failure.hint {
        said.push((format!("→ {}", visible(hint)), look.good()));
    }
    said.extend(
        failure
            .causes
            .iter()
            .map(|cause| (format!("  {}", visible(cause)), Style::new())),
    );
}

fn of_service(host: &HostState, service: &ServiceReading, look: Look, now: Timestamp) -> Vec<Said> {
    let mut said = Vec::new();
    let old = host.services_are_old(now);
    if old {
        let when = host
            .services_read
            .map_or("never".to_owned(), |read| ago(between(read, now)));
        said.push((
            format!("! this was read {when}; what it does now is not known"),
            look.warn(),
        ));
    }
    match &service.fitness {
        Fitness::Good => said.push((
            format!("{}: as it must be", state(service, old)),
            Style::new(),
        )),
        Fitness::Coming(why) => said.push((visible(why).into_owned(), look.warn())),
        Fitness::Bad(why) => said.push((format!("{} {}", sign::FAILED, visible(why)), look.bad())),
    }
    if let Some(container) = &service.container {
        said.push((
            format!("container {}", visible(&container.name)),
            Style::new(),
        ));
        said.push((format!("image {}", visible(&container.image)), Style::new()));
        if !container.published.is_empty() {
            said.push((
                format!("listens on {}", visible(&container.published.join(", "))),
                Style::new(),
            ));
        }
    }
    said
}

/// Draws a question that somebody waits on, and the cursor where something is typed.
pub(super) fn draw_asking(frame: &mut Frame<'_>, area: Rect, asking: &Asking, look: Look) {
    let block = Block::bordered()
        .title(Line::styled(
            " Needs you ",
            look.warn().patch(look.strong()),
        ))
        .border_style(look.warn());
    let inner = block.inner(area);
    let mut lines: Vec<Line<'_>> = asking
        .words()
        .iter()
        .flat_map(|words| wrapped(words, usize::from(inner.width)))
        .map(Line::raw)
        .collect();
    match asking {
        Asking::HostKey { .. } => lines.push(Line::styled(
            "y it is; n it is not, or nobody knows",
            look.accent(),
        )),
        Asking::Secret { field, .. } => {
            let (line, column) = field.line(inner.width.saturating_sub(2), look);
            let row = inner.y + u16::try_from(lines.len()).unwrap_or(u16::MAX);
            let mut spans = vec![Span::styled("> ", look.accent())];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
            lines.push(Line::styled(
                "Enter gives it, Esc goes on without; it is remembered until you leave",
                look.faint(),
            ));
            if row < inner.bottom() {
                frame.set_cursor_position((inner.x + 2 + column, row));
            }
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
