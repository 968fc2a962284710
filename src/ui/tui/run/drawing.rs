//! Puts the pages of a run together.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};

use super::facing::Facing;
use super::keys::Do;
use super::{Page, RunScreen, checks, matrix, needs, pane, plan, result};
use crate::model::event::{Outcome, Stage};
use crate::model::text::visible;
use crate::ui::amounts::clock;
use crate::ui::tui::screen::{Rail, RailEntry, RailState, Title};
use crate::ui::tui::theme::Look;
use crate::ui::view::{StepState, StepView};

/// From this width on the pane stands beside the matrix, otherwise below it.
const ABREAST: u16 = 110;

/// The width of the matrix beside a pane.
const MATRIX: u16 = 54;

/// The least rows that the pane keeps below the matrix.
const PANE: u16 = 6;

/// Where the parts of the hosts' page lie.
pub(super) struct HostsAreas {
    pub(super) matrix: Rect,
    pub(super) needs: Rect,
    pub(super) pane: Rect,
}

/// Divides the hosts' page.
pub(super) fn hosts_areas(facing: &Facing<'_>, area: Rect) -> HostsAreas {
    let hosts = u16::try_from(facing.view.hosts.len()).unwrap_or(u16::MAX);
    if area.width >= ABREAST {
        let [left, pane] =
            Layout::horizontal([Constraint::Length(MATRIX), Constraint::Min(0)]).areas(area);
        // The hosts keep at least a third of the height, however much there is to say.
        let most = area.height.saturating_sub((area.height / 3).max(5));
        let below = needs::rows(facing, left.width).min(most);
        let [matrix, needs] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(below)]).areas(left);
        return HostsAreas {
            matrix,
            needs,
            pane,
        };
    }
    let half = area.height / 2;
    let above = hosts.saturating_add(3).clamp(4, half.max(4));
    let most = area.height.saturating_sub(above + PANE);
    let between = needs::rows(facing, area.width).min(most);
    let [matrix, needs, pane] = Layout::vertical([
        Constraint::Length(above),
        Constraint::Length(between),
        Constraint::Min(0),
    ])
    .areas(area);
    HostsAreas {
        matrix,
        needs,
        pane,
    }
}

/// Draws the page.
pub(super) fn draw(
    screen: &RunScreen,
    frame: &mut Frame<'_>,
    page: Rect,
    look: Look,
    now: Timestamp,
) {
    let facing = screen.facing(now);
    match screen.page {
        Page::Hosts if screen.tiled && facing.asking.is_none() => {
            pane::tiles(frame, page, &facing, look);
        }
        Page::Hosts => {
            let areas = hosts_areas(&facing, page);
            matrix::draw(frame, areas.matrix, &facing, look);
            needs::draw(frame, areas.needs, &facing, look);
            pane::draw(frame, areas.pane, &facing, look);
        }
        Page::Log => {
            if let (Some(host), Some(log)) = (screen.chosen_host(), screen.chosen_log()) {
                let shown = (host.as_str(), log, &screen.setup.zone);
                screen.log.draw(frame, page, shown, look);
            }
        }
        Page::Checks => {
            let rows = checks::rows(&screen.view, look, page.width);
            let title = checks::sum(&screen.view);
            screen.checks.draw(frame, page, (&title, &rows), look);
            if screen.setup.for_wizard && screen.over {
                draw_bottom(frame, page, WIZARD, look);
            }
            if screen.checks_hold() {
                draw_bottom(frame, page, held_words(&facing), look);
            }
        }
        Page::Plan => {
            let rows = plan::rows(&screen.view, look, page.width);
            let title = plan::sum(&screen.view);
            screen.plan.draw(frame, page, (&title, &rows), look);
            if screen.setup.for_wizard && screen.over {
                draw_bottom(frame, page, WIZARD, look);
            }
            if screen.review.is_some() {
                let words = " Nothing was changed so far: y makes these changes, n does not ";
                draw_bottom(frame, page, words, look);
            }
        }
        Page::Result => draw_result(screen, frame, page, &facing, look),
    }
}

/// What is said below pages that only show.
const WIZARD: &str = " Nothing was changed: w goes back to the wizard ";

/// Draws words that want an answer over the lower edge of the page.
fn draw_bottom(frame: &mut Frame<'_>, page: Rect, words: &'static str, look: Look) {
    let bottom = Rect {
        y: page.bottom().saturating_sub(1),
        height: 1,
        ..page
    };
    let line = Line::styled(words, look.warn().patch(look.strong()));
    frame.render_widget(Paragraph::new(line.centered()), bottom);
}

