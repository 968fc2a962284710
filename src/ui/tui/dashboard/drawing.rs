//! Puts the pages of a dashboard together.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{DashboardScreen, Page, Typing, access, details, table};
use crate::ui::tui::theme::Look;

/// Rows that the details of the chosen row have, with their frame, where there is little room and where there is much.
const DETAILS: [u16; 2] = [7, 11];

/// From this height on there is much room.
const TALL: u16 = 30;

/// Where the parts of the services' page lie.
pub(super) struct Areas {
    pub(super) table: Rect,
    pub(super) details: Rect,
}

/// Divides the services' page.
pub(super) fn areas(screen: &DashboardScreen, page: Rect) -> Areas {
    let _ = screen;
    let details = DETAILS[usize::from(page.height >= TALL)];
    let [table, details] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(details)]).areas(page);
    Areas { table, details }
}

/// Draws the page.
pub(super) fn draw(
    screen: &DashboardScreen,
    frame: &mut Frame<'_>,
    page: Rect,
    look: Look,
    now: Timestamp,
) {
    if let (Some(asking), false) = (screen.asks.front(), screen.page == Page::Services) {
        // A question must be seen wherever one is.
        let [above, below] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(DETAILS[0])]).areas(page);
        draw_page(screen, frame, above, look, now);
        details::draw_asking(frame, below, asking, look);
        return;
    }
    draw_page(screen, frame, page, look, now);
}

fn draw_page(
    screen: &DashboardScreen,
    frame: &mut Frame<'_>,
    page: Rect,
    look: Look,
    now: Timestamp,
) {
    match screen.page {
        Page::Services => {
            let areas = areas(screen, page);
            table::draw(frame, areas.table, &screen.view, screen.chosen, look, now);
            match screen.asks.front() {
                Some(asking) => details::draw_asking(frame, areas.details, asking, look),
                None => details::draw(screen, frame, areas.details, look, now),
            }
        }
        Page::Log => {
            let words = screen.journal.words();
            let mut title = format!("{}: log", screen.log_of);
            if screen.journal.is_empty() {
                title.push_str(", no line has come yet");
            }
            if !words.is_empty() {
                title = format!("{title}, {words}");
            }
            let shown = (title.as_str(), screen.journal.shown(), &screen.setup.zone);
            let prompt = match screen.typing {
                Typing::Search => "/",
                Typing::Filter => "lines with: ",
            };
            screen.log.draw_titled(frame, page, shown, prompt, look);
        }
        Page::Access => access::draw(frame, page, &screen.access, screen.scrolled, look),
    }
}

/// Returns a page's own words for the help.
pub(super) fn help(page: Page) -> Vec<String> {
    let words = match page {
        Page::Services => {
            "Every host with its services, read every few seconds; nothing on the hosts is changed. ✔ as it must be, · on its way or not known now, ✖ not as it must be or not reached. What is old says so and how old it is. CPU is the share of one processor."
        }
        Page::Log => {
            "What the containers print, with the times of their hosts; secrets of the deployment are replaced by their names. The oldest lines make room when there are too many."
        }
        Page::Access => {
            "Where the deployment can be used, and the record that was written when it was handed over."
        }
    };
    vec![words.to_owned()]
}
