//! What can be wrong with a registry or the way to it, and what to do about it.

use std::time::Duration;

use crate::model::failure::Hinted;

/// Why a registry did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It wants a login, or another one.
    #[error("{registry} does not accept {}", login(user.as_deref()))]
    Login {
        /// The registry.
        registry: String,
        /// Who asked.
        user: Option<String>,
        /// What it said.
        detail: String,
    },
    /// The login is right and may not do this.
    #[error("{registry} does not let {} use `{repository}`", user.as_deref().unwrap_or("anybody without a login"))]
    Denied {
        /// The registry.
        registry: String,
        /// Who asked.
        user: Option<String>,
        /// What was asked for.
        repository: String,
        /// What it said.
        detail: String,
    },
    /// There is no such image.
    #[error("{reference} is not in the registry")]
    NotThere {
        /// The image.
        reference: String,
        /// Tags that may be meant, the likeliest first; `None` when the registry lists none.
        near: Option<Vec<String>>,
    },
    /// It has been asked too often.
    #[error("{registry} refuses more requests for now{}", wait.map_or_else(String::new, |wait| format!("; it wants to be left alone for {wait} s")))]
    TooMany {
        /// The registry.
        registry: String,
        /// Seconds that it wants to be left alone.
        wait: Option<u64>,
        /// What it said.
        detail: String,
    },
    /// Nobody knows its name.
    #[error("the name of {registry} cannot be resolved")]
    Unresolved {
        /// The registry.
        registry: String,
        /// What the system said.
        detail: String,
    },
    /// Nothing answers there.
    #[error("{registry} cannot be reached")]
    Unreachable {
        /// The registry.
        registry: String,
        /// What the system said.
        detail: String,
    },
    /// The proxy does not let it through.
    #[error("the proxy does not lead to {registry}")]
    Proxy {
        /// The registry.
        registry: String,
        /// What was said.
        detail: String,
    },
    /// Its certificate is from an authority that nobody here knows.
    #[error("the certificate of {registry} is from an authority that is not trusted here")]
    Untrusted {
        /// The registry.
        registry: String,
        /// An authority was given, and it is another.
        trusts_more: bool,
    },
    /// Its certificate is wrong in another way.
    #[error("the certificate of {registry} is not valid for it")]
    Certificate {
        /// The registry.
        registry: String,
        /// What is wrong.
        detail: String,
    },
    /// It speaks no TLS.
    #[error("{registry} speaks plain HTTP, without TLS")]
    PlainHttp {
        /// The registry.
        registry: String,
    },
    /// The image is there for other machines only.
    #[error("{reference} is not there for {wanted}")]
    Platform {
        /// The image.
        reference: String,
        /// What is wanted.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The connection broke off.
    #[error("the connection to {registry} broke off")]
    Broken {
        /// The registry.
        registry: String,
        /// What the system said.
        detail: String,
    },
    /// It answers, and not as registries do.
    #[error("{registry} answers with status {code}")]
    Server {
        /// The registry.
        registry: String,
        /// The status.
        code: u16,
        /// What it said.
        detail: String,
    },
    /// What it says of an image makes no sense.
    #[error("{what} cannot be used")]
    Unusable {
        /// The image.
        what: String,
        /// Why.
        detail: String,
    },
    /// It lacks layers that an archive leaves out.
    #[error("{registry} lacks layers that the archive leaves out because they are in {base}")]
    LacksBase {
        /// The registry.
        registry: String,
        /// The archive that has them.
        base: String,
    },
    /// What was given as an authority is none.
    #[error("the file of `--ca` holds no authority")]
    BadAuthority {
        /// Why.
        detail: String,
    },
}

fn login(user: Option<&str>) -> String {
    match user {
        Some(user) => format!("the login of `{user}`"),
        None => "requests without a login".to_owned(),
    }
}

impl RemoteError {
    /// Returns how long to wait before asking again; `None` when that would be in vain or too long.
    pub(super) fn pause(&self, usual: Duration, longest: u64) -> Option<Duration> {
        match self {
            Self::Broken { .. } | Self::TooMany { wait: None, .. } => Some(usual),
            Self::Server { code, .. } if (500..600).contains(code) => Some(usual),
            Self::TooMany {
                wait: Some(wait), ..
            } => (*wait <= longest).then(|| Duration::from_secs(*wait)),
            _ => None,
        }
    }

