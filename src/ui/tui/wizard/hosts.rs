//! The page of hosts: the list with what each answers, roles, and the details of the chosen one.

mod words;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::panel::{self, Said, Tone};
use super::view::styled;
use super::{TURN, WizardScreen};
use crate::model::size;
use crate::model::text::visible;
use crate::ui::desk::{Attempt, words as desk_words};
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::tui::widgets::text::{fitted, width};
use crate::wizard::HostDraft;
use words::root_words;
pub(super) use words::{question_words, request_words};

/// Draws the page.
pub(super) fn draw(
    screen: &WizardScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
    now: Timestamp,
) {
    let roles = roles(screen, look);
    let [list, middle, below] = parts(screen, area);
    draw_list(screen, frame, list, look, now);
    let block = Block::bordered()
        .title(" Roles: a number gives the chosen host a role ")
        .border_style(look.faint());
    frame.render_widget(Paragraph::new(roles).block(block), middle);
    let (title, said) = details(screen);
    panel::draw_lines(frame, below, &title, &said, look);
}

/// Returns the sign of being busy.
pub(super) fn busy(now: Timestamp) -> &'static str {
    let step = now.as_millisecond() / TURN;
    let at = usize::try_from(step.rem_euclid(8)).unwrap_or(0);
    sign::BUSY[at]
}

/// Divides the page into list, roles and details.
pub(super) fn parts(screen: &WizardScreen, area: Rect) -> [Rect; 3] {
    let tall = u16::try_from(screen.all.roles.len()).unwrap_or(4).min(6) + 2;
    let below = if area.height >= 30 { 11 } else { 8 };
    Layout::vertical([
        Constraint::Min(4),
        Constraint::Length(tall),
        Constraint::Length(below),
    ])
    .areas(area)
}

