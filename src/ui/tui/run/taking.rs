//! What is taken away from the pages of a run: text to the clipboard or a file, and the operator to a shell.

use std::fmt::Write as _;
use std::process::Command;

use super::keys::Do;
use super::scrollback::{LogLine, Scrollback};
use super::{Page, RunScreen, drawing};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::ui::amounts::count;
use crate::ui::tui::screen::{Flow, Outing};

/// The most that goes to the clipboard at once; many terminals take no more.
pub(in crate::ui::tui) const MOST_COPIED: usize = 48_000;

/// The exit code by which ssh says that it could not log in.
pub(in crate::ui::tui) const SSH_FAILED: i32 = 255;

impl RunScreen {
    /// Opens a shell on the chosen host.
    pub(super) fn shell(&mut self) -> Flow<Do> {
        let Some(host) = self.chosen_host() else {
            return Flow::Stay;
        };
        let Some((program, arguments)) = self
            .setup
            .shells
            .get(&host)
            .and_then(|shell| shell.split_first())
        else {
            return Flow::Say(format!("no shell is known for {host}"));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        Flow::Outside(Outing {
            command,
            note: self.shell_note(&host),
            failed_with: SSH_FAILED,
        })
    }

    /// Returns what is to be known before the shell opens; ssh asks by itself about a key that only the answers know.
    fn shell_note(&self, host: &HostName) -> String {
        let mut note =
            format!("A shell on {host}; `exit` comes back. What runs goes on meanwhile.");
        if let Some(key) = self.setup.host_keys.get(host) {
            let _ = write!(
                note,
                " Should ssh ask about the key: the answers say it is {key}"
            );
        }
        note
    }

    /// Copies what the page is about.
    pub(super) fn copy(&mut self) -> Flow<Do> {
        let text = self.copied();
        if text.is_empty() {
            return Flow::Say("there is nothing to copy here".to_owned());
        }
        // The end of a log is what matters.
        let from = text.ceil_char_boundary(text.len().saturating_sub(MOST_COPIED));
        let text = text[from..].to_owned();
        let told = format!(
            "{} copied, if the terminal takes OSC 52; `s` saves logs to a file",
            count(text.lines().count(), "line")
        );
        Flow::Copy { text, told }
    }

    fn copied(&self) -> String {
        let facing = self.facing(self.now);
        match self.page {
            Page::Hosts => match facing.failure() {
                Some(failure) => told(failure),
                None => self.chosen_log().map(whole).unwrap_or_default(),
            },
            Page::Log => self.chosen_log().map(whole).unwrap_or_default(),
            Page::Plan | Page::Checks => {
                let rows = self.rows();
                let page = match self.page {
                    Page::Plan => &self.plan,
                    _ => &self.checks,
                };
                let chosen = page.chosen.of(rows.len()).and_then(|at| rows.get(at));
                chosen.map(|row| row.copied.clone()).unwrap_or_default()
            }
            Page::Result => match &self.record {
                Some(record) => record.text.clone(),
                None => drawing::result_text(self),
            },
        }
    }

    /// Saves the chosen host's log.
    pub(super) fn save(&mut self) -> Flow<Do> {
        let (Some(host), Some(log)) = (self.chosen_host(), self.chosen_log()) else {
            return Flow::Stay;
        };
        let time = self.now.strftime("%Y%m%dT%H%M%SZ");
        let name = format!("{}-{host}-{time}.log", self.view.deployment);
        let path = self.setup.save_folder.join(name);
        match fs_err::write(&path, whole(log)) {
            Ok(()) => Flow::Say(format!("saved to {path}")),
            Err(error) => Flow::Say(format!("not saved: {error}")),
        }
    }
}

/// Returns a whole log as text.
pub(in crate::ui::tui) fn whole(log: &Scrollback) -> String {
    let mut text = String::new();
    for (
        _,
        LogLine {
            time, text: line, ..
        },
    ) in log.from(0)
    {
        let _ = writeln!(text, "{} {line}", time.strftime("%Y-%m-%dT%H:%M:%SZ"));
    }
    text
}

/// Returns a failure as text.
pub(in crate::ui::tui) fn told(failure: &Failure) -> String {
    let mut text = failure.message.clone();
    for cause in &failure.causes {
        let _ = write!(text, "\n  {cause}");
    }
    if let Some(hint) = &failure.hint {
        let _ = write!(text, "\n-> {hint}");
    }
    text
}