/// Returns what can be done about checks that hold the run.
fn held_words(facing: &Facing<'_>) -> &'static str {
    if facing.can(Do::Mend) {
        " Nothing was changed: f mends it, r checks again, q leaves "
    } else {
        " Nothing was changed: r checks again, q leaves "
    }
}

fn draw_result(
    screen: &RunScreen,
    frame: &mut Frame<'_>,
    page: Rect,
    facing: &Facing<'_>,
    look: Look,
) {
    let block = Block::bordered()
        .title(" Result ")
        .border_style(look.faint());
    let inner = block.inner(page);
    let lines = result::lines(facing, look, inner.width);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    let most = u16::try_from(most).unwrap_or(u16::MAX);
    let block = if most > 0 {
        block.title_bottom(" ↑↓ more ")
    } else {
        block
    };
    let paragraph = Paragraph::new(lines)
        .block(block)
        .scroll((screen.scrolled.min(most), 0));
    frame.render_widget(paragraph, page);
}

/// Returns how many rows the result has, about.
pub(super) fn result_rows(screen: &RunScreen) -> usize {
    result::lines(&screen.facing(screen.now), Look::FULL, 60).len()
}

/// Returns the result as text.
pub(super) fn result_text(screen: &RunScreen) -> String {
    let lines = result::lines(&screen.facing(screen.now), Look::FULL, 100);
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Returns what the title line says.
pub(super) fn title(screen: &RunScreen, facing: &Facing<'_>) -> Title {
    let view = facing.view;
    let mut what = view.deployment.clone();
    if !view.title.is_empty() {
        what = format!("{what} · {}", visible(&view.title));
    }
    if screen.setup.recorded {
        what = format!("replay: {what}");
    }
    Title {
        what,
        step: step(screen),
        time: time(facing),
    }
}

fn step(screen: &RunScreen) -> String {
    match (&screen.view.outcome, screen.view.stage()) {
        (Some(Outcome::Done | Outcome::NothingToDo), _) => "done".to_owned(),
        (Some(Outcome::ChecksFailed), _) => "checks failed".to_owned(),
        (Some(Outcome::Failed(_)), _) => "failed".to_owned(),
        (Some(Outcome::Cancelled), _) => "stopped".to_owned(),
        (None, _) if screen.over => "the recording ends here".to_owned(),
        (None, _) if screen.stopping => "stopping at the next safe point".to_owned(),
        (None, _) if screen.view.mending.is_some() => "running the fix".to_owned(),
        (None, _) if screen.view.held => "waits for you".to_owned(),
        (None, _) if screen.paused => paused(screen).to_owned(),
        (None, Some(stage)) => {
            let (number, name) = place(stage);
            format!("step {number}/6 {name}")
        }
        (None, None) => "starting".to_owned(),
    }
}

fn paused(screen: &RunScreen) -> &'static str {
    let runs = |step: &StepView| step.state == StepState::Running;
    if screen.view.steps.iter().any(runs) {
        "pausing: what runs is finished"
    } else {
        "paused; p goes on"
    }
}

fn place(stage: Stage) -> (u8, &'static str) {
    match stage {
        Stage::Connect => (1, "Connect"),
        Stage::Facts => (2, "Look"),
        Stage::Preflight => (3, "Check"),
        Stage::Plan => (4, "Plan"),
        Stage::Run => (5, "Deploy"),
        Stage::Verify => (6, "Verify"),
        // No page of its own: it is told as lines.
        Stage::Gather => (6, "Gather"),
    }
}

/// Returns elapsed and left, as far as they are known.
fn time(facing: &Facing<'_>) -> String {
    let view = facing.view;
    if view.began.is_none() {
        return String::new();
    }
    let elapsed = clock(view.elapsed(facing.now));
    match view.forecast(facing.now) {
        Some(forecast) if view.outcome.is_none() && !forecast.left.is_zero() => {
            let about = if forecast.complete { "~" } else { ">" };
            format!("{elapsed} elapsed  {about}{} left", clock(forecast.left))
        }
        _ => format!("{elapsed} elapsed"),
    }
}

/// Returns the rail: on the pages that leave room for it.
pub(super) fn rail(screen: &RunScreen) -> Option<Rail> {
    if matches!(screen.page, Page::Hosts | Page::Log) {
        return None;
    }
    let pages = screen.pages();
    let here = pages.iter().position(|page| *page == screen.page)?;
    let entries = pages.iter().map(|page| entry(screen, *page)).collect();
    Some(Rail { entries, here })
}

fn entry(screen: &RunScreen, page: Page) -> RailEntry {
    use crate::model::check::Verdict;
    let view = &screen.view;
    let failed = !view.failures.is_empty() || matches!(view.outcome, Some(Outcome::Failed(_)));
    let (title, state) = match page {
        Page::Hosts | Page::Log => ("Hosts", ended_or(failed, screen.over)),
        Page::Checks => {
            let failed = view.checks_with(Verdict::Fail) > 0;
            ("Checks", ended_or(failed, true))
        }
        Page::Plan if screen.review.is_some() => ("Plan", RailState::Busy),
        Page::Plan => ("Plan", RailState::Done),
        Page::Result => ("Result", ended_or(failed, true)),
    };
    RailEntry {
        title: title.to_owned(),
        state,
    }
}

fn ended_or(failed: bool, over: bool) -> RailState {
    match (failed, over) {
        (true, _) => RailState::Trouble,
        (false, true) => RailState::Done,
        (false, false) => RailState::Busy,
    }
}

/// Returns a page's own words for the help.
pub(super) fn help(page: Page) -> Vec<String> {
    let words = match page {
        Page::Hosts => {
            "Each row is a host, each column a phase of its work: ✔ done, = nothing was to be changed, ✖ failed, - not begun or stopped, · waiting. At the right is what the chosen host does now."
        }
        Page::Log => {
            "Everything this host has printed in this run. The oldest lines make room when there are too many; the run's event log on disk keeps them all."
        }
        Page::Checks => {
            "What was checked, the worst first. Open a row for its cause, the remedy and the command that helps."
        }
        Page::Plan => {
            "What will be done on each host, and why. Open a row to read a file's content or its difference to what stands there; secrets are masked."
        }
        Page::Result => {
            "How the run ended, where the result can be seen, and the record to hand over."
        }
    };
    vec![words.to_owned()]
}
