//! The live pane of one host: what it does now, layer by layer, and the last lines it printed; or such a pane for every host at once.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::Facing;
use super::matrix;
use super::scrollback::{Kind, LogLine};
use crate::model::docker::LayerProgress;
use crate::model::event::Stage;
use crate::model::plan::Phase;
use crate::model::text::visible;
use crate::ui::amounts::{bytes, clock, count};
use crate::ui::tui::theme::Look;
use crate::ui::tui::widgets::bar::bar;
use crate::ui::tui::widgets::text::fitted;
use crate::ui::view::{HostView, RunView, Share, StepState, StepView, between};

/// How many layers are drawn at most; those that are done need no room.
const MOST_LAYERS: usize = 6;

/// The least a tile takes with its frame.
const TILE: (u16, u16) = (39, 5);

/// Draws the pane of the chosen host.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, facing: &Facing<'_>, look: Look) {
    match facing.chosen() {
        Some(host) => draw_host(frame, area, facing, host, look),
        None => frame.render_widget(Block::bordered().border_style(look.faint()), area),
    }
}

/// Draws a pane for every host; where there are too many, those around the chosen one.
pub(super) fn tiles(frame: &mut Frame<'_>, area: Rect, facing: &Facing<'_>, look: Look) {
    let hosts = &facing.view.hosts;
    if hosts.is_empty() {
        return draw(frame, area, facing, look);
    }
    let columns = usize::from((area.width / TILE.0).max(1)).min(hosts.len());
    let most_rows = usize::from((area.height / TILE.1).max(1));
    let rows = hosts.len().div_ceil(columns).min(most_rows);
    let window = facing.host.window(hosts.len(), columns * rows);
    let chosen = facing.chosen().map(|host| &host.name);
    let bands = Layout::vertical(vec![Constraint::Fill(1); rows]).split(area);
    for (band, hosts) in bands.iter().zip(hosts[window].chunks(columns)) {
        let areas = Layout::horizontal(vec![Constraint::Fill(1); hosts.len()]).split(*band);
        for (area, host) in areas.iter().zip(hosts) {
            let look_of_frame = if chosen == Some(&host.name) {
                look.accent()
            } else {
                look.faint()
            };
            draw_framed(frame, *area, facing, host, look, look_of_frame);
        }
    }
}

fn draw_host(frame: &mut Frame<'_>, area: Rect, facing: &Facing<'_>, host: &HostView, look: Look) {
    draw_framed(frame, area, facing, host, look, look.faint());
}