fn draw_list(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look, now: Timestamp) {
    let block = Block::bordered()
        .title(" Hosts ")
        .border_style(look.accent());
    let inner = block.inner(area);
    let hosts = &screen.desk.wizard.draft().hosts;
    let mut lines = Vec::new();
    if hosts.is_empty() {
        lines.push(Line::raw("  No host yet."));
        lines.push(styled(
            "  a adds one · i imports from ~/.ssh/config · or paste a list here:".to_owned(),
            look.faint(),
        ));
        lines.push(styled(
            "  one host a line, name address user".to_owned(),
            look.faint(),
        ));
    } else {
        let columns = Columns::of(inner.width);
        lines.push(styled(
            columns.row(["", "host", "address", "roles", "state"]),
            look.faint(),
        ));
        let rows = usize::from(inner.height.saturating_sub(1));
        let chosen = screen.list.of(hosts.len());
        for number in screen.list.window(hosts.len(), rows) {
            let here = chosen == Some(number);
            lines.push(host_line(screen, &hosts[number], here, &columns, look, now));
        }
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns which host stands in a row of the list, counted from its frame.
pub(super) fn host_at(list: Chosen, hosts: usize, rows: u16, row: u16) -> Option<usize> {
    let shown = list.window(hosts, usize::from(rows.saturating_sub(3)));
    let at = usize::from(row.checked_sub(2)?);
    shown.into_iter().nth(at)
}

/// How wide the columns of the list are.
struct Columns {
    name: usize,
    address: usize,
    roles: usize,
    state: usize,
}

impl Columns {
    fn of(wide: u16) -> Self {
        let room = usize::from(wide).saturating_sub(7);
        let name = room / 5;
        let address = room / 4;
        let roles = room / 4;
        Self {
            name,
            address,
            roles,
            state: room.saturating_sub(name + address + roles),
        }
    }

    fn row(&self, [mark, name, address, roles, state]: [&str; 5]) -> String {
        format!(
            "{}{} {} {} {}",
            padded(mark, 3),
            padded(name, self.name),
            padded(address, self.address),
            padded(roles, self.roles),
            fitted(state, self.state)
        )
    }
}

fn padded(text: &str, room: usize) -> String {
    let cut = fitted(text, room).into_owned();
    let pad = room.saturating_sub(width(&cut));
    cut + &" ".repeat(pad)
}

fn host_line(
    screen: &WizardScreen,
    host: &HostDraft,
    here: bool,
    columns: &Columns,
    look: Look,
    now: Timestamp,
) -> Line<'static> {
    let number = screen.desk.number_of(host.slot).unwrap_or_default();
    let (mark, style) = mark(screen, host, number, look, now);
    let name = if host.name.is_empty() {
        "(no name)"
    } else {
        &host.name
    };
    let address = if host.address.is_empty() {
        "(no address)"
    } else {
        &host.address
    };
    let roles = if host.roles.is_empty() {
        "(no role)".to_owned()
    } else {
        host.roles.join(" ")
    };
    let text = columns.row([
        "",
        &visible(name),
        &visible(address),
        &roles,
        &state(screen, host),
    ]);
    let body = text.chars().skip(2).collect::<String>();
    Line::from(vec![
        Span::styled(if here { sign::CHOSEN } else { " " }, look.accent()),
        Span::styled(mark, style),
        Span::styled(body, if here { look.strong() } else { Style::new() }),
    ])
}

/// Returns whether anything about the host itself is wrong or missing.
fn trouble_of(screen: &WizardScreen, number: usize) -> Option<&crate::wizard::Trouble> {
    let prefix = format!("hosts[{number}]");
    let mut troubles = screen.all.troubles().map(|(_, trouble)| trouble);
    troubles.find(|trouble| trouble.at.as_str().starts_with(&prefix))
}

fn mark(
    screen: &WizardScreen,
    host: &HostDraft,
    number: usize,
    look: Look,
    now: Timestamp,
) -> (&'static str, Style) {
    if let Some(trouble) = trouble_of(screen, number) {
        return if trouble.missing {
            (sign::WARNING, look.warn())
        } else {
            (sign::FAILED, look.bad())
        };
    }
    match screen.desk.attempts.get(&host.slot) {
        None => (sign::WAITING, look.faint()),
        Some(Attempt::Waiting) => (sign::WARNING, look.warn()),
        Some(Attempt::Connecting | Attempt::Looking { .. }) => (busy(now), look.accent()),
        Some(Attempt::Known { .. }) if !screen.desk.wizard.shortfalls(number).is_empty() => {
            (sign::WARNING, look.warn())
        }
        Some(Attempt::Known { .. }) => (sign::DONE, look.good()),
        Some(Attempt::Failed(_)) => (sign::FAILED, look.bad()),
    }
}

/// Returns what came of trying a host, in two words.
fn state(screen: &WizardScreen, host: &HostDraft) -> String {
    match screen.desk.attempts.get(&host.slot) {
        None => "not tried".to_owned(),
        Some(Attempt::Connecting) => "connecting".to_owned(),
        Some(Attempt::Waiting) => "asks".to_owned(),
        Some(Attempt::Looking { .. }) => "looking".to_owned(),
        Some(Attempt::Failed(_)) => "failed".to_owned(),
        Some(Attempt::Known { .. }) => screen
            .desk
            .wizard
            .facts(host.slot)
            .map_or_else(String::new, |facts| {
                format!("{} CPUs {}", facts.cpus, size::human(facts.memory))
            }),
    }
}

/// Returns each role with its number, and how many hosts it has and wants.
fn roles(screen: &WizardScreen, look: Look) -> Vec<Line<'static>> {
    let roles = screen.all.roles.iter().enumerate();
    roles
        .map(|(number, role)| {
            let (mark, style) = if role.settled {
                (sign::DONE, look.good())
            } else {
                (sign::WARNING, look.warn())
            };
            Line::from(vec![
                Span::styled(format!("{} ", number + 1), look.accent()),
                Span::styled(format!("{mark} "), style),
                Span::raw(format!("{}: {} of {}", role.title, role.has, role.wants)),
                Span::styled(format!("   {}", role.help), look.faint()),
            ])
        })
        .collect()
}

/// Returns the roles of one host, for its own form.
pub(super) fn roles_of(screen: &WizardScreen, slot: u64, look: Look) -> Vec<Line<'static>> {
    let number = screen.desk.number_of(slot);
    let host = number.and_then(|number| screen.desk.wizard.draft().hosts.get(number));
    let own = host.map_or_else(String::new, |host| host.roles.join(", "));
    let text = if own.is_empty() {
        "Roles: none yet; the list of hosts gives them by number".to_owned()
    } else {
        format!("Roles: {own}")
    };
    vec![styled(text, look.faint())]
}

