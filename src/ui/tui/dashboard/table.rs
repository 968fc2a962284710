//! The table of hosts and services.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::view::{DeploymentView, HostMark, HostState, Row};
use super::words::{ago, long, state, tag};
use crate::model::text::visible;
use crate::model::watch::{ContainerReading, Fitness, ServiceReading, Share};
use crate::ui::amounts::bytes;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::tui::widgets::text::{fitted, width};
use crate::ui::view::between;

/// Columns of a service's row besides its name, state and image: sign, restarts, age, CPU and memory, with the gaps between.
const FIXED: usize = 5 + 6 + 7 + 7 + 16;

/// The widths of a service's name, state and image.
#[derive(Debug, Clone, Copy)]
struct Widths {
    name: usize,
    state: usize,
    image: usize,
}

impl Widths {
    fn of(room: u16) -> Self {
        let rest = usize::from(room).saturating_sub(FIXED);
        let state = (rest / 2).min(26);
        let name = (rest.saturating_sub(state) * 3 / 5).min(30);
        Self {
            name,
            state,
            image: rest.saturating_sub(state + name),
        }
    }
}

/// Returns the row of the table that lies under the mouse.
pub(super) fn row_at(area: Rect, chosen: Chosen, count: usize, mouse: MouseEvent) -> Option<usize> {
    let inner = Block::bordered().inner(area);
    if !inner.contains((mouse.column, mouse.row).into()) {
        return None;
    }
    // The first line names the columns.
    let line = usize::from(mouse.row.checked_sub(inner.y + 1)?);
    let rows = usize::from(inner.height.saturating_sub(1));
    let at = chosen.window(count, rows).start + line;
    (at < count).then_some(at)
}

/// Draws it.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    view: &DeploymentView,
    chosen: Chosen,
    look: Look,
    now: Timestamp,
) {
    let rows = view.rows();
    let inner = Block::bordered().inner(area);
    let window = chosen.window(rows.len(), usize::from(inner.height.saturating_sub(1)));
    let widths = Widths::of(inner.width);
    let mut lines = vec![head(widths, look)];
    let here = chosen.of(rows.len());
    let more = (window.start > 0, window.end < rows.len());
    for at in window {
        let is_chosen = here == Some(at);
        let mut line = match rows[at] {
            Row::Host(host) => host_row(&view.hosts[host], inner.width, look, now),
            Row::Service(host, service) => {
                let host = &view.hosts[host];
                let old = host.services_are_old(now);
                service_row(&host.services[service], old, widths, look)
            }
        };
        let pointer = if is_chosen { sign::CHOSEN } else { " " };
        line.spans.insert(0, Span::styled(pointer, look.accent()));
        lines.push(if is_chosen {
            line.style(look.strong())
        } else {
            line
        });
    }
    let mut block = Block::bordered()
        .title(format!(" {} ", view.sum(now)))
        .border_style(look.faint());
    let arrows = match more {
        (true, true) => " ↑↓ more ",
        (true, false) => " ↑ more ",
        (false, true) => " ↓ more ",
        (false, false) => "",
    };
    block = block.title_bottom(Line::from(arrows).right_aligned());
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn head(widths: Widths, look: Look) -> Line<'static> {
    let text = format!(
        "     {:name$}{:state$}{:>5} {:<7}{:>6} {:<15} {}",
        "service",
        "state",
        "rest.",
        "age",
        "CPU",
        "memory",
        "image",
        name = widths.name,
        state = widths.state,
    );
    Line::styled(text, look.faint())
}

/// Returns the sign of a host, and its style.
pub(super) fn sign_of(mark: HostMark, look: Look) -> (&'static str, Style) {
    match mark {
        HostMark::Waiting => (sign::WAITING, look.faint()),
        HostMark::Good => (sign::DONE, look.good()),
        HostMark::Coming => (sign::WAITING, look.warn()),
        HostMark::Bad | HostMark::Lost => (sign::FAILED, look.bad()),
    }
}

