//! The hosts that the operator's `~/.ssh/config` names, for whoever offers them as a list.

use camino::Utf8Path;

use super::target;
use crate::transport::TransportError;

/// A host of `~/.ssh/config`. Connecting to its alias follows everything the file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAlias {
    /// The word after `Host`.
    pub alias: String,
    /// Name or address it stands for.
    pub host_name: String,
    /// Login name, when the file says one.
    pub user: Option<String>,
    /// Port, when the file says one.
    pub port: Option<u16>,
    /// Jump hosts, in order.
    pub jumps: Vec<String>,
}

/// Returns the hosts that the file names outright, in its order; patterns such as `*.acme.example` stand for no single host.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn aliases(ssh_folder: Option<&Utf8Path>) -> Result<Vec<SshAlias>, TransportError> {
    let config = target::read(ssh_folder)?;
    let mut aliases: Vec<SshAlias> = Vec::new();
    for clause in config.get_hosts().iter().flat_map(|host| &host.pattern) {
        let alias = &clause.pattern;
        let is_pattern = clause.negated || alias.contains(['*', '?']);
        if is_pattern || aliases.iter().any(|known| &known.alias == alias) {
            continue;
        }
        let params = config.query(alias);
        let host_name = params.host_name.as_ref();
        aliases.push(SshAlias {
            alias: alias.clone(),
            host_name: host_name.map_or_else(|| alias.clone(), |name| name.replace("%h", alias)),
            user: params.user.clone(),
            port: params.port,
            jumps: params.proxy_jump.clone().unwrap_or_default(),
        });
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_listed_and_patterns_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(dir.path()).unwrap();
        assert_eq!(aliases(Some(folder)).unwrap(), []);
        let config = "Host ui head\n  User deploy\nHost head\n  HostName 10.0.0.12\n  Port 2222\nHost *.acme.example !bad\n  User x\nHost *\n  ProxyJump bastion\n";
        fs_err::write(folder.join("config"), config).unwrap();
        let found: Vec<String> = aliases(Some(folder))
            .unwrap()
            .into_iter()
            .map(|a| {
                format!(
                    "{} {} {:?} {:?} {:?}",
                    a.alias, a.host_name, a.user, a.port, a.jumps
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                r#"ui ui Some("deploy") None ["bastion"]"#,
                r#"head 10.0.0.12 Some("deploy") Some(2222) ["bastion"]"#,
            ]
        );
    }
}
