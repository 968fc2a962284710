//! What to do about each way a host cannot be reached.

use super::TransportError;

/// Returns one concrete next step for `error`.
pub(super) fn of(error: &TransportError) -> Option<String> {
    let text = match error {
        TransportError::Resolve { address, .. } => format!("check the spelling of `{address}` or write its IP address into `address`"),
        TransportError::Connect { address, .. } => format!("check that the host is on and that {address} is reachable from here: `nc -vz {}`", address.replace(':', " ")),
        TransportError::Handshake { .. } => "see `journalctl -u ssh` on the host; too many logins at once or a firewall that cuts in are the usual causes".to_owned(),
        TransportError::Silent { .. } => "see on the host whether its sshd hangs: `systemctl status ssh` and `journalctl -u ssh`; a firewall that looks into connections does the same".to_owned(),
        TransportError::HostKeyUnknown { fingerprint, .. } => {
            format!("compare the fingerprint with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`) and write it into the answers file: host-key = \"{fingerprint}\"")
        }
        TransportError::HostKeyChanged { address, found, record, .. } => {
            let anew = if record.contains("answers file") {
                format!("compare {found} with the host's own key (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`) and write it into `host-key`")
            } else {
                format!("remove the old key ({record}) with `ssh-keygen -R {}` and confirm the new one", key_name(address))
            };
            format!("if the host was installed anew, {anew}; if not, somebody may stand between you and the host: stop")
        }
        TransportError::Login { user, .. } => format!("check with `ssh {user}@HOST true`; name the right `user` and `key`, load the key into the agent, or give the secret `ssh-password`"),
        TransportError::Key { .. } => "name a private key in OpenSSH or PEM form and give its passphrase as the secret `ssh-passphrase`, or load it into the agent with `ssh-add`".to_owned(),
        TransportError::Config { .. } => "mend the line, or name user, port, key and jump in the answers file".to_owned(),
        TransportError::Sudo { .. } => "give the secret `sudo-password`, log in as root, or let the customer's IT add the user to sudoers and to the group `docker`".to_owned(),
        TransportError::Lost { .. } | TransportError::TimedOut { .. } => "run the same command again: it goes on where it stopped".to_owned(),
        TransportError::Docker { detail, .. } => super::docker::problem::hint(detail).unwrap_or("see `journalctl -u docker` on the host").to_owned(),
        TransportError::Damaged { .. } => "run the same command again; when it happens twice, check the host's disk with `dmesg`".to_owned(),
        TransportError::File { detail, .. } => return super::files::hint(detail).map(str::to_owned),
        TransportError::Refused { .. } | TransportError::Command { .. } | TransportError::Unquotable => return None,
    };
    Some(text)
}

/// Returns the name under which OpenSSH files the key: the host alone, or `[host]:port` when the port is not 22.
fn key_name(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, "22")) => host.to_owned(),
        Some((host, port)) => format!("'[{host}]:{port}'"),
        None => address.to_owned(),
    }
}
