//! How a line is asked for: by inquire on a terminal, by a script in tests.

use inquire::ui::RenderConfig;
use inquire::{InquireError, Password, PasswordDisplayMode, Text};
use secrecy::SecretString;

use crate::report::{Paint, Printer};
use crate::ui::channel::Ask;
use std::sync::Arc;

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T = String> {
    /// This.
    Text(T),
    /// Esc: one question back.
    Back,
    /// Ctrl-C, or nobody is there any more.
    Leave,
}

/// Asks one line at a time.
pub trait Asker {
    /// Says a line.
    fn say(&mut self, line: &str);

    /// Asks for a line; nothing but Enter gives the default.
    fn text(&mut self, prompt: &str, default: Option<&str>) -> Reply;

    /// Asks for a secret; what is typed shows as stars.
    fn secret(&mut self, prompt: &str) -> Reply<SecretString>;

    /// Puts a question that came up while a host is tried.
    fn put(&mut self, ask: &Ask);
}

/// Asks with inquire.
pub struct InquireAsker {
    printer: Arc<Printer>,
    paint: Paint,
}

impl std::fmt::Debug for InquireAsker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InquireAsker")
    }
}

impl InquireAsker {
    /// Asks on the terminal that `printer` writes to.
    #[must_use]
    pub fn new(printer: Arc<Printer>) -> Self {
        let paint = printer.err_paint();
        Self { printer, paint }
    }

    fn looks(&self) -> RenderConfig<'static> {
        super::super::prompt::looks(self.paint)
    }
}

fn reply<T>(answer: Result<T, InquireError>) -> Reply<T> {
    match answer {
        Ok(answer) => Reply::Text(answer),
        Err(InquireError::OperationCanceled) => Reply::Back,
        Err(InquireError::OperationInterrupted) => Reply::Leave,
        Err(error) => {
            tracing::warn!(%error, "a question could not be asked");
            Reply::Leave
        }
    }
}

impl Asker for InquireAsker {
    fn say(&mut self, line: &str) {
        self.printer.note(line);
    }

    fn text(&mut self, prompt: &str, default: Option<&str>) -> Reply {
        let prompt = match default {
            Some(default) => format!("{prompt} [{default}]:"),
            None => format!("{prompt}:"),
        };
        let typed = Text::new(&prompt).with_render_config(self.looks()).prompt();
        match (reply(typed), default) {
            (Reply::Text(text), Some(default)) if text.trim().is_empty() => {
                Reply::Text(default.to_owned())
            }
            (reply, _) => reply,
        }
    }

    fn secret(&mut self, prompt: &str) -> Reply<SecretString> {
        let prompt = format!("{prompt}:");
        let typed = Password::new(&prompt)
            .with_render_config(self.looks())
            .with_display_mode(PasswordDisplayMode::Masked)
            .without_confirmation()
            .prompt();
        match reply(typed) {
            Reply::Text(text) => Reply::Text(text.into()),
            Reply::Back => Reply::Back,
            Reply::Leave => Reply::Leave,
        }
    }

    fn put(&mut self, ask: &Ask) {
        let printer = Arc::clone(&self.printer);
        super::super::prompt::answer(ask, self.paint, &mut |line| printer.note(line));
    }
}