fn draw_framed(
    frame: &mut Frame<'_>,
    area: Rect,
    facing: &Facing<'_>,
    host: &HostView,
    look: Look,
    border: Style,
) {
    let (sign, style) = matrix::sign_of(matrix::mark(facing.view, host), facing, look);
    let room = usize::from(area.width).saturating_sub(8 + host.name.as_str().len());
    let doing = doing(facing.view, host);
    let title = Line::from(vec![
        Span::raw(" "),
        Span::styled(sign, style),
        Span::raw(" "),
        Span::styled(host.name.to_string(), look.strong()),
        Span::raw(if doing.is_empty() { " " } else { " · " }),
        Span::raw(fitted(&doing, room).into_owned()),
        Span::raw(if doing.is_empty() { "" } else { " " }),
    ]);
    let block = Block::bordered().title(title).border_style(border);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut lines = progress(facing, host, inner.width, look);
    lines.truncate(usize::from(inner.height));
    let left = usize::from(inner.height) - lines.len();
    if let Some(log) = facing.logs.of(&host.name) {
        let shown = log
            .last(left)
            .map(|line| log_line(line, facing.zone, 0, inner.width, look));
        lines.extend(shown);
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Returns what a host does now, in a few words.
pub(super) fn doing(view: &RunView, host: &HostView) -> String {
    let mut running = view.running(&host.name);
    if let Some(step) = running.next() {
        let more = match running.count() {
            0 => String::new(),
            more => format!(" (+{more})"),
        };
        return visible(&step.summary.description.summary).into_owned() + &more;
    }
    if view.stage() == Some(Stage::Run) && view.outcome.is_none() {
        let mut own = view.steps.iter().filter(|s| s.summary.host == host.name);
        let waits = own.any(|step| step.state == StepState::Waiting);
        return if waits {
            "waiting for its turn".to_owned()
        } else {
            String::new()
        };
    }
    match view.stage() {
        Some(Stage::Preflight) => count(view.checks.len(), "check"),
        Some(Stage::Facts) if host.facts.is_none() => "looking".to_owned(),
        _ => String::new(),
    }
}

/// Returns bars for the steps that run and know how far they are.
fn progress(facing: &Facing<'_>, host: &HostView, room: u16, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for step in facing.view.running(&host.name) {
        if let Some(total) = step.total.filter(|total| *total > 0) {
            let text = far(step, total, facing.now);
            lines.push(bar_line("all ", step.share(), &text, room, look));
        }
        let all = step.layers.len();
        let open = step.layers.iter().enumerate().filter(|(_, l)| is_open(l));
        for (at, layer) in open.take(MOST_LAYERS) {
            lines.push(layer_line(at + 1, all, layer, room, look));
        }
    }
    lines
}

/// Returns how far a step is: an amount, and for bytes the speed and the time left.
fn far(step: &StepView, total: u64, now: Timestamp) -> String {
    if !matches!(step.summary.phase, Phase::Images | Phase::Files) {
        return format!("{}/{total}", step.done);
    }
    let amount = format!("{}/{}", bytes(step.done), bytes(total));
    let spent = step
        .began
        .map_or(Duration::ZERO, |began| between(began, now));
    let milliseconds = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
    let speed = (step.done.saturating_mul(1000)).checked_div(milliseconds);
    match speed {
        Some(speed) if speed > 0 && milliseconds > 1000 => {
            let left = Duration::from_secs(total.saturating_sub(step.done) / speed);
            format!("{amount}  {}/s  ~{}", bytes(speed), clock(left))
        }
        _ => amount,
    }
}

fn is_open(layer: &LayerProgress) -> bool {
    matches!((layer.done, layer.total), (Some(done), Some(total)) if done < total)
}

fn layer_line(
    number: usize,
    all: usize,
    layer: &LayerProgress,
    room: u16,
    look: Look,
) -> Line<'static> {
    let (done, total) = (layer.done.unwrap_or(0), layer.total.unwrap_or(0));
    let text = format!("{}/{}", bytes(done), bytes(total));
    let name = format!("layer {number}/{all} ");
    bar_line(&name, Share::of(done, total), &text, room, look)
}

fn bar_line(name: &str, share: Share, text: &str, room: u16, look: Look) -> Line<'static> {
    let name = format!("{name:<12}");
    let taken = name.len() + text.chars().count() + 1;
    let columns = room.saturating_sub(u16::try_from(taken).unwrap_or(u16::MAX));
    let [full, empty] = bar(share, columns.min(30), look);
    Line::from(vec![
        Span::raw(name),
        full,
        empty,
        Span::raw(format!(" {text}")),
    ])
}

/// Returns a line of the log with its time, without its first `skipped` columns.
pub(super) fn log_line(
    line: &LogLine,
    zone: &TimeZone,
    skipped: usize,
    room: u16,
    look: Look,
) -> Line<'static> {
    let time = line
        .time
        .to_zoned(zone.clone())
        .strftime("%H:%M:%S ")
        .to_string();
    let style = style_of(line.kind, look);
    let text = crate::ui::tui::widgets::text::beginning_at(&line.text, skipped);
    let text = fitted(text, usize::from(room).saturating_sub(time.len()));
    Line::from(vec![
        Span::styled(time, look.faint()),
        Span::styled(text.into_owned(), style),
    ])
}

/// Returns the style of a kind of line; the words say the same.
pub(super) fn style_of(kind: Kind, look: Look) -> Style {
    match kind {
        Kind::Said => Style::new(),
        Kind::Told => look.accent(),
        Kind::Good => look.good(),
        Kind::Warn => look.warn(),
        Kind::Bad => look.bad(),
    }
}
