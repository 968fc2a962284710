//! The login of a registry and whom to believe, from the command line, the environment, or the operator.

use camino::Utf8Path;
use secrecy::SecretString;

use crate::commands::Session;
use crate::images::ImagesError;
use crate::images::client::Access;
use crate::model::failure::Failure;
use crate::model::ids::QuestionId;
use crate::model::secret::variable_of;
use crate::report::usage;
use crate::ui::line::prompt;

/// The id of the secret, as in an answers file.
const SECRET: &str = "registry-password";

/// Returns how `registry` is to be asked.
///
/// # Errors
/// Fails when a password is needed and nobody gives it, or the authority's file cannot be read.
pub(super) fn access(
    session: &Session,
    registry: &str,
    username: Option<&str>,
    ca: Option<&Utf8Path>,
) -> Result<Access, Failure> {
    let authorities = match ca {
        None => None,
        Some(path) => Some(fs_err::read(path).map_err(|error| ImagesError::Unreadable {
            path: path.to_string(),
            detail: error.to_string(),
        })?),
    };
    let login = match username {
        None => None,
        Some(user) => Some((user.to_owned(), password(session, registry, user)?)),
    };
    Ok(Access {
        registry: registry.to_owned(),
        login,
        authorities,
        proxy: None,
    })
}

fn password(session: &Session, registry: &str, user: &str) -> Result<SecretString, Failure> {
    let id: QuestionId = SECRET
        .parse()
        .map_err(|_| crate::commands::drive::bug("the name of a secret is broken"))?;
    let variable = variable_of(&id);
    if let Ok(value) = std::env::var(&variable)
        && !value.is_empty()
    {
        return Ok(value.into());
    }
    let missing = || {
        usage(
            format!("the password of `{user}` at {registry} is missing"),
            format!("set `{variable}`, or run this on a terminal, where it is asked for"),
        )
    };
    if !session.printer.can_ask() {
        return Err(missing());
    }
    let asked = prompt::secret(
        &format!("Password of {user} at {registry}:"),
        session.printer.err_paint(),
    );
    asked.ok_or_else(missing)
}
