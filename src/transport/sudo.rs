//! Root's rights by sudo: how they are found out, and how a [`Command`] becomes the line that a login shell runs.
//!
//! The password travels as the first line of standard input. Our root script then drops every line up to a one-time mark, so the payload
//! sees its own input and nothing else, whether sudo asked or not; no prompt is ever recognised, in any language or implementation of sudo.
//! Both transports call this; it opens no connection itself.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{Command, ConnectSpec, Exit, Input, Output, Privilege, TransportError};
use crate::model::answers::SudoUse;
use crate::model::facts::RootAccess;
use crate::model::operator::{Operator, SecretRequest};

mod quote;
mod refusal;
#[cfg(test)]
mod tests;

/// A prompt that shows nothing. `-p` would be plainer, but sudo-rs knows it only lately, and an empty variable means "the default" to sudo.
const PROMPT: &str = "SUDO_PROMPT=' '";

/// Administrators' programs are outside the path of many logins and of sudo's `secure_path`.
const PREAMBLE: &str = "LC_ALL=C; PATH=\"$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"; export LC_ALL PATH; ";

/// Exit statuses of our own scripts, chosen so that sudo and shells do not use them.
mod status {
    /// The mark never came.
    pub(super) const NO_MARK: i32 = 121;
    /// The login is root.
    pub(super) const ROOT: i32 = 122;
    /// There is no sudo.
    pub(super) const NO_SUDO: i32 = 123;
    /// sudo ran what it was given.
    pub(super) const RAN: i32 = 124;
}

/// A command made ready for a login shell.
#[derive(Debug)]
pub(crate) struct Wrapped {
    /// One line for the login shell, whichever shell that is; holds no secret.
    pub script: String,
    /// What goes to standard input before the command's own input.
    pub prefix: Option<SecretString>,
}

/// Makes a command ready for a login shell, with sudo where it wants root's rights and the login has not got them.
///
/// `nonce` marks where the command's own input begins; it must be new for each call and hold letters and digits only.
///
/// # Errors
/// Fails when root's rights are wanted and cannot be had.
pub(crate) fn wrap(
    command: &Command,
    access: RootAccess,
    password: Option<&SecretString>,
    nonce: &str,
) -> Result<Wrapped, TransportError> {
    let plain = || Wrapped {
        script: shell("", &command.script),
        prefix: None,
    };
    match (command.privilege, access) {
        (Privilege::User, _) | (Privilege::Root, RootAccess::IsRoot) => Ok(plain()),
        (Privilege::Root, RootAccess::Passwordless) => Ok(Wrapped {
            script: shell("sudo -n", &command.script),
            prefix: None,
        }),
        (Privilege::Root, RootAccess::Password) => {
            let password = password.ok_or_else(|| sudo_error("its password is not at hand"))?;
            let skip = format!(
                "while :; do IFS= read -r line || exit {}; [ \"$line\" = {nonce} ] && break; done; unset line\n",
                status::NO_MARK
            );
            Ok(Wrapped {
                script: shell(
                    &format!("{PROMPT} sudo -S"),
                    &format!("{skip}{}", command.script),
                ),
                prefix: Some(format!("{}\n{nonce}\n", password_line(password)?).into()),
            })
        }
        (Privilege::Root, RootAccess::PasswordMissing) => Err(sudo_error(
            "sudo wants a password, and none that works was given",
        )),
        (Privilege::Root, RootAccess::None) => Err(sudo_error(
            "the login is not root and there is no sudo that it may use",
        )),
    }
}

/// Finds out how root's rights can be had; a password is tried exactly once, so that no account gets locked.
///
/// `run` must run the command with the login's own rights and outside a terminal.
///
/// # Errors
/// Fails when a command cannot be run, and with [`TransportError::Sudo`] when sudo refuses us although a password was given or none would
/// help; the detail says whether the password is wrong, the user is not in sudoers, or sudo insists on a terminal.
pub(crate) fn probe(
    run: &mut dyn FnMut(&Command) -> Result<Output, TransportError>,
    password: Option<&SecretString>,
) -> Result<RootAccess, TransportError> {
    let first = run(&Command::sh(format!(
        "[ \"$(id -u)\" = 0 ] && exit {root}\ncommand -v sudo >/dev/null 2>&1 || exit {none}\nexec sudo -k -n sh -c 'exit {ran}' </dev/null",
        root = status::ROOT,
        none = status::NO_SUDO,
        ran = status::RAN,
    )))?;
    match first.exit {
        Exit::Code(status::ROOT) => return Ok(RootAccess::IsRoot),
        Exit::Code(status::NO_SUDO) => return Ok(RootAccess::None),
        Exit::Code(status::RAN) => return Ok(RootAccess::Passwordless),
        _ => {}
    }
    if let Some(reason) = refusal::hopeless(&first.complaint()) {
        return Err(sudo_error(reason));
    }
    let Some(password) = password else {
        return Ok(RootAccess::PasswordMissing);
    };
    let line = format!("{}\n", password_line(password)?);
    let second = run(&Command::sh(format!(
        "sudo -V </dev/null 2>&1\nexec env {PROMPT} sudo -k -S sh -c 'exit {}'",
        status::RAN
    ))
    .with_input(Input::Secret(line.into()))
    .within(Duration::from_secs(90)))?;
    if second.exit != Exit::Code(status::RAN) {
        return Err(sudo_error(refusal::explain(&second.complaint())));
    }
    if second.text().contains("sudo-rs") {
        leaves_the_rest(run, password)?;
    }
    Ok(RootAccess::Password)
}

