//! What keys do on a dashboard.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::keys::Do;
use super::view::Row;
use super::{DashboardScreen, Page, Typing, Wanted, access, drawing, table};
use crate::engine::watch::LogScope;
use crate::ui::tui::run::asking::Asking;
use crate::ui::tui::run::log::LogPage;
use crate::ui::tui::screen::Flow;
use crate::ui::tui::widgets::field::Field;

/// How far a page up or down goes.
const LEAP: i16 = 18;

impl DashboardScreen {
    /// Returns whether an action makes sense now.
    pub(super) fn works(&self, action: Do) -> bool {
        let typing = self.log.typing.is_some();
        let secret = self.asks_for_secret();
        let key = matches!(self.asks.front(), Some(Asking::HostKey { .. }));
        let here = self.page;
        match action {
            Do::Yes | Do::No => key && !typing,
            Do::Give | Do::Without | Do::Show => secret,
            Do::Typed | Do::NotTyped => typing && !secret,
            _ if typing || secret => false,
            Do::Left
            | Do::Right
            | Do::Search
            | Do::Filter
            | Do::OneService
            | Do::NextHit
            | Do::HitBefore
            | Do::Follow
            | Do::Save => here == Page::Log,
            Do::Log
            | Do::NextHost
            | Do::HostBefore
            | Do::AllLogs
            | Do::Verify
            | Do::Deploy
            | Do::Order(_)
            | Do::Refresh
            | Do::Access => here == Page::Services,
            Do::Shell => here == Page::Services && self.shell_of_chosen().is_some(),
            Do::Up
            | Do::Down
            | Do::PageUp
            | Do::PageDown
            | Do::First
            | Do::Last
            | Do::Copy
            | Do::Back
            | Do::Leave => true,
        }
    }

