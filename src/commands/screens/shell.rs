//! The programs that open a shell on each host, as the installer itself logs in there.

use std::collections::BTreeMap;

use crate::engine::planner;
use crate::engine::session::Job;
use crate::model::deployment::{Deployment, HostSettings};
use crate::model::ids::HostName;

/// An address that means this machine.
const LOCAL: &str = "local";

/// Returns the fingerprints that the answers name.
pub(super) fn host_keys(job: &Job) -> BTreeMap<HostName, String> {
    let hosts = job.deployment.hosts.iter();
    hosts
        .filter_map(|host| Some((host.name.clone(), host.host_key.clone()?)))
        .collect()
}

/// Returns the program that opens a shell on each host.
pub(in crate::commands) fn shells(
    deployment: &Deployment,
    folder: &camino::Utf8Path,
) -> BTreeMap<HostName, Vec<String>> {
    deployment
        .hosts
        .iter()
        .map(|host| (host.name.clone(), shell(deployment, host, folder)))
        .collect()
}

/// Returns the program that opens a shell on a host, as the installer itself logs in there.
fn shell(deployment: &Deployment, host: &HostSettings, folder: &camino::Utf8Path) -> Vec<String> {
    let there = planner::folder(&deployment.base_folder, &deployment.name);
    let there =
        shlex::try_quote(&there).map_or_else(|_| ".".to_owned(), std::borrow::Cow::into_owned);
    // The folder is there only once something was deployed; the shell opens all the same.
    let enter = format!("cd {there} 2>/dev/null; exec \"${{SHELL:-/bin/sh}}\" -l");
    if host.address == LOCAL {
        return ["sh", "-c", &enter].map(str::to_owned).to_vec();
    }
    let login = &host.login;
    let mut command = vec!["ssh".to_owned(), "-t".to_owned()];
    if let Some(port) = login.port {
        command.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(key) = &login.key {
        let key = if key.as_str().starts_with('~') {
            key.clone()
        } else {
            folder.join(key)
        };
        command.extend(["-i".to_owned(), key.to_string()]);
    }
    if let Some(jump) = &login.jump {
        command.extend(["-J".to_owned(), jump.clone()]);
    }
    if let Some(user) = &login.user {
        command.extend(["-l".to_owned(), user.clone()]);
    }
    // No option may hide in an address.
    command.extend(["--".to_owned(), host.address.clone(), enter]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::answers::SshSection;
    use crate::model::sample;
    use crate::presets::Presets;

    fn shell_of(address: &str, login: SshSection) -> Vec<String> {
        let presets = Presets::new(None);
        let id = presets.ids().remove(0);
        let preset = presets.load(&id).unwrap();
        let deployment = sample::deployment(&preset, &BTreeMap::new()).unwrap();
        let host = HostSettings {
            name: "node-1".parse().unwrap(),
            address: address.to_owned(),
            private_address: None,
            roles: Vec::new(),
            host_key: None,
            login,
        };
        shell(&deployment, &host, camino::Utf8Path::new("/home/op/acme"))
    }

    #[test]
    fn a_shell_logs_in_as_the_installer_does() {
        let login = SshSection {
            user: Some("deploy".to_owned()),
            port: Some(2222),
            key: Some("keys/id".into()),
            jump: Some("ops@bastion:22".to_owned()),
            sudo: None,
        };
        let command = shell_of("10.0.0.12", login);
        let (last, options) = command.split_last().unwrap();
        assert_eq!(
            options.join(" "),
            "ssh -t -p 2222 -i /home/op/acme/keys/id -J ops@bastion:22 -l deploy -- 10.0.0.12"
        );
        assert!(
            last.starts_with("cd /opt/syntho/sample 2>/dev/null; exec"),
            "{last}"
        );
    }

    #[test]
    fn a_shell_on_this_machine_needs_no_login() {
        let command = shell_of("local", SshSection::default());
        assert_eq!(command[0], "sh");
    }
}
