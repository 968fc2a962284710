//! What keys do on the review.

use crate::model::preset::Page;
use crate::ui::tui::screen::Flow;
use crate::ui::tui::wizard::WizardScreen;
use crate::ui::tui::wizard::keys::Do;
use crate::wizard::Key;

impl WizardScreen {
    pub(super) fn act_on_review(&mut self, action: Do) -> Flow<Do> {
        let count = self.all.troubles().count();
        match action {
            Do::Up if self.all.is_valid() => self.scroll = self.scroll.saturating_sub(1),
            Do::Down if self.all.is_valid() => {
                let lines = self
                    .desk
                    .answers_for(&self.desk.proposed_path())
                    .lines()
                    .count();
                let most = u16::try_from(lines).unwrap_or(u16::MAX);
                self.scroll = (self.scroll + 1).min(most);
            }
            Do::Up => self.list.move_by(-1, count),
            Do::Down => self.list.move_by(1, count),
            Do::Enter => {
                let at = self.list.of(count);
                let trouble = at.and_then(|at| self.all.troubles().nth(at));
                if let Some((page, trouble)) =
                    trouble.map(|(page, trouble)| (page, trouble.at.clone()))
                {
                    return self.open(page, &trouble);
                }
            }
            Do::PreviousPage | Do::Back => return self.previous_page(),
            Do::Write | Do::Check | Do::Plan | Do::Deploy => return self.ask_path(action),
            _ => return Flow::Stay,
        }
        Flow::Redraw
    }

    /// Goes to the field that a rule is about.
    fn open(&mut self, page: Page, key: &Key) -> Flow<Do> {
        // A rule over several answers may be told on the review itself.
        let page = if page == Page::Review {
            Page::Option
        } else {
            page
        };
        self.desk.wizard.go(page);
        let key = match key.as_str().strip_suffix(".roles") {
            // Roles are given in the list.
            Some(_) => Key::new("hosts"),
            None => key.clone(),
        };
        self.desk.wizard.stand_at(&key);
        self.resume();
        Flow::Redraw
    }
}