/// Returns every host with what it is and what it lacks for its roles, a line for each.
pub(super) fn sizes(screen: &WizardScreen, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (number, host) in screen.desk.wizard.draft().hosts.iter().enumerate() {
        let name = visible(&host.name).into_owned();
        let Some(facts) = screen.desk.wizard.facts(host.slot) else {
            let text = format!(
                " {} {name}: not known yet; the page of hosts tries it",
                sign::WAITING
            );
            lines.push(styled(text, look.faint()));
            continue;
        };
        let lacks = screen.desk.wizard.shortfalls(number);
        let (mark, style) = if lacks.is_empty() {
            (sign::DONE, look.good())
        } else {
            (sign::WARNING, look.warn())
        };
        let sum = format!("{name}: {} CPUs, {}", facts.cpus, size::human(facts.memory));
        lines.push(Line::from(vec![
            Span::styled(format!(" {mark} "), style),
            Span::raw(sum),
        ]));
        lines.extend(
            lacks
                .into_iter()
                .map(|lack| styled(format!("     {lack}"), look.warn())),
        );
    }
    lines
}

/// Returns everything that is to be said of the chosen host.
fn details(screen: &WizardScreen) -> (String, Vec<Said>) {
    let hosts = &screen.desk.wizard.draft().hosts;
    let Some(number) = screen.list.of(hosts.len()) else {
        let said = page_troubles(screen);
        return ("What is missing".to_owned(), said);
    };
    let host = &hosts[number];
    let mut said = Vec::new();
    let prefix = format!("hosts[{number}]");
    for (_, trouble) in screen.all.troubles() {
        if trouble.at.as_str().starts_with(&prefix) {
            let tone = if trouble.missing {
                Tone::Warn
            } else {
                Tone::Bad
            };
            said.push(Said::new(
                tone,
                format!("{}: {}", trouble.at.last(), trouble.rule),
            ));
        }
    }
    said.extend(attempt_words(screen, host, number));
    if said.is_empty() {
        said.push(Said::new(
            Tone::Faint,
            "t connects to it and looks; nothing is changed there",
        ));
    }
    said.extend(page_troubles(screen));
    let name = if host.name.is_empty() {
        "Host without a name"
    } else {
        &host.name
    };
    (name.to_owned(), said)
}

fn page_troubles(screen: &WizardScreen) -> Vec<Said> {
    let troubles = screen.all.troubles();
    troubles
        .filter(|(_, trouble)| {
            trouble.at.as_str() == "hosts" || trouble.at.as_str().starts_with("ssh.")
        })
        .map(|(_, trouble)| Said::new(Tone::Warn, trouble.rule.clone()))
        .collect()
}

fn attempt_words(screen: &WizardScreen, host: &HostDraft, number: usize) -> Vec<Said> {
    match screen.desk.attempts.get(&host.slot) {
        None => Vec::new(),
        Some(Attempt::Connecting) => vec![Said::new(Tone::Plain, "connecting")],
        Some(Attempt::Waiting) => vec![Said::new(Tone::Warn, "it asks something; F4 answers")],
        Some(Attempt::Looking { took_ms }) => {
            vec![Said::new(
                Tone::Plain,
                format!("connected in {took_ms} ms, looking around"),
            )]
        }
        Some(Attempt::Failed(failure)) => {
            let mut said = vec![Said::new(Tone::Bad, failure.message.clone())];
            let causes = failure.causes.iter();
            said.extend(
                causes
                    .take(2)
                    .map(|cause| Said::new(Tone::Faint, cause.clone())),
            );
            let hint = failure.hint.iter();
            said.extend(hint.map(|hint| Said::new(Tone::Plain, format!("next: {hint}"))));
            said
        }
        Some(Attempt::Known { root, .. }) => {
            let Some(facts) = screen.desk.wizard.facts(host.slot) else {
                return Vec::new();
            };
            let lacks = screen.desk.wizard.shortfalls(number).into_iter();
            let mut said: Vec<Said> = lacks.map(|lack| Said::new(Tone::Warn, lack)).collect();
            said.push(Said::new(Tone::Plain, desk_words::known(facts)));
            said.push(Said::new(Tone::Faint, root_words(*root)));
            said
        }
    }
}
