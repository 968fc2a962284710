//! What keys do on the pages of a run.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::asking::Asking;
use super::keys::Do;
use super::rows::Row;
use super::scrollback::Scrollback;
use super::{Page, RunScreen, checks, drawing, matrix, plan};
use crate::model::ids::HostName;
use crate::ui::tui::screen::{Choice, Dialog, Flow, Interrupted};
use crate::ui::tui::theme::Look;
use crate::ui::tui::widgets::field::Field;

/// How far a page up or down goes.
const LEAP: i16 = 18;

/// Rows for reckoning, where nothing of their look matters.
const ROOM: u16 = 60;

impl RunScreen {
    /// Returns whether an action makes sense now.
    pub(super) fn works(&self, action: Do) -> bool {
        let typing = self.log.typing.is_some();
        let secret = self.asks_for_secret();
        let key = self.asks_for_key();
        let here = self.page;
        match action {
            Do::Yes | Do::No => key || here == Page::Plan && self.review.is_some(),
            Do::Give | Do::Without | Do::Show => secret,
            Do::Found | Do::NotSearching => typing,
            _ if typing || secret => false,
            Do::Retry | Do::Mend | Do::Skip | Do::Pause => self.may_decide(action),
            Do::Up | Do::Down | Do::PageUp | Do::PageDown | Do::First | Do::Last | Do::Copy => true,
            Do::Leave => !self.setup.for_wizard,
            Do::Wizard => self.setup.for_wizard,
            Do::MendAnswer => self.setup.for_wizard && self.answer_to_mend().is_some(),
            Do::Left | Do::Right => matches!(here, Page::Log | Page::Plan | Page::Checks),
            Do::Log => here == Page::Hosts && self.chosen_log().is_some(),
            Do::Tiles => here == Page::Hosts && self.view.hosts.len() > 1,
            Do::Fold | Do::FoldAll => matches!(here, Page::Plan | Page::Checks),
            Do::Search | Do::Follow | Do::NextHit | Do::HitBefore => here == Page::Log,
            Do::Shell => {
                matches!(here, Page::Hosts | Page::Log) && self.facing(self.now).can(Do::Shell)
            }
            Do::Save => matches!(here, Page::Hosts | Page::Log) && self.chosen_log().is_some(),
            Do::NextPage | Do::PageBefore => here != Page::Log && self.pages().len() > 1,
            Do::Back => here != Page::Hosts,
            Do::StopSafely | Do::LeaveAtOnce | Do::ReallyMend | Do::ReallySkip => false,
        }
    }

