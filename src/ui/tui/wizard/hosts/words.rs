//! What a host asks, and how root's rights can be had on it, in words.

use crate::engine::trial::Question;
use crate::model::facts::RootAccess;
use crate::model::operator::SecretRequest;
use crate::model::text::visible;
use crate::ui::desk::Desk;

/// Returns how root's rights can be had, in words.
pub(super) fn root_words(root: RootAccess) -> &'static str {
    match root {
        RootAccess::IsRoot => "the login is root",
        RootAccess::Passwordless => "sudo asks for nothing",
        RootAccess::Password => "sudo works with the password given",
        RootAccess::PasswordMissing => "sudo wants a password: l gives it for every host",
        RootAccess::None => "the login has no way to root's rights",
    }
}

/// Returns what a host asks, in one line.
pub(in crate::ui::tui::wizard) fn question_words(
    desk: &Desk,
    slot: u64,
    question: &Question,
) -> String {
    let number = desk.number_of(slot);
    let host = number.and_then(|number| desk.wizard.draft().hosts.get(number));
    let name = host.map_or("a host", |host| host.name.as_str());
    match question {
        Question::HostKey(..) => format!("{name} shows a key that is not on record"),
        Question::Secret(request, _) => format!("{name} wants {}", request_words(request)),
    }
}

/// Returns what is asked for.
pub(in crate::ui::tui::wizard) fn request_words(request: &SecretRequest) -> String {
    match request {
        SecretRequest::SshPassword { user, .. } => format!("the password of {}", visible(user)),
        SecretRequest::KeyPassphrase { path, .. } => {
            format!("the passphrase of the key {}", visible(path))
        }
        SecretRequest::Interactive { prompt, .. } => {
            format!("an answer to: {}", visible(prompt.trim_end()))
        }
        SecretRequest::SudoPassword { user, .. } => {
            format!("the password of {} for sudo", visible(user))
        }
    }
}
