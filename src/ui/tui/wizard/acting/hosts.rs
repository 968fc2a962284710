//! What keys do on the page of hosts, and with the questions that hosts ask.

use super::first_part;
use crate::engine::trial::{Question, Tried};
use crate::model::operator::SecretRequest;
use crate::model::text::visible;
use crate::ui::tui::screen::{Choice, Dialog, Flow};
use crate::ui::tui::widgets::field::{Display, Field as Line};
use crate::ui::tui::wizard::WizardScreen;
use crate::ui::tui::wizard::hosts::request_words;
use crate::ui::tui::wizard::import::Importing;
use crate::ui::tui::wizard::keys::Do;
use crate::ui::tui::wizard::view::{View, first_key};
use crate::wizard::{Key, read_list};

/// Where the operator is while the list is shown.
const LIST: &str = "hosts";

impl WizardScreen {
    /// Opens the page where it was left, and tries hosts that were not tried yet.
    pub(super) fn resume_hosts(&mut self, field: Option<&Key>) {
        let hosts = self.desk.wizard.draft().hosts.iter();
        let untried: Vec<bool> = hosts
            .map(|host| !self.desk.attempts.contains_key(&host.slot))
            .collect();
        for (number, untried) in untried.into_iter().enumerate() {
            if untried {
                self.desk.retry(number);
            }
        }
        let Some(field) = field else { return };
        if let Some((number, _)) = field.host_part() {
            self.show_host(number, field);
        } else if field.as_str() != LIST && self.all.field(field).is_some() {
            self.view = View::Login;
            self.focus(field);
        }
    }

    /// Returns to the list of hosts, with one chosen.
    pub(super) fn show_list(&mut self, number: usize) -> Flow<Do> {
        self.view = View::Page;
        self.form.blur();
        self.list.choose(number);
        self.desk.wizard.stand_at(&Key::new(LIST));
        self.settle();
        Flow::Redraw
    }

    pub(super) fn act_on_hosts(&mut self, action: Do) -> Flow<Do> {
        let count = self.desk.wizard.draft().hosts.len();
        let chosen = match self.view {
            View::Host(slot) => self.desk.number_of(slot),
            _ => self.list.of(count),
        };
        match (action, chosen) {
            (Do::Up, _) => self.list.move_by(-1, count),
            (Do::Down, _) => self.list.move_by(1, count),
            (Do::NextPage, _) => return self.next_page(),
            (Do::PreviousPage | Do::Back, _) => return self.previous_page(),
            (Do::Add, _) | (Do::Enter, None) => {
                let number = self.desk.wizard.add_host();
                return self.edit(number);
            }
            (Do::Enter, Some(number)) => return self.edit(number),
            (Do::Duplicate, Some(number)) => {
                if let Some(copy) = self.desk.wizard.duplicate_host(number) {
                    return self.edit(copy);
                }
            }
            (Do::Remove, Some(number)) => return self.ask_to_remove(number),
            (Do::Import, _) => return self.open_import(),
            (Do::Paste, _) => {
                return Flow::Say(
                    "paste the list now, one host a line: name address user".to_owned(),
                );
            }
            (Do::Try, Some(number)) => self.desk.try_now(number),
            (Do::TryAll, _) => (0..count).for_each(|number| self.desk.try_now(number)),
            (Do::Paths, _) => return self.open_paths(),
            (Do::Login, _) => {
                self.view = View::Login;
                if let Some(key) = first_key(&self.fields()) {
                    self.focus(&key);
                }
            }
            (Do::Role(role), Some(number)) => {
                let role = self.all.roles.get(usize::from(role));
                if let Some(id) = role.map(|role| role.id.clone()) {
                    self.desk.toggle_role(number, id.as_str());
                }
            }
            _ => return Flow::Stay,
        }
        self.settle();
        Flow::Redraw
    }

    /// Opens the parts of a host.
    fn edit(&mut self, number: usize) -> Flow<Do> {
        self.settle();
        if self.show_host(number, &Key::host(number, first_part())) {
            self.settle();
        }
        Flow::Redraw
    }

    /// Shows the parts of a host with one in focus; returns whether there is such a host.
    fn show_host(&mut self, number: usize, field: &Key) -> bool {
        let hosts = &self.desk.wizard.draft().hosts;
        let Some(slot) = hosts.get(number).map(|host| host.slot) else {
            return false;
        };
        self.list.choose(number);
        self.view = View::Host(slot);
        self.focus(field);
        true
    }

    fn ask_to_remove(&mut self, number: usize) -> Flow<Do> {
        let hosts = &self.desk.wizard.draft().hosts;
        let name = hosts.get(number).map_or("", |host| host.name.as_str());
        Flow::Ask(Dialog::confirm(
            "Remove a host",
            vec![format!(
                "Remove `{name}` from the list? Nothing is changed on the machine."
            )],
            "Remove it",
            Do::ReallyRemove,
            "Keep it",
        ))
    }

    pub(super) fn remove(&mut self) -> Flow<Do> {
        let count = self.desk.wizard.draft().hosts.len();
        if let Some(number) = self.list.of(count) {
            self.desk.drop_host(number);
            self.settle();
        }
        Flow::Redraw
    }

    /// Adds the hosts of a pasted list.
    pub(in crate::ui::tui::wizard) fn paste_hosts(&mut self, text: &str) -> Flow<Do> {
        let (hosts, unread) = read_list(text);
        let said = self.add(hosts);
        match unread.first() {
            Some(line) => Flow::Say(format!(
                "{said}; line {}: {}",
                line.line,
                visible(&line.why)
            )),
            None => Flow::Say(said),
        }
    }

