//! What is taken away from a dashboard: text to the clipboard or a file, and the operator to a shell.

use std::process::Command;

use super::keys::Do;
use super::view::Row;
use super::{DashboardScreen, Page, access, details};
use crate::model::ids::HostName;
use crate::ui::amounts::count;
use crate::ui::tui::run::taking::{MOST_COPIED, SSH_FAILED, whole};
use crate::ui::tui::screen::{Flow, Outing};

impl DashboardScreen {
    pub(super) fn shell_of_chosen(&self) -> Option<(&HostName, &[String])> {
        let (Row::Host(host) | Row::Service(host, _)) = self.chosen_row()?;
        let host = &self.view.hosts[host].name;
        Some((host, self.setup.shells.get(host)?))
    }

    pub(super) fn shell(&self) -> Flow<Do> {
        let Some((host, shell)) = self.shell_of_chosen() else {
            return Flow::Stay;
        };
        let Some((program, arguments)) = shell.split_first() else {
            return Flow::Stay;
        };
        let mut command = Command::new(program);
        command.args(arguments);
        Flow::Outside(Outing {
            command,
            note: format!("A shell on {host}; `exit` comes back."),
            failed_with: SSH_FAILED,
        })
    }

    /// Copies what the page is about.
    pub(super) fn copy(&self) -> Flow<Do> {
        let text = match self.page {
            Page::Services => details::text(self),
            Page::Log => whole(self.journal.shown()),
            Page::Access => access::text(&self.access),
        };
        if text.is_empty() {
            return Flow::Say("there is nothing to copy here".to_owned());
        }
        // The end of a log is what matters.
        let from = text.ceil_char_boundary(text.len().saturating_sub(MOST_COPIED));
        let text = text[from..].to_owned();
        let told = format!(
            "{} copied, if the terminal takes OSC 52",
            count(text.lines().count(), "line")
        );
        Flow::Copy { text, told }
    }

    pub(super) fn save(&self) -> Flow<Do> {
        let time = self.now.strftime("%Y%m%dT%H%M%SZ");
        let of = self.log_of.replace([' ', '/'], "-");
        let path = self
            .setup
            .save_folder
            .join(format!("{}-{of}-{time}.log", self.setup.name));
        match fs_err::write(&path, whole(self.journal.shown())) {
            Ok(()) => Flow::Say(format!("saved to {path}")),
            Err(error) => Flow::Say(format!("not saved: {error}")),
        }
    }
}