fn host_row(host: &HostState, room: u16, look: Look, now: Timestamp) -> Line<'static> {
    let (sign, style) = sign_of(host.mark(now), look);
    let old = host.is_old(now);
    let age = freshness(host, old, now);
    let left = usize::from(room).saturating_sub(3 + width(&age) + 2);
    let name = format!("{}  ", host.name);
    let said = fitted(&condition(host), left.saturating_sub(width(&name))).into_owned();
    let gap = left.saturating_sub(width(&name) + width(&said));
    let words = match (&host.lost, old) {
        (Some(_), _) => look.bad(),
        (None, true) => look.faint(),
        (None, false) => Style::new(),
    };
    Line::from(vec![
        Span::styled(sign, style),
        Span::raw(" "),
        Span::styled(name, look.strong()),
        Span::styled(said, words),
        Span::raw(" ".repeat(gap + 1)),
        Span::styled(age, if old { look.warn() } else { look.faint() }),
    ])
}

/// Returns how old what is known of a host is.
fn freshness(host: &HostState, old: bool, now: Timestamp) -> String {
    match host.read {
        None => "not read yet".to_owned(),
        Some(read) => {
            let age = ago(between(read, now));
            if old { format!("old: {age}") } else { age }
        }
    }
}

/// Returns how a host's machine fares, or why that is not known.
fn condition(host: &HostState) -> String {
    if let Some(lost) = &host.lost {
        return format!("not reached: {}", visible(&lost.failure.message));
    }
    if host.read.is_none() {
        return format!("connecting to {}", visible(&host.address));
    }
    let machine = &host.machine;
    let mut words = Vec::new();
    if host.docker.is_some() {
        words.push("Docker does not answer".to_owned());
    }
    if let Some(load) = machine.load {
        let cpus = machine
            .cpus
            .map(|cpus| format!(" of {cpus}"))
            .unwrap_or_default();
        words.push(format!("load {}.{:02}{cpus}", load / 100, load % 100));
    }
    let share = |name: &str, share: Option<Share>| {
        share.map(|share| format!("{name} {}% of {}", share.percent(), bytes(share.total)))
    };
    words.extend(share("memory", machine.memory));
    words.extend(share("disk", machine.disk));
    words.join(" · ")
}

fn service_row(service: &ServiceReading, old: bool, widths: Widths, look: Look) -> Line<'static> {
    let (sign, style) = match (&service.fitness, old) {
        (_, true) => (sign::WAITING, look.faint()),
        (Fitness::Good, _) => (sign::DONE, look.good()),
        (Fitness::Coming(_), _) => (sign::WAITING, look.warn()),
        (Fitness::Bad(_), _) => (sign::FAILED, look.bad()),
    };
    let state = state(service, old);
    let words = match (&service.fitness, old) {
        (_, true) => look.faint(),
        (Fitness::Bad(_), _) => look.bad(),
        (Fitness::Coming(_), _) => look.warn(),
        (Fitness::Good, _) => Style::new(),
    };
    let rest = if old { look.faint() } else { Style::new() };
    let column = |text: &str, room: usize| {
        let text = fitted(text, room.saturating_sub(1)).into_owned();
        let gap = room.saturating_sub(width(&text));
        text + &" ".repeat(gap)
    };
    Line::from(vec![
        Span::raw("  "),
        Span::styled(sign, style),
        Span::raw(" "),
        Span::styled(column(&visible(&service.service), widths.name), rest),
        Span::styled(column(&state, widths.state), words),
        Span::styled(figures(service.container.as_ref(), widths.image), rest),
    ])
}

fn figures(container: Option<&ContainerReading>, image: usize) -> String {
    let Some(container) = container else {
        return String::new();
    };
    let age = container.age.map(long).unwrap_or_default();
    let cpu = container
        .cpu
        .map(|cpu| format!("{}.{}%", cpu / 10, cpu % 10))
        .unwrap_or_default();
    let memory = container.memory.map(|memory| {
        let limit = match memory.total {
            0 => String::new(),
            total => format!("/{}", bytes(total)),
        };
        format!("{}{limit}", bytes(memory.used))
    });
    format!(
        "{:>5} {age:<7}{cpu:>6} {:<15} {}",
        container.restarts,
        memory.unwrap_or_default(),
        fitted(tag(&visible(&container.image)), image),
    )
}
