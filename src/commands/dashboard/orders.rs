//! What is done from the dashboard by other commands: the command line is the one that an operator would type, and it is shown, so that it can be learned.

use clap::Parser;

use super::super::drive::bug;
use super::super::{Session, dispatch};
use crate::cli::Cli;
use crate::model::failure::Failure;
use crate::model::ids::DeploymentName;
use crate::model::text::shell_quoted;
use crate::ui::line::prompt;
use crate::ui::tui::dashboard::Order;

/// Carries out a command about a deployment, with the plain terminal as its screen.
pub(super) fn carry_out(
    session: &Session,
    name: &DeploymentName,
    order: Order,
) -> Result<(), Failure> {
    let mut words: Vec<String> = ["syntho-installer", order.verb(), name.as_str()]
        .map(str::to_owned)
        .into();
    let paint = session.printer.err_paint();
    if order == Order::Upgrade {
        let asked =
            "Release to bring, by its tag or by the path of an image archive (empty goes back):";
        match prompt::text(asked, paint).filter(|typed| !typed.is_empty()) {
            Some(typed) => words.extend(release(&typed)),
            None => return Ok(()),
        }
    }
    let typed: Vec<String> = words.iter().map(|word| shell_quoted(word)).collect();
    session.printer.note(&format!("$ {}", typed.join(" ")));
    let line = Cli::try_parse_from(&words).map_err(|error| bug(&error.to_string()))?;
    dispatch(session, line.command.as_ref()).map(|_| ())
}

/// Returns the arguments that name a release: what is a file is an archive, everything else a tag.
fn release(typed: &str) -> [String; 2] {
    let is_file = fs_err::metadata(typed).is_ok_and(|found| found.is_file());
    let option = if is_file || typed.contains('/') {
        "--bundle"
    } else {
        "--tag"
    };
    [option.to_owned(), typed.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_a_command_line() {
        for order in Order::ALL {
            let mut words = vec!["syntho-installer".to_owned(), order.verb().to_owned()];
            words.push("acme".to_owned());
            if *order == Order::Upgrade {
                words.extend(release("1.10.0"));
            }
            let line = Cli::try_parse_from(&words).unwrap();
            assert!(line.command.is_some(), "{words:?}");
        }
    }

    #[test]
    fn an_archive_is_told_from_a_tag() {
        assert_eq!(release("1.10.0")[0], "--tag");
        assert_eq!(release("/media/usb/next.tar.gz")[0], "--bundle");
        assert_eq!(release("Cargo.toml")[0], "--bundle");
    }
}
