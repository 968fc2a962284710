//! Where a connection goes and as whom: the deployment's settings over `~/.ssh/config` over defaults, for the host and each jump host.

use std::io::BufReader;

use camino::{Utf8Path, Utf8PathBuf};
use ssh2_config::{HostParams, ParseRule, SshConfig};

use super::socket;
use crate::transport::{ConnectSpec, TransportError};

/// The keys that OpenSSH tries when none is named, in its order.
const DEFAULT_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Jump hosts that name further ones end here.
const LONGEST_CHAIN: usize = 8;

/// A private key to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyFile {
    /// The file.
    pub(super) path: Utf8PathBuf,
    /// Whether somebody named it, so that it is an error when it cannot be used.
    pub(super) named: bool,
}

/// One machine to log in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Name or address to connect to.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
    /// Login name.
    pub(super) user: String,
    /// Keys to try, in this order.
    pub(super) keys: Vec<KeyFile>,
}

impl Target {
    /// Returns host and port as one word.
    pub(super) fn address(&self) -> String {
        socket::name(&self.host, self.port)
    }
}

/// The host, and the jump hosts before it, nearest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// Jump hosts in the order in which they are passed.
    pub(super) hops: Vec<Target>,
    /// The host itself.
    pub(super) target: Target,
}

/// Works out where a connection goes.
///
/// # Errors
/// When `~/.ssh/config` cannot be used, or a jump host is misspelt.
pub(super) fn route(spec: &ConnectSpec, operator: &str) -> Result<Route, TransportError> {
    let book = Book::open(spec, operator)?;
    let params = book.params(&spec.address);
    let mut target = book.target(&spec.address, &params);
    if let Some(user) = &spec.login.user {
        target.user.clone_from(user);
    }
    if let Some(port) = spec.login.port {
        target.port = port;
    }
    let jump = match &spec.login.jump {
        Some(jump) => split(jump),
        None => params.proxy_jump.unwrap_or_default(),
    };
    let mut hops = Vec::new();
    book.chain(&jump, &mut hops, 0)?;
    Ok(Route { hops, target })
}

/// The settings and the file that answer for a name.
struct Book<'a> {
    spec: &'a ConnectSpec,
    config: SshConfig,
    operator: &'a str,
}

impl<'a> Book<'a> {
    fn open(spec: &'a ConnectSpec, operator: &'a str) -> Result<Self, TransportError> {
        Ok(Self {
            spec,
            config: read(spec.ssh_folder.as_deref())?,
            operator,
        })
    }

    fn params(&self, alias: &str) -> HostParams {
        self.config.query(alias)
    }

    /// Returns what the file says of an alias, with the deployment's login where it says nothing.
    fn target(&self, alias: &str, params: &HostParams) -> Target {
        let host = match &params.host_name {
            Some(name) => name.replace("%h", alias).replace("%%", "%"),
            None => alias.to_owned(),
        };
        let login = &self.spec.login;
        let user = params.user.clone().or_else(|| login.user.clone());
        let user = user.unwrap_or_else(|| self.operator.to_owned());
        let keys = self.keys(params, &host, &user);
        Target {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: params.port.unwrap_or(22),
            user,
            keys,
        }
    }

    fn keys(&self, params: &HostParams, host: &str, user: &str) -> Vec<KeyFile> {
        let named = |path| KeyFile { path, named: true };
        if let Some(key) = &self.spec.login.key {
            return vec![named(self.expand(key.as_str(), host, user))];
        }
        if let Some(files) = &params.identity_file {
            let files = files.iter().filter_map(|file| file.to_str());
            return files
                .map(|file| named(self.expand(file, host, user)))
                .collect();
        }
        let folder = self.spec.ssh_folder.iter();
        folder
            .flat_map(|folder| DEFAULT_KEYS.map(|name| folder.join(name)))
            .map(|path| KeyFile { path, named: false })
            .collect()
    }

    /// Fills in what OpenSSH allows in the path of a key.
    fn expand(&self, path: &str, host: &str, user: &str) -> Utf8PathBuf {
        let folder = self.spec.ssh_folder.as_deref().and_then(Utf8Path::parent);
        let home = folder.map_or("~", Utf8Path::as_str);
        let path = match path.strip_prefix("~/") {
            Some(rest) => format!("{home}/{rest}"),
            None => path.to_owned(),
        };
        let path = path.replace("%d", home).replace("%h", host);
        path.replace("%r", user).replace("%u", self.operator).into()
    }

    /// Appends the jump hosts `names`, each preceded by the ones that it needs itself.
    fn chain(
        &self,
        names: &[String],
        hops: &mut Vec<Target>,
        depth: usize,
    ) -> Result<(), TransportError> {
        for (index, name) in names.iter().enumerate() {
            if name.eq_ignore_ascii_case("none") {
                continue;
            }
            let (user, alias, port) = parse(name)?;
            let params = self.params(alias);
            // The first may be behind others by its own entry; the following ones are reached through the one before.
            if index == 0
                && let Some(before) = &params.proxy_jump
            {
                if depth == LONGEST_CHAIN {
                    return Err(misspelt(name, "the jump hosts lead in a circle"));
                }
                self.chain(before, hops, depth + 1)?;
            }
            let mut hop = self.target(alias, &params);
            if let Some(user) = user {
                user.clone_into(&mut hop.user);
            }
            if let Some(port) = port {
                hop.port = port;
            }
            hops.push(hop);
        }
        Ok(())
    }
}

fn split(chain: &str) -> Vec<String> {
    let names = chain.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Takes `[user@]host[:port]` apart; the host may be an IPv6 address in brackets.
fn parse(name: &str) -> Result<(Option<&str>, &str, Option<u16>), TransportError> {
    let plain = name.strip_prefix("ssh://").unwrap_or(name);
    let (user, rest) = match plain.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, plain),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        // More than one colon without brackets is an IPv6 address.
        None if rest.matches(':').count() > 1 => (rest, None),
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = port
        .map(|port| {
            port.parse()
                .map_err(|_| misspelt(name, "the port is not a number up to 65535"))
        })
        .transpose()?;
    if host.is_empty() || user.is_some_and(str::is_empty) {
        return Err(misspelt(name, "it is written `[user@]host[:port]`"));
    }
    Ok((user, host, port))
}

fn misspelt(name: &str, why: &str) -> TransportError {
    TransportError::Config {
        path: format!("the jump host `{name}`"),
        detail: why.to_owned(),
    }
}

/// Reads `~/.ssh/config`; one that is not there says nothing.
pub(super) fn read(folder: Option<&Utf8Path>) -> Result<SshConfig, TransportError> {
    let Some(folder) = folder else {
        return Ok(SshConfig::default());
    };
    let path = folder.join("config");
    let failed = |detail: String| TransportError::Config {
        path: path.to_string(),
        detail,
    };
    let file = match fs_err::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(SshConfig::default());
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    let rules = ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS;
    let home = folder.parent().unwrap_or(folder);
    SshConfig::default()
        .home_dir(home.as_std_path())
        .parse(&mut BufReader::new(file), rules)
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests;
