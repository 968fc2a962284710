//! Questions on a terminal. Without one nothing here is called: nobody would be there to answer.
//!
//! What a host or a server says is made visible before it is shown as a prompt, and what is typed as a secret is shown as stars and kept as a secret.

use inquire::ui::RenderConfig;
use inquire::{Confirm, Password, PasswordDisplayMode, Select};
use secrecy::SecretString;

use super::review::{Files, plan};
use super::voice::Show;
use crate::model::operator::{SecretRequest, UnknownHostKey};
use crate::model::plan::StepSummary;
use crate::model::text::visible;
use crate::report::Paint;
use crate::ui::channel::Ask;

/// Answers of the review.
const YES: &str = "Yes, make these changes";
const FILES: &str = "Show every file in full first";
const NO: &str = "No, change nothing";

/// Puts a question to the operator and sends the answer back; `out` shows what is to be read before it.
pub(super) fn answer(ask: &Ask, paint: Paint, out: Show<'_>) {
    // Whoever asked may have been cancelled in the meantime; then nobody waits for the answer.
    match ask {
        Ask::HostKey(key, reply) => {
            let _ = reply.send(host_key(key, paint, out));
        }
        Ask::Secret(request, reply) => {
            let _ = reply.send(secret(&wanted(request), paint));
        }
        Ask::Review(steps, reply) => {
            let _ = reply.send(review(steps, paint, out));
        }
        Ask::Word(wanted, reply) => {
            let _ = reply.send(word(wanted, paint));
        }
    }
}

/// Asks for a secret under this name; what is typed shows as stars. Returns `None` when the operator leaves.
#[must_use]
pub fn secret(prompt: &str, paint: Paint) -> Option<SecretString> {
    let typed = Password::new(prompt)
        .with_render_config(looks(paint))
        .with_display_mode(PasswordDisplayMode::Masked)
        .without_confirmation()
        .prompt();
    kept(typed).map(SecretString::from)
}

/// Asks for a line, without the space around it. Returns `None` when the operator leaves.
#[must_use]
pub fn text(prompt: &str, paint: Paint) -> Option<String> {
    let typed = inquire::Text::new(prompt)
        .with_render_config(looks(paint))
        .prompt();
    kept(typed).map(|typed| typed.trim().to_owned())
}

/// Waits until the operator presses Enter, or leaves.
pub fn wait(prompt: &str, paint: Paint) {
    let typed = inquire::Text::new(prompt)
        .with_render_config(looks(paint))
        .prompt();
    // Leaving is as good as Enter.
    let _ = kept(typed);
}

/// Shows a key nobody has vouched for and asks whether it is the host's own.
fn host_key(key: &UnknownHostKey, paint: Paint, out: Show<'_>) -> bool {
    for line in host_key_lines(key) {
        out(&line);
    }
    let answer = Confirm::new("Is this the key of that host?")
        .with_render_config(looks(paint))
        .with_default(false)
        .with_help_message("compare it with what `ssh-keygen -lf` says on the host's console")
        .prompt();
    kept(answer).unwrap_or(false)
}

/// Returns what is to be read before a host key is accepted.
pub(in crate::ui) fn host_key_lines(key: &UnknownHostKey) -> [String; 2] {
    [
        format!(
            "{} ({}) shows a key that is not on record:",
            key.host,
            visible(&key.address)
        ),
        format!(
            "  {} {}",
            visible(&key.algorithm),
            visible(&key.fingerprint)
        ),
    ]
}

/// Shows the plan and asks whether it is accepted.
fn review(steps: &[StepSummary], paint: Paint, out: Show<'_>) -> bool {
    let mut files = Files::Changes;
    loop {
        for line in plan(steps, files, paint) {
            out(&line);
        }
        let choices = match files {
            Files::Changes => vec![YES, FILES, NO],
            Files::Everything => vec![YES, NO],
        };
        let answer = Select::new("Nothing was changed so far. Go on?", choices)
            .with_render_config(looks(paint))
            .prompt();
        match kept(answer) {
            Some(YES) => return true,
            Some(FILES) => files = Files::Everything,
            _ => return false,
        }
    }
}

/// Asks for a word that stands for something that nothing brings back.
fn word(wanted: &str, paint: Paint) -> bool {
    let typed = inquire::Text::new(&format!(
        "Data will be deleted, and nothing brings it back. Type `{wanted}` to go on:"
    ))
    .with_render_config(looks(paint))
    .prompt();
    kept(typed).is_some_and(|typed| typed.trim() == wanted)
}

/// Returns what is asked for, in words.
pub(in crate::ui) fn wanted(request: &SecretRequest) -> String {
    match request {
        SecretRequest::SshPassword { host, user } => {
            format!("Password of {} on {host}:", visible(user))
        }
        SecretRequest::KeyPassphrase { host, path } => {
            format!("Passphrase of the key {} (for {host}):", visible(path))
        }
        SecretRequest::Interactive { host, prompt } => {
            format!("{host} asks: {}", visible(prompt.trim_end()))
        }
        SecretRequest::SudoPassword { host, user } => {
            format!("Password that sudo wants from {} on {host}:", visible(user))
        }
    }
}

/// Returns an answer, or `None` when the operator left the question; other trouble goes to the log.
fn kept<T>(answer: inquire::error::InquireResult<T>) -> Option<T> {
    use inquire::InquireError::{OperationCanceled, OperationInterrupted};
    match answer {
        Ok(answer) => Some(answer),
        Err(OperationCanceled | OperationInterrupted) => None,
        Err(error) => {
            tracing::warn!(%error, "a question could not be asked");
            None
        }
    }
}

/// Returns inquire's colours, or none.
pub(super) fn looks(paint: Paint) -> RenderConfig<'static> {
    if paint.is_on() {
        RenderConfig::default_colored()
    } else {
        RenderConfig::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_smuggle_control_sequences_into_a_prompt() {
        let request = SecretRequest::Interactive {
            host: "ui".parse().unwrap(),
            prompt: "\u{1b}[2JVerification code: ".to_owned(),
        };
        assert_eq!(wanted(&request), "ui asks: ␛[2JVerification code:");
    }

    #[test]
    fn a_host_key_is_shown_with_its_fingerprint() {
        let key = UnknownHostKey {
            host: "ui".parse().unwrap(),
            address: "10.0.0.11:22".to_owned(),
            algorithm: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:abc".to_owned(),
        };
        insta::assert_snapshot!(host_key_lines(&key).join("\n"), @r"
        ui (10.0.0.11:22) shows a key that is not on record:
          ssh-ed25519 SHA256:abc
        ");
    }
}