    /// Does it.
    pub(super) fn do_it(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Yes | Do::Give => self.answer(true),
            Do::No | Do::Without => self.answer(false),
            Do::Show => {
                let now = self.now;
                if let Some(field) = self.field() {
                    field.show(now);
                }
                Flow::Redraw
            }
            Do::Log => self.open_log(),
            Do::AllLogs => self.follow("everything".to_owned(), &LogScope::default()),
            Do::Verify => self.leave(Wanted::Verify),
            Do::Deploy => self.leave(Wanted::Deploy),
            Do::Order(order) => self.leave(Wanted::Order(order)),
            Do::Leave => self.leave(Wanted::Leave),
            Do::Back => self.back(),
            Do::Refresh => {
                self.feed.refresh();
                Flow::Say("reading every host".to_owned())
            }
            Do::Access => {
                self.page = Page::Access;
                self.scrolled = 0;
                Flow::Redraw
            }
            Do::Shell => self.shell(),
            Do::Copy => self.copy(),
            Do::Save => self.save(),
            _ if self.page == Page::Log => self.in_log(action),
            _ => self.move_about(action),
        }
    }

    pub(super) fn leave(&mut self, wanted: Wanted) -> Flow<Do> {
        self.wanted = wanted;
        for asking in self.asks.drain(..) {
            asking.refuse();
        }
        self.end_log();
        Flow::Leave
    }

    fn back(&mut self) -> Flow<Do> {
        if self.page == Page::Services {
            return self.leave(Wanted::Deployments);
        }
        self.end_log();
        Flow::Redraw
    }

    fn end_log(&mut self) {
        if self.page == Page::Log {
            self.feed.unfollow();
        }
        self.page = Page::Services;
    }

    fn answer(&mut self, yes: bool) -> Flow<Do> {
        if let Some(asking) = self.asks.pop_front() {
            if yes {
                asking.accept();
            } else {
                asking.refuse();
            }
        }
        Flow::Redraw
    }

    fn open_log(&mut self) -> Flow<Do> {
        let (name, scope) = match self.chosen_row() {
            None => return Flow::Stay,
            Some(Row::Host(host)) => {
                let host = &self.view.hosts[host].name;
                (
                    host.to_string(),
                    LogScope {
                        host: Some(host.clone()),
                        service: None,
                    },
                )
            }
            Some(Row::Service(host, service)) => {
                let host = &self.view.hosts[host];
                let service = &host.services[service];
                let scope = LogScope {
                    host: Some(host.name.clone()),
                    service: Some((service.stack.clone(), service.service.clone())),
                };
                (format!("{} on {}", service.service, host.name), scope)
            }
        };
        self.follow(name, &scope)
    }

    fn follow(&mut self, name: String, scope: &LogScope) -> Flow<Do> {
        self.journal = super::Journal::default();
        self.log = LogPage::default();
        self.log_of = name;
        self.page = Page::Log;
        self.feed.follow(scope);
        Flow::Redraw
    }

    fn in_log(&mut self, action: Do) -> Flow<Do> {
        let lines = lines_of(action);
        match action {
            Do::Left | Do::Right => self.log.side(action == Do::Right),
            Do::First => self.log.home(self.journal.shown()),
            Do::Last => self.log.follow(),
            Do::Follow => self.log.toggle_follow(self.journal.shown()),
            Do::Search | Do::Filter => {
                self.typing = match action {
                    Do::Search => Typing::Search,
                    _ => Typing::Filter,
                };
                self.log.typing = Some(Field::default());
            }
            Do::NotTyped => self.log.typing = None,
            Do::Typed => return self.end_typing(),
            Do::OneService => {
                self.journal.want_next_service();
                self.log.follow();
            }
            Do::NextHit | Do::HitBefore => {
                self.log.go_on(self.journal.shown(), action == Do::NextHit);
            }
            _ => self.log.scroll(
                lines.into(),
                self.journal.shown(),
                LEAP.unsigned_abs().into(),
            ),
        }
        Flow::Redraw
    }

    fn end_typing(&mut self) -> Flow<Do> {
        let typed = self.log.typing.take().unwrap_or_default();
        let text = typed.text();
        match self.typing {
            Typing::Search if !self.log.search(text, self.journal.shown()) => {
                Flow::Say(format!("`{text}` is not in this log"))
            }
            Typing::Search => Flow::Redraw,
            Typing::Filter => {
                self.journal.want_text(text);
                self.log.follow();
                Flow::Redraw
            }
        }
    }

    fn move_about(&mut self, action: Do) -> Flow<Do> {
        let lines = lines_of(action);
        if self.page == Page::Access {
            let end = access::lines(&self.access, ratatui::style::Style::new()).len();
            let end = u16::try_from(end).unwrap_or(u16::MAX);
            let scrolled = i32::from(self.scrolled) + i32::from(lines);
            self.scrolled = u16::try_from(scrolled.max(0)).unwrap_or(u16::MAX).min(end);
        } else if matches!(action, Do::NextHost | Do::HostBefore) {
            self.choose_host(action == Do::NextHost);
        } else {
            let rows = self.view.rows().len();
            self.chosen.move_by(lines.into(), rows);
        }
        Flow::Redraw
    }

    /// Chooses the next host, or the one before.
    fn choose_host(&mut self, forward: bool) {
        let rows = self.view.rows();
        let here = self.chosen.of(rows.len()).unwrap_or(0);
        let mut hosts = (0..rows.len()).filter(|at| matches!(rows[*at], Row::Host(_)));
        let next = if forward {
            hosts.find(|at| *at > here)
        } else {
            hosts.rfind(|at| *at < here)
        };
        if let Some(next) = next {
            self.chosen.choose(next);
        }
    }

    /// Heeds the mouse: a click chooses a row, one on the chosen row opens it, the wheel moves.
    pub(super) fn clicked(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.do_it(Do::Up),
            MouseEventKind::ScrollDown => self.do_it(Do::Down),
            MouseEventKind::Down(MouseButton::Left) if self.page == Page::Services => {
                let areas = drawing::areas(self, page);
                let rows = self.view.rows().len();
                match table::row_at(areas.table, self.chosen, rows, mouse) {
                    Some(at) if self.chosen.of(rows) == Some(at) && !self.typing_or_asked() => {
                        self.open_log()
                    }
                    Some(at) => {
                        self.chosen.choose(at);
                        Flow::Redraw
                    }
                    None => Flow::Stay,
                }
            }
            _ => Flow::Stay,
        }
    }

    fn typing_or_asked(&self) -> bool {
        self.log.typing.is_some() || !self.asks.is_empty()
    }

    /// Returns the field that is typed into.
    pub(super) fn field(&mut self) -> Option<&mut Field> {
        match self.asks.front_mut() {
            Some(Asking::Secret { field, .. }) => Some(field),
            _ => self.log.typing.as_mut(),
        }
    }

    /// Returns whether a secret is asked for.
    pub(super) fn asks_for_secret(&self) -> bool {
        matches!(self.asks.front(), Some(Asking::Secret { .. }))
    }

    pub(super) fn chosen_row(&self) -> Option<Row> {
        let rows = self.view.rows();
        let at = self.chosen.of(rows.len())?;
        rows.get(at).copied()
    }

    /// Keeps the choice on the same row when rows come and go above it.
    pub(super) fn choose_again(&mut self, row: Option<Row>) {
        let rows = self.view.rows();
        if let Some(at) = row.and_then(|row| rows.iter().position(|other| *other == row)) {
            self.chosen.choose(at);
        }
    }
}

fn lines_of(action: Do) -> i16 {
    match action {
        Do::Up => -1,
        Do::Down => 1,
        Do::PageUp => -LEAP,
        Do::PageDown => LEAP,
        Do::First => i16::MIN,
        Do::Last => i16::MAX,
        _ => 0,
    }
}
