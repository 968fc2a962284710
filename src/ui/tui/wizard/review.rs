//! The last page: what is wrong or missing, page by page; and when all is said, the answers and what can be done with them.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Padding, Paragraph};

use super::panel::{self, Said, Tone};
use super::view::{secret_line, styled};
use super::{WizardScreen, label};
use crate::model::text::visible;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::fitted;
use crate::wizard::{FieldKind, title};

/// Draws the page.
pub(super) fn draw(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    if screen.all.is_valid() {
        whole(screen, frame, area, look);
    } else {
        unfinished(screen, frame, area, look);
    }
}

fn unfinished(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let [list, below] = Layout::vertical([Constraint::Min(4), Constraint::Length(8)]).areas(area);
    let troubles: Vec<_> = screen.all.troubles().collect();
    let block = Block::bordered()
        .title(format!(" {} to go ", troubles.len()))
        .border_style(look.accent());
    let inner = block.inner(list);
    let at = screen.list.of(troubles.len());
    let lines: Vec<Line<'_>> = screen
        .list
        .window(troubles.len(), usize::from(inner.height))
        .map(|number| {
            let (page, trouble) = troubles[number];
            let here = at == Some(number);
            let (mark, style) = if trouble.missing {
                (sign::WARNING, look.warn())
            } else {
                (sign::FAILED, look.bad())
            };
            let text = format!("{}: {}", title(page), label(&trouble.at, &screen.all));
            let room = usize::from(inner.width).saturating_sub(4);
            let body = if here { look.strong() } else { Style::new() };
            Line::from(vec![
                Span::styled(if here { sign::CHOSEN } else { " " }, look.accent()),
                Span::styled(format!("{mark} "), style),
                Span::styled(fitted(&visible(&text), room).into_owned(), body),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), list);
    let said = match at.and_then(|at| troubles.get(at)) {
        Some((_, trouble)) => {
            let example = trouble.example.as_ref();
            let tone = if trouble.missing {
                Tone::Warn
            } else {
                Tone::Bad
            };
            let mut said = vec![Said::new(tone, trouble.rule.clone())];
            said.extend(example.map(|text| Said::new(Tone::Faint, format!("Example: {text}"))));
            said.push(Said::new(Tone::Plain, "Enter goes there."));
            said
        }
        None => Vec::new(),
    };
    panel::draw_lines(frame, below, "What is wrong", &said, look);
}

fn whole(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let tall = if area.height >= 30 { 12 } else { 8 };
    let [answers, below] =
        Layout::vertical([Constraint::Min(4), Constraint::Length(tall)]).areas(area);
    let block = Block::bordered()
        .title(" The answers, as the file says them ")
        .border_style(look.accent())
        .padding(Padding::horizontal(1));
    let text = screen.desk.answers_for(&screen.desk.proposed_path());
    let lines: Vec<Line<'_>> = text
        .lines()
        .map(|line| {
            let style = if line.starts_with('[') {
                look.strong()
            } else {
                Style::new()
            };
            styled(visible(line).into_owned(), style)
        })
        .collect();
    let rows = block.inner(answers).height;
    let most = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_sub(rows);
    let paragraph = Paragraph::new(lines).block(block);
    frame.render_widget(paragraph.scroll((screen.scroll.min(most), 0)), answers);
    panel::draw_lines(frame, below, "All is said", &what_next(screen), look);
}

/// Returns what is to be known before the answers are used, and what can be done with them.
fn what_next(screen: &WizardScreen) -> Vec<Said> {
    let mut said = Vec::new();
    for field in screen.all.wanting_secrets() {
        said.push(Said::new(
            Tone::Warn,
            format!(
                "{}; it is asked for when it is deployed",
                secret_line(field)
            ),
        ));
    }
    let typed = screen
        .all
        .pages
        .iter()
        .flat_map(|page| &page.fields)
        .filter(|field| {
            matches!(
                &field.kind,
                FieldKind::Secret(crate::wizard::SecretState::Typed(_))
            )
        });
    let typed = typed.count();
    if typed > 0 {
        let secrets = crate::ui::amounts::count(typed, "secret");
        said.push(Said::new(
            Tone::Plain,
            format!("{secrets} typed: in memory only, and used when you deploy from here"),
        ));
    }
    for lack in screen.desk.lacking(&screen.all) {
        let text = format!("no archive holds {} ({})", lack.title, lack.reference);
        said.push(Said::new(Tone::Bad, text));
    }
    for (number, host) in screen.desk.wizard.draft().hosts.iter().enumerate() {
        for lack in screen.desk.wizard.shortfalls(number) {
            said.push(Said::new(Tone::Warn, format!("{}: {lack}", host.name)));
        }
    }
    said.push(Said::new(Tone::Good, "c checks the hosts and writes the sheet for the customer's IT, p shows the plan, d deploys; nothing is changed before you accept the plan"));
    said
}