    /// Adds hosts, tries them, and says how many.
    fn add(&mut self, hosts: Vec<crate::wizard::Pasted>) -> String {
        let before = self.desk.wizard.draft().hosts.len();
        let added = self.desk.wizard.add_hosts(hosts);
        for number in before..before + added {
            self.desk.retry(number);
        }
        self.settle();
        format!("{} added", crate::ui::amounts::count(added, "host"))
    }

    fn open_import(&mut self) -> Flow<Do> {
        match self.desk.ssh_hosts() {
            Ok(hosts) if hosts.is_empty() => Flow::Say("~/.ssh/config names no host".to_owned()),
            Ok(hosts) => {
                self.importing = Importing::new(hosts);
                self.view = View::Import;
                Flow::Redraw
            }
            Err(failure) => Flow::Say(visible(&failure.message).into_owned()),
        }
    }

    /// Shows who reaches whom; what was found before is shown again.
    fn open_paths(&mut self) -> Flow<Do> {
        if !matches!(self.desk.paths(), Tried::AtWork | Tried::Known(_)) && !self.desk.try_paths() {
            let hosts = &self.desk.wizard.draft().hosts;
            let unknown = hosts
                .iter()
                .filter(|host| self.desk.wizard.facts(host.slot).is_none())
                .map(|host| host.name.as_str());
            let unknown = unknown.collect::<Vec<_>>().join(", ");
            return Flow::Say(format!("first every host must be known: try {unknown}"));
        }
        self.view = View::Paths;
        self.scroll = 0;
        Flow::Redraw
    }

    pub(super) fn act_on_paths(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Up => self.scroll = self.scroll.saturating_sub(1),
            Do::Down => self.scroll = self.scroll.saturating_add(1),
            Do::Paths => {
                self.desk.try_paths();
            }
            Do::Back => {
                self.view = View::Page;
                self.scroll = 0;
            }
            _ => return Flow::Stay,
        }
        Flow::Redraw
    }

    pub(super) fn act_on_import(&mut self, action: Do) -> Flow<Do> {
        let count = self.importing.hosts.len();
        match action {
            Do::Up => self.importing.list.move_by(-1, count),
            Do::Down => self.importing.list.move_by(1, count),
            Do::Toggle => self.importing.toggle(),
            Do::Enter => {
                let chosen = self.importing.chosen();
                self.view = View::Page;
                return Flow::Say(self.add(chosen));
            }
            Do::Back => self.view = View::Page,
            _ => return Flow::Stay,
        }
        Flow::Redraw
    }

    /// Opens the question that waits.
    pub(super) fn open_question(&mut self) -> Flow<Do> {
        match &self.question {
            None => Flow::Stay,
            Some((_, Question::HostKey(key, _))) => Flow::Ask(Dialog {
                title: format!("A new key of {}", key.host),
                lines: vec![
                    format!("{} shows a key that is not on record:", visible(&key.address)),
                    String::new(),
                    format!("{} {}", visible(&key.algorithm), visible(&key.fingerprint)),
                    String::new(),
                    "Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the host's console. It is remembered in known_hosts.".to_owned(),
                ],
                choices: vec![
                    Choice { key: 'y', label: "It is the host's own".to_owned(), action: Some(Do::Trust) },
                    Choice { key: 'n', label: "It is not, stop".to_owned(), action: Some(Do::Distrust) },
                    Choice { key: 'l', label: "Later".to_owned(), action: None },
                ],
                chosen: 2,
            }),
            Some((_, Question::Secret(request, _))) => {
                let prompt = request_words(request);
                let mut chars = prompt.chars();
                let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
                let prompt = first.unwrap_or_default() + chars.as_str();
                self.view = View::Secret(Line::new("", Display::Masked), prompt);
                self.form.blur();
                Flow::Redraw
            }
        }
    }

    /// Says whether a host key is the host's own.
    pub(super) fn reply_key(&mut self, own: bool) -> Flow<Do> {
        if let Some((_, Question::HostKey(_, reply))) = self.question.take() {
            // Whoever asked may have been called off in the meantime.
            let _ = reply.send(own);
        }
        Flow::Redraw
    }

    /// Gives the secret that a host asks for, or none.
    pub(super) fn act_on_secret(&mut self, action: Do) -> Flow<Do> {
        let View::Secret(line, _) = &mut self.view else {
            return Flow::Stay;
        };
        let given = match action {
            Do::Show => {
                line.show(self.now);
                return Flow::Redraw;
            }
            Do::Enter if !line.is_empty() => {
                Some(secrecy::SecretString::from(line.text().to_owned()))
            }
            Do::Enter | Do::Back => None,
            _ => return Flow::Stay,
        };
        if let Some((_, Question::Secret(request, reply))) = self.question.take() {
            if let Some(value) = &given {
                remember(self, &request, value);
            }
            // Whoever asked may have been called off in the meantime.
            let _ = reply.send(given);
        }
        self.resume();
        Flow::Redraw
    }
}

/// Keeps a password for the other hosts; what a server asks in its own words belongs to that server alone.
fn remember(screen: &mut WizardScreen, request: &SecretRequest, value: &secrecy::SecretString) {
    let id = match request {
        SecretRequest::SshPassword { .. } => "ssh-password",
        SecretRequest::KeyPassphrase { .. } => "ssh-passphrase",
        SecretRequest::SudoPassword { .. } => "sudo-password",
        SecretRequest::Interactive { .. } => return,
    };
    screen.desk.remember(id, value);
}