    /// Returns what went wrong in one line.
    pub(super) fn why(&self) -> String {
        match self.evidence().first() {
            Some(evidence) => format!("{self} ({evidence})"),
            None => self.to_string(),
        }
    }
}

impl RemoteError {
    /// Returns what to do when the way there or who answers is at fault.
    fn hint_of_the_way(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => {
                "check the name; when only a proxy knows it, set `HTTPS_PROXY`"
            }
            Self::Unreachable { .. } => {
                "check the network and the firewall; when a proxy leads there, set `HTTPS_PROXY`"
            }
            Self::Proxy { .. } => {
                "check `HTTPS_PROXY`, or name the registry in `NO_PROXY` when no proxy is needed"
            }
            Self::Untrusted {
                trusts_more: false, ..
            } => {
                "get the authority's certificate from whoever runs the registry and give it with `--ca FILE`"
            }
            Self::Untrusted {
                trusts_more: true, ..
            } => {
                "the file of `--ca` is of another authority: get the right one from whoever runs the registry"
            }
            Self::Certificate { .. } => {
                "have the certificate renewed, or use the name that it was made for"
            }
            Self::PlainHttp { .. } => {
                "have TLS switched on there; without it, only a registry on this machine's loopback is used"
            }
            Self::Broken { .. } => "run the same command again: it goes on where it stopped",
            Self::Server { .. } => {
                "check that it is a registry; when it is, run the same command again later"
            }
            Self::BadAuthority { .. } => "give the authority's certificate in PEM form",
            _ => "run the same command again",
        }
    }
}

impl Hinted for RemoteError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Login { user: Some(_), .. } => {
                "check `--username` and the password; it is asked for, or read from `SYNTHO_SECRET_REGISTRY_PASSWORD`"
            }
            Self::Login { user: None, .. } => {
                "give `--username USER`; the password is asked for, or read from `SYNTHO_SECRET_REGISTRY_PASSWORD`"
            }
            Self::Denied { .. } => {
                "ask whoever runs the registry for the right to it, or name another repository"
            }
            Self::NotThere { near: None, .. } => {
                "check the name and the tag; the registry does not say which tags there are"
            }
            Self::NotThere {
                near: Some(near), ..
            } if near.is_empty() => {
                "check the name: the registry has no such repository, or no tag in it"
            }
            Self::NotThere { .. } => {
                "name another release with `--tag`, or the image whole with `--image ID=REF`"
            }
            Self::TooMany { .. } => {
                "run the same command again later: it goes on where it stopped; a login often has a higher limit"
            }
            Self::Platform { .. } => "choose another with `--platform`, such as `linux/amd64`",
            Self::LacksBase { base, .. } => {
                return Some(format!(
                    "push {base} first, or name it too: `syntho-installer bundle push BASE THIS --to …`"
                ));
            }
            Self::Unusable { .. } => {
                "check the registry and the way to it; when they are right, have the image pushed anew with a current Docker"
            }
            _ => self.hint_of_the_way(),
        };
        Some(text.to_owned())
    }

    fn evidence(&self) -> Vec<String> {
        let words = match self {
            Self::Login { detail, .. }
            | Self::Denied { detail, .. }
            | Self::TooMany { detail, .. }
            | Self::Unresolved { detail, .. }
            | Self::Unreachable { detail, .. }
            | Self::Proxy { detail, .. }
            | Self::Certificate { detail, .. }
            | Self::Broken { detail, .. }
            | Self::Server { detail, .. }
            | Self::Unusable { detail, .. }
            | Self::BadAuthority { detail } => detail.clone(),
            Self::NotThere {
                near: Some(near), ..
            } if !near.is_empty() => {
                format!("tags that are there: {}", near.join(", "))
            }
            Self::Platform { there, .. } if !there.is_empty() => {
                format!("there for: {}", there.join(", "))
            }
            _ => String::new(),
        };
        if words.is_empty() {
            Vec::new()
        } else {
            vec![words]
        }
    }
}