/// Makes sure that sudo reads no further than the password: sudo-rs before 0.2.6 or so takes all that is there.
fn leaves_the_rest(
    run: &mut dyn FnMut(&Command) -> Result<Output, TransportError>,
    password: &SecretString,
) -> Result<(), TransportError> {
    let mut inner = Command::sh("exit 0");
    inner.privilege = Privilege::Root;
    let wrapped = wrap(&inner, RootAccess::Password, Some(password), "mark")?;
    let mut outer = Command::sh(wrapped.script);
    outer.input = wrapped.prefix.map_or(Input::Empty, Input::Secret);
    match run(&outer)?.exit {
        Exit::Code(status::NO_MARK) => Err(sudo_error(
            "this sudo-rs swallows what comes after the password; it takes a newer one, or NOPASSWD in sudoers",
        )),
        _ => Ok(()),
    }
}

/// What is known of root's rights on one host, for as long as its connection lives.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// How root's rights can be had.
    pub access: RootAccess,
    password: Option<SecretString>,
    refusal: Option<String>,
    everything: bool,
}

impl Root {
    /// Finds out how root's rights can be had, asking the operator for a password when sudo wants one; a refusal is kept for later.
    ///
    /// # Errors
    /// Fails when a command cannot be run; sudo's refusal is no error until root's rights are wanted.
    pub(crate) fn find(
        run: &mut dyn FnMut(&Command) -> Result<Output, TransportError>,
        spec: &ConnectSpec,
        user: &str,
        operator: &dyn Operator,
    ) -> Result<Self, TransportError> {
        let sudo = spec.login.sudo.unwrap_or_default();
        let mut root = Self {
            access: RootAccess::None,
            password: spec.sudo_password.clone(),
            refusal: None,
            everything: sudo == SudoUse::Always,
        };
        if sudo == SudoUse::Never {
            let output = run(&Command::sh("exec id -u"))?;
            if output.text() == "0" {
                root.access = RootAccess::IsRoot;
            } else {
                root.refusal = Some("the settings say `sudo = \"never\"`".to_owned());
            }
            return Ok(root);
        }
        root.note(probe(run, root.password.as_ref()))?;
        if root.access == RootAccess::PasswordMissing && root.password.is_none() {
            root.password = operator.secret(&SecretRequest::SudoPassword {
                host: spec.host.clone(),
                user: user.to_owned(),
            });
            if root.password.is_some() {
                root.note(probe(run, root.password.as_ref()))?;
            }
        }
        Ok(root)
    }

    /// Makes a command ready for a login shell, with these rights.
    ///
    /// # Errors
    /// Fails when root's rights are wanted and cannot be had; the detail is sudo's own reason where it gave one.
    pub(crate) fn wrap(&self, command: &Command, nonce: &str) -> Result<Wrapped, TransportError> {
        let mut command = command.clone();
        if self.everything {
            command.privilege = Privilege::Root;
        }
        wrap(&command, self.access, self.password.as_ref(), nonce).map_err(|error| {
            match (&error, &self.refusal) {
                (TransportError::Sudo { .. }, Some(reason)) => sudo_error(reason),
                _ => error,
            }
        })
    }

    fn note(&mut self, found: Result<RootAccess, TransportError>) -> Result<(), TransportError> {
        match found {
            Ok(access) => self.access = access,
            Err(TransportError::Sudo { detail }) => {
                self.access = if refusal::of_password(&detail) {
                    RootAccess::PasswordMissing
                } else {
                    RootAccess::None
                };
                self.refusal = Some(detail);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Returns the line that runs `script` with POSIX sh behind `runner`, for whatever shell the login has.
fn shell(runner: &str, script: &str) -> String {
    let script = quote::for_any_shell(&format!("{PREAMBLE}{script}"));
    let space = if runner.is_empty() { "" } else { " " };
    format!("exec env LC_ALL=C {runner}{space}sh -c {script}")
}

fn password_line(password: &SecretString) -> Result<&str, TransportError> {
    let text = password.expose_secret();
    if text.contains(['\n', '\r', '\0']) {
        return Err(sudo_error("the sudo password holds a line break"));
    }
    Ok(text)
}

fn sudo_error(detail: impl Into<String>) -> TransportError {
    TransportError::Sudo {
        detail: detail.into(),
    }
}
