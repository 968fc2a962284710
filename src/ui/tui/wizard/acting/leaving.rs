//! Leaving the wizard: with the answers written, or with the draft kept.

use crate::ui::desk::write_answers;
use crate::ui::line::wizard::Ending;
use crate::ui::tui::screen::{Choice, Dialog, Flow};
use crate::ui::tui::widgets::field::{Display, Field as Line};
use crate::ui::tui::wizard::WizardScreen;
use crate::ui::tui::wizard::keys::Do;
use crate::ui::tui::wizard::view::View;

use camino::Utf8PathBuf;

impl WizardScreen {
    /// Asks what is meant by leaving.
    pub(in crate::ui::tui::wizard) fn ask_to_leave(&mut self) -> Flow<Do> {
        if self.desk.wizard.draft().is_empty() {
            return Flow::Leave;
        }
        let choice = |key, label: &str, action| Choice {
            key,
            label: label.to_owned(),
            action,
        };
        Flow::Ask(Dialog {
            title: "Leave".to_owned(),
            lines: vec![
                "Every answer is kept; `syntho-installer new` comes back to this place.".to_owned(),
                "Secrets that were typed are not kept on disk, and are asked for again.".to_owned(),
            ],
            choices: vec![
                choice('l', "Leave", Some(Do::Leave)),
                choice('x', "Throw all away", Some(Do::Discard)),
                choice('s', "Stay", None),
            ],
            chosen: 0,
        })
    }

    /// Throws the draft away and leaves.
    pub(super) fn discard(&mut self) -> Flow<Do> {
        self.ending = Ending::Discarded;
        Flow::Leave
    }

    /// Asks where the answers are written before `deed` is done.
    pub(super) fn ask_path(&mut self, deed: Do) -> Flow<Do> {
        let path = self.desk.proposed_path();
        self.view = View::Path(Line::new(path.as_str(), Display::Plain), deed);
        Flow::Redraw
    }

    pub(super) fn act_on_path(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Back => {
                self.resume();
                Flow::Redraw
            }
            Do::Enter => self.write_or_ask(),
            _ => Flow::Stay,
        }
    }

    fn path(&self) -> Option<(Utf8PathBuf, Do)> {
        let View::Path(line, deed) = &self.view else {
            return None;
        };
        let path = self.desk.locate(line.text().trim());
        (!line.text().trim().is_empty()).then(|| (path.into(), *deed))
    }

    /// Writes the answers, unless something else stands there already: then it asks.
    fn write_or_ask(&mut self) -> Flow<Do> {
        let Some((path, _)) = self.path() else {
            return Flow::Say("a path is needed".to_owned());
        };
        let text = self.desk.answers_for(&path);
        if path.exists() && fs_err::read_to_string(&path).ok().as_deref() != Some(&text) {
            return Flow::Ask(Dialog::confirm(
                "Write over",
                vec![format!("{path} is there already and says something else.")],
                "Write over it",
                Do::Overwrite,
                "Keep it",
            ));
        }
        self.write()
    }

    /// Writes the answers and leaves for what comes then.
    pub(super) fn write(&mut self) -> Flow<Do> {
        let Some((path, deed)) = self.path() else {
            return Flow::Stay;
        };
        if let Err(error) = write_answers(&path, &self.desk.answers_for(&path)) {
            return Flow::Say(format!("it cannot be written: {error}"));
        }
        self.ending = match deed {
            Do::Check => Ending::Check(path),
            Do::Plan => Ending::Plan(path),
            Do::Deploy => Ending::Deploy(path),
            _ => Ending::Written(path),
        };
        Flow::Leave
    }
}