    /// Does it.
    pub(super) fn do_it(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Yes => self.answer(true),
            Do::No => self.answer(false),
            Do::Give | Do::Without => {
                if let Some(asking) = self.asks.pop_front() {
                    if action == Do::Give {
                        asking.accept();
                    } else {
                        asking.refuse();
                    }
                }
                Flow::Redraw
            }
            Do::Show => {
                let now = self.now;
                if let Some(field) = self.field() {
                    field.show(now);
                }
                Flow::Redraw
            }
            Do::Retry | Do::Mend | Do::ReallyMend | Do::Skip | Do::ReallySkip | Do::Pause => {
                self.decide(action)
            }
            Do::Log => {
                self.log.follow();
                self.page = Page::Log;
                Flow::Redraw
            }
            Do::Tiles => {
                self.tiled = !self.tiled;
                Flow::Redraw
            }
            Do::Shell => self.shell(),
            Do::Copy => self.copy(),
            Do::Save => self.save(),
            Do::NextPage => self.turn_page(true),
            Do::PageBefore => self.turn_page(false),
            Do::Back => {
                self.page = Page::Hosts;
                Flow::Redraw
            }
            Do::MendAnswer => {
                self.mending = self.answer_to_mend();
                self.do_it(Do::Wizard)
            }
            Do::Wizard => {
                // Nothing is written; what still looks is not waited for.
                let _ = self.stop();
                Flow::Leave
            }
            Do::Leave => self.leave(),
            Do::StopSafely => self.stop(),
            Do::LeaveAtOnce => {
                self.stop();
                self.left_at_once = true;
                Flow::Leave
            }
            _ => self.move_about(action),
        }
    }

    fn answer(&mut self, yes: bool) -> Flow<Do> {
        if self.asks_for_key() {
            if let Some(asking) = self.asks.pop_front() {
                if yes {
                    asking.accept();
                } else {
                    asking.refuse();
                }
            }
        } else if let Some(reply) = self.review.take() {
            // Whoever asked may have been cancelled in the meantime.
            let _ = reply.send(yes);
            self.page = Page::Hosts;
        }
        Flow::Redraw
    }

    /// Answers no to everybody who waits for an answer.
    pub(super) fn refuse_all(&mut self) {
        for asking in self.asks.drain(..) {
            asking.refuse();
        }
        if let Some(reply) = self.review.take() {
            let _ = reply.send(false);
        }
    }

    pub(super) fn stop(&mut self) -> Flow<Do> {
        self.stopping = true;
        self.source.stop();
        self.refuse_all();
        Flow::Redraw
    }

    fn leave(&mut self) -> Flow<Do> {
        if self.over || self.setup.recorded {
            Flow::Leave
        } else if self.view.held {
            // Nothing runs, so there is nothing to ask; the run ends as it stands.
            self.leave_when_over = true;
            self.stop()
        } else {
            Flow::Ask(self.stop_dialog())
        }
    }

    /// Heeds the wish to stop.
    pub(super) fn interrupted(&mut self, how: Interrupted) -> Flow<Do> {
        match how {
            _ if self.over || self.setup.recorded => Flow::Leave,
            Interrupted::Asking => Flow::Ask(self.stop_dialog()),
            Interrupted::Telling => {
                self.leave_when_over = true;
                self.stop()
            }
            Interrupted::Again => self.do_it(Do::LeaveAtOnce),
        }
    }

    fn stop_dialog(&self) -> Dialog<Do> {
        let choice = |key, label: &str, action| Choice {
            key,
            label: label.to_owned(),
            action,
        };
        let mut lines = if self.stopping {
            vec!["It stops at the next safe point already.".to_owned()]
        } else {
            vec!["Stop safely: what runs now comes to its end, and nothing else begins.".to_owned()]
        };
        lines.push(
            "Ctrl-C once more leaves at once; what runs on the hosts goes on there.".to_owned(),
        );
        lines.push(format!(
            "Either way `{}` goes on from there.",
            self.setup.again
        ));
        let mut choices = vec![
            choice('s', "Stop safely", Some(Do::StopSafely)),
            choice('l', "Leave at once", Some(Do::LeaveAtOnce)),
            choice('g', "Go on", None),
        ];
        if self.stopping {
            choices.remove(0);
        }
        Dialog {
            title: "Stop".to_owned(),
            lines,
            chosen: usize::from(self.stopping),
            choices,
        }
    }

    fn turn_page(&mut self, forward: bool) -> Flow<Do> {
        let pages = self.pages();
        let count = pages.len();
        let here = pages.iter().position(|page| *page == self.page);
        let here = here.unwrap_or(0);
        let next = if forward { here + 1 } else { here + count - 1 };
        self.page = pages[next % count];
        Flow::Redraw
    }

    /// Returns the pages there are, in order.
    pub(super) fn pages(&self) -> Vec<Page> {
        let mut pages = vec![Page::Hosts];
        if !self.view.checks.is_empty() {
            pages.push(Page::Checks);
        }
        if !self.view.steps.is_empty() {
            pages.push(Page::Plan);
        }
        if self.view.outcome.is_some() {
            pages.push(Page::Result);
        }
        pages
    }

    fn move_about(&mut self, action: Do) -> Flow<Do> {
        let lines = match action {
            Do::Up => -1,
            Do::Down => 1,
            Do::PageUp => -LEAP,
            Do::PageDown => LEAP,
            Do::First => i16::MIN,
            Do::Last => i16::MAX,
            _ => 0,
        };
        match self.page {
            Page::Hosts => {
                self.host.move_by(isize::from(lines), self.view.hosts.len());
                self.remember_host();
                Flow::Redraw
            }
            Page::Log => self.in_log(action, lines),
            Page::Plan | Page::Checks => {
                let rows = self.rows();
                let page = match self.page {
                    Page::Plan => &mut self.plan,
                    _ => &mut self.checks,
                };
                match action {
                    Do::Fold => page.toggle(rows.len()),
                    Do::Left | Do::Right => page.fold(rows.len(), action == Do::Right),
                    Do::FoldAll => page.toggle_all(rows.len()),
                    Do::First | Do::Last => page.chosen.move_by(lines.into(), rows.len()),
                    _ => page.scroll(lines, &rows),
                }
                Flow::Redraw
            }
            Page::Result => {
                let end = u16::try_from(drawing::result_rows(self)).unwrap_or(u16::MAX);
                let scrolled = i32::from(self.scrolled) + i32::from(lines);
                self.scrolled = u16::try_from(scrolled.max(0)).unwrap_or(u16::MAX).min(end);
                Flow::Redraw
            }
        }
    }

    fn in_log(&mut self, action: Do, lines: i16) -> Flow<Do> {
        let Some(host) = self.chosen_host() else {
            return Flow::Stay;
        };
        let Some(log) = self.logs.of(&host) else {
            return Flow::Stay;
        };
        let page = &mut self.log;
        match action {
            Do::Left | Do::Right => page.side(action == Do::Right),
            Do::First => page.home(log),
            Do::Last => page.follow(),
            Do::Follow => page.toggle_follow(log),
            Do::Search => page.typing = Some(Field::default()),
            Do::NotSearching => page.typing = None,
            Do::Found => {
                let text = page.typing.take().unwrap_or_default();
                if !page.search(text.text(), log) {
                    return Flow::Say(format!("`{}` is not in this log", text.text()));
                }
            }
            Do::NextHit | Do::HitBefore => {
                page.go_on(log, action == Do::NextHit);
            }
            _ => page.scroll(lines.into(), log, LEAP.unsigned_abs().into()),
        }
        Flow::Redraw
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        match self.page {
            Page::Plan => plan::rows(&self.view, Look::FULL, ROOM),
            _ => checks::rows(&self.view, Look::FULL, ROOM),
        }
    }

    /// Heeds the mouse: a click chooses a host, the wheel moves.
    pub(super) fn clicked(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.do_it(Do::Up),
            MouseEventKind::ScrollDown => self.do_it(Do::Down),
            MouseEventKind::Down(MouseButton::Left) if self.page == Page::Hosts && !self.tiled => {
                let facing = self.facing(self.now);
                let areas = drawing::hosts_areas(&facing, page);
                let inside = areas.matrix.contains((mouse.column, mouse.row).into());
                let at = matrix::host_at(&facing, areas.matrix, mouse.row).filter(|_| inside);
                match at {
                    Some(at) => {
                        self.host.choose(at);
                        self.remember_host();
                        Flow::Redraw
                    }
                    None => Flow::Stay,
                }
            }
            _ => Flow::Stay,
        }
    }

    /// Returns the field that is typed into.
    pub(super) fn field(&mut self) -> Option<&mut Field> {
        if let Some(field) = &mut self.log.typing {
            return Some(field);
        }
        match self.asks.front_mut() {
            Some(Asking::Secret { field, .. }) => Some(field),
            _ => None,
        }
    }

    /// Returns whether a secret is asked for.
    pub(super) fn asks_for_secret(&self) -> bool {
        matches!(self.asks.front(), Some(Asking::Secret { .. }))
    }

    fn asks_for_key(&self) -> bool {
        matches!(self.asks.front(), Some(Asking::HostKey { .. }))
    }

    pub(super) fn chosen_host(&self) -> Option<HostName> {
        let at = self.host.of(self.view.hosts.len())?;
        self.view.hosts.get(at).map(|host| host.name.clone())
    }

    pub(super) fn chosen_log(&self) -> Option<&Scrollback> {
        self.logs.of(&self.chosen_host()?)
    }
}
