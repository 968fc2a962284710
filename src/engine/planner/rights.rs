//! Whose rights are used on each host: one choice for files and for Compose, so that who writes a file can read it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::action::Rights;
use crate::engine::runner::Links;
use crate::model::answers::SudoUse;
use crate::model::facts::{HostFacts, RootAccess};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::transport::{Command, Host, TransportError};

/// Finds out for every host, all at once; a host that fails is named with why.
///
/// # Errors
/// Fails with one failure for each host that could not be asked.
pub fn rights(
    facts: &BTreeMap<HostName, HostFacts>,
    sudo: &BTreeMap<HostName, SudoUse>,
    links: &dyn Links,
    folder: &str,
) -> Result<BTreeMap<HostName, Rights>, Vec<Failure>> {
    let found: Vec<(HostName, Result<Rights, TransportError>)> = std::thread::scope(|scope| {
        let asking: Vec<_> = facts
            .iter()
            .map(|(name, facts)| {
                let sudo = sudo.get(name).copied().unwrap_or_default();
                let ask = move || choose(facts, sudo, links.host(name)?.as_ref(), folder);
                (name, scope.spawn(ask))
            })
            .collect();
        let broke_off = || TransportError::Lost {
            detail: "asking it broke off".to_owned(),
        };
        asking
            .into_iter()
            .map(|(name, asking)| {
                let answer = asking.join().unwrap_or_else(|_| Err(broke_off()));
                (name.clone(), answer)
            })
            .collect()
    });
    let mut rights = BTreeMap::new();
    let mut failures = Vec::new();
    for (name, found) in found {
        match found {
            Ok(of_host) => {
                rights.insert(name, of_host);
            }
            Err(error) => failures.push(Failure::from_error(&error).on(&name)),
        }
    }
    if failures.is_empty() {
        Ok(rights)
    } else {
        Err(failures)
    }
}

fn choose(
    facts: &HostFacts,
    sudo: SudoUse,
    host: &dyn Host,
    folder: &str,
) -> Result<Rights, TransportError> {
    let can_be_root = matches!(
        facts.user.root,
        RootAccess::Passwordless | RootAccess::Password
    );
    Ok(match (can_be_root, sudo) {
        (false, _) | (_, SudoUse::Never) => Rights::Login,
        (true, SudoUse::Always) => Rights::Root,
        (true, SudoUse::Auto) => {
            let reaches_docker = facts.docker.as_ref().is_some_and(|docker| docker.as_user);
            if reaches_docker && may_write(host, folder)? {
                Rights::Login
            } else {
                Rights::Root
            }
        }
    })
}

/// Returns whether the login owns `folder` and may write there, or may make it where it is missing.
fn may_write(host: &dyn Host, folder: &str) -> Result<bool, TransportError> {
    let folder = shlex::try_quote(folder).map_err(|_| TransportError::Unquotable)?;
    let script = format!(
        "p={folder}\n\
         if [ -e \"$p\" ]; then [ -O \"$p\" ] && [ -w \"$p\" ] && echo yes; exit 0; fi\n\
         while [ ! -e \"$p\" ]; do p=$(dirname \"$p\"); done\n\
         [ -d \"$p\" ] && [ -w \"$p\" ] && echo yes; exit 0"
    );
    let command = Command::sh(script).within(Duration::from_secs(20));
    Ok(host.must(&command)?.text() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::Machine;

    #[test]
    fn a_missing_folder_is_writable_where_its_nearest_parent_is() {
        let machine = Machine::new();
        assert!(may_write(machine.host.as_ref(), &machine.path("a/b/c")).unwrap());
        assert!(may_write(machine.host.as_ref(), &machine.path("bin")).unwrap());
        assert!(!may_write(machine.host.as_ref(), "/dev/null/here").unwrap());
    }
}
