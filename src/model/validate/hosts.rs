//! Hosts held against the preset's roles, and against each other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::answers::{AnswersFile, HostSection, SshSection};
use crate::model::deployment::HostSettings;
use crate::model::fault::Fault;
use crate::model::preset::{Preset, Role};
use crate::model::rules::{Files, problem_of_host};
use crate::model::suggest;

/// Checks all hosts and returns them with their login merged.
pub(super) fn check(
    file: &AnswersFile,
    preset: &Preset,
    files: &dyn Files,
    faults: &mut Vec<Fault>,
) -> Vec<HostSettings> {
    let roles: Vec<&str> = preset.roles.iter().map(|role| role.id.as_str()).collect();
    for (number, host) in file.hosts.iter().enumerate() {
        let at = |key: &str| format!("hosts[{number}].{key}");
        check_address(host, &at, faults);
        check_roles(host, &roles, &at, faults);
        check_host_key(host, &at, faults);
        check_login(
            &file.ssh.for_host(host),
            &format!("hosts[{number}]"),
            file,
            faults,
        );
    }
    check_duplicates(file, faults);
    for role in &preset.roles {
        check_count(file, role, faults);
    }
    file.hosts
        .iter()
        .map(|host| settings(file, host, files))
        .collect()
}

fn settings(file: &AnswersFile, host: &HostSection, files: &dyn Files) -> HostSettings {
    let mut login = file.ssh.for_host(host);
    login.key = login.key.map(|key| files.locate(key.as_str()).into());
    HostSettings {
        name: host.name.clone(),
        address: host.address.clone(),
        private_address: host.private_address.clone(),
        roles: host.roles.clone(),
        host_key: host.host_key.clone(),
        login,
    }
}

fn check_address(host: &HostSection, at: &dyn Fn(&str) -> String, faults: &mut Vec<Fault>) {
    // An alias of `~/.ssh/config` may hold underscores.
    let alias = host.address.replace('_', "-");
    if let Some(problem) = problem_of_host(&alias) {
        let message = format!("{problem}; user and port have keys of their own");
        faults.push(Fault::new(at("address"), message).example("address = \"10.0.0.11\""));
    }
    let Some(private) = &host.private_address else {
        return;
    };
    let problem = match private.parse::<IpAddr>() {
        Err(_) => Some("must be an IP address: programs on the other hosts connect to it"),
        Ok(address) if address.is_loopback() => {
            Some("is a loopback address, which the other hosts cannot reach")
        }
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            Some("is not the address of one host")
        }
        Ok(_) => None,
    };
    if let Some(problem) = problem {
        faults.push(
            Fault::new(at("private-address"), problem).example("private-address = \"10.0.0.11\""),
        );
    }
}

fn check_roles(
    host: &HostSection,
    known: &[&str],
    at: &dyn Fn(&str) -> String,
    faults: &mut Vec<Fault>,
) {
    let example = || {
        format!(
            "roles = [\"{}\"]",
            known.first().copied().unwrap_or_default()
        )
    };
    if host.roles.is_empty() {
        faults.push(Fault::new(at("roles"), "must name at least one role").example(example()));
    }
    for (number, role) in host.roles.iter().enumerate() {
        if !known.contains(&role.as_str()) {
            let message = format!(
                "`{role}` is not a role of this preset; {}",
                suggest::advice(role.as_str(), known)
            );
            faults.push(Fault::new(at("roles"), message).example(example()));
        } else if host.roles[..number].contains(role) {
            faults
                .push(Fault::new(at("roles"), format!("names `{role}` twice")).example(example()));
        }
    }
}

fn check_host_key(host: &HostSection, at: &dyn Fn(&str) -> String, faults: &mut Vec<Fault>) {
    let Some(key) = &host.host_key else { return };
    let good = key.strip_prefix("SHA256:").is_some_and(|digest| {
        digest.len() == 43
            && digest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/')
    });
    if !good {
        let message = "must be a SHA256 fingerprint as `ssh-keygen -l` prints it: `SHA256:` and 43 characters";
        faults.push(
            Fault::new(at("host-key"), message)
                .example("host-key = \"SHA256:uNiVztksCsDhcc0u9e8BrVbCG4mVMC9yBgl1ZXIwPzk\""),
        );
    }
}

fn check_login(login: &SshSection, own: &str, file: &AnswersFile, faults: &mut Vec<Fault>) {
    let mut complain = |key: &str, inherited: bool, message: &str, example: &str| {
        let at = if inherited {
            format!("ssh.{key}")
        } else {
            format!("{own}.{key}")
        };
        if !faults.iter().any(|fault| fault.at == at) {
            faults.push(Fault::new(at, message).example(example));
        }
    };
    let odd =
        |text: &str| text.is_empty() || text.starts_with('-') || text.contains(char::is_whitespace);
    if login.user.as_deref().is_some_and(odd) {
        let inherited = login.user == file.ssh.user;
        complain(
            "user",
            inherited,
            "must be a login name",
            "user = \"deploy\"",
        );
    }
    if login.port == Some(0) {
        let inherited = login.port == file.ssh.port;
        complain("port", inherited, "must be from 1 to 65535", "port = 22");
    }
    if login.jump.as_deref().is_some_and(odd) {
        let inherited = login.jump == file.ssh.jump;
        complain(
            "jump",
            inherited,
            "must be `[user@]host[:port]`",
            "jump = \"bastion.acme.example\"",
        );
    }
}

fn check_duplicates(file: &AnswersFile, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (number, host) in file.hosts.iter().enumerate() {
        let port = file.ssh.for_host(host).port.unwrap_or(22);
        let mut keys = vec![
            ("name", host.name.to_string()),
            (
                "address",
                format!("{} port {port}", host.address.to_lowercase()),
            ),
        ];
        if let Some(private) = &host.private_address {
            keys.push(("private-address", private.to_lowercase()));
        }
        for (key, value) in keys {
            if let Some(first) = seen.insert((key, value.clone()), number) {
                let message = format!(
                    "`{value}` is the same as of host number {} (`{}`): every host needs its own",
                    first + 1,
                    file.hosts[first].name
                );
                faults.push(Fault::new(format!("hosts[{number}].{key}"), message));
            }
        }
    }
}

fn check_count(file: &AnswersFile, role: &Role, faults: &mut Vec<Fault>) {
    let count = file
        .hosts
        .iter()
        .filter(|host| host.roles.contains(&role.id))
        .count();
    let Some((least, most)) = role.bounds() else {
        return;
    };
    if count < least || most.is_some_and(|most| count > most) {
        let wanted = match (least, most) {
            (least, Some(most)) if least == most => format!("exactly {least}"),
            (least, Some(most)) => format!("{least} to {most}"),
            (least, None) => format!("at least {least}"),
        };
        let message = format!(
            "{count} hosts have the role `{}` ({}), and it needs {wanted}",
            role.id, role.title
        );
        faults.push(Fault::new("hosts", message).example(format!("roles = [\"{}\"]", role.id)));
    }
}
