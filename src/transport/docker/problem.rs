//! What went wrong with the engine or with a registry, in our words and theirs.

use std::error::Error as _;
use std::time::Duration;

use bollard::errors::Error as EngineError;

use super::super::TransportError;

/// How a piece of work against the engine can fail.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The engine or the connection to it.
    Engine(EngineError),
    /// Nothing came for so long.
    TimedOut(Duration),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// Returns the error of a call that got this far.
pub(super) fn of_call(action: &str, limit: Duration, trouble: Trouble) -> TransportError {
    let docker = |detail, status| TransportError::Docker {
        action: action.to_owned(),
        detail,
        status,
    };
    match trouble {
        Trouble::TimedOut(limit) => timed_out(action, limit),
        Trouble::Engine(EngineError::RequestTimeoutError) => timed_out(action, limit),
        Trouble::Engine(EngineError::DockerResponseServerError {
            status_code,
            message,
        }) => docker(message, Some(status_code)),
        Trouble::Engine(EngineError::DockerStreamError { error }) => docker(error, None),
        Trouble::Engine(
            error @ (EngineError::HyperLegacyError { .. }
            | EngineError::HyperResponseError { .. }
            | EngineError::IOError { .. }),
        ) => TransportError::Lost {
            detail: format!("to Docker: {}", chain(&error)),
        },
        Trouble::Engine(error) => docker(error.to_string(), None),
    }
}

/// Returns the error of a fault on our own side.
pub(super) fn local(action: &str, error: &std::io::Error) -> TransportError {
    TransportError::Docker {
        action: action.to_owned(),
        detail: format!("no runtime here: {error}"),
        status: None,
    }
}

fn timed_out(action: &str, limit: Duration) -> TransportError {
    TransportError::TimedOut {
        what: format!("Docker to {action}"),
        limit,
    }
}

fn chain(error: &EngineError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Kinds of refusal by a registry: how `detail` begins, what to do, and the words that tell. The first that fits counts.
const REGISTRY: &[(&str, &str, &[&str])] = &[
    (
        "the disk is full",
        "free space under Docker's data folder: `df -h /var/lib/docker` and `docker image prune`",
        &["no space left on device"],
    ),
    (
        "the registry limits how often it may be asked",
        "wait and run it again, give a registry login, or use a bundle",
        &["toomanyrequests", "too many requests", "rate limit", "429"],
    ),
    (
        "the registry's certificate is not trusted",
        "put the CA's certificate into /etc/docker/certs.d/REGISTRY/ca.crt on the host; Docker reads it without a restart",
        &["x509:", "unknown authority", "failed to verify certificate"],
    ),
    (
        "the registry speaks plain HTTP",
        "add the registry to `insecure-registries` in /etc/docker/daemon.json on the host, or use one with TLS",
        &["http response to https client"],
    ),
    (
        "the proxy does not answer",
        "check the proxy of the host's Docker: `docker info | grep -i proxy`",
        &["proxyconnect"],
    ),
    (
        "no image for the host's processor",
        "take a tag that is built for the host's architecture",
        &["no matching manifest"],
    ),
    (
        "the registry refuses the login",
        "check the registry's user and the secret `registry-password`, and that the user may read this repository",
        &[
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "pull access denied",
            "requested access to the resource is denied",
            "incorrect username or password",
            "403 forbidden",
            "denied:",
        ],
    ),
    (
        "the registry has no such image",
        "check repository and tag; a typing error in `tag` is the usual cause",
        &[
            "manifest unknown",
            "name unknown",
            "repository name not known",
            "not found",
        ],
    ),
    (
        "the host cannot reach the registry",
        "check name resolution, route and firewall from the host: `curl -v https://REGISTRY/v2/`; without internet use a bundle",
        &[
            "no route to host",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "network is unreachable",
            "no such host",
            "client.timeout exceeded",
            "deadline exceeded",
            "tls handshake timeout",
            "server misbehaving",
            "name resolution",
            "eof",
        ],
    ),
];

/// Puts the kind of refusal before a registry's own words.
pub(super) fn of_registry(error: TransportError) -> TransportError {
    match error {
        TransportError::Docker {
            action,
            detail,
            status,
        } => {
            let lower = detail.to_lowercase();
            let kind = REGISTRY
                .iter()
                .find(|(_, _, words)| words.iter().any(|word| lower.contains(word)));
            TransportError::Docker {
                action,
                detail: match kind {
                    Some((kind, ..)) => format!("{kind}: {detail}"),
                    None => detail,
                },
                status,
            }
        }
        other => other,
    }
}

/// Returns what to do about a refusal that [`of_registry`] recognised.
pub(in super::super) fn hint(detail: &str) -> Option<&'static str> {
    REGISTRY
        .iter()
        .find(|(kind, ..)| {
            detail
                .strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with(": "))
        })
        .map(|(_, hint, _)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Head \"https://r.example/v2/a/manifests/1\": unauthorized: authentication required",
        "the registry refuses the login"
    )]
    #[case(
        "pull access denied for syntho/none, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        "the registry refuses the login"
    )]
    #[case(
        "manifest for r.example/a:9 not found: manifest unknown: manifest unknown",
        "the registry has no such image"
    )]
    #[case(
        "Get \"https://r.example/v2/\": dial tcp 10.0.0.9:443: connect: no route to host",
        "the host cannot reach the registry"
    )]
    #[case(
        "Get \"https://r.example/v2/\": dial tcp: lookup r.example on 127.0.0.1:53: no such host",
        "the host cannot reach the registry"
    )]
    #[case(
        "Get \"https://r.example/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        "the host cannot reach the registry"
    )]
    #[case(
        "Get \"https://r.example/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "the registry's certificate is not trusted"
    )]
    #[case(
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "the registry limits how often it may be asked"
    )]
    #[case(
        "Get \"https://127.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client",
        "the registry speaks plain HTTP"
    )]
    #[case(
        "write /var/lib/docker/tmp/x: no space left on device",
        "the disk is full"
    )]
    #[case(
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        "no image for the host's processor"
    )]
    fn kinds(#[case] words: &str, #[case] kind: &str) {
        let error = of_registry(TransportError::Docker {
            action: "pull a".to_owned(),
            detail: words.to_owned(),
            status: Some(500),
        });
        let TransportError::Docker { detail, status, .. } = error else {
            panic!("another kind of error");
        };
        assert_eq!(detail, format!("{kind}: {words}"));
        assert_eq!(status, Some(500));
        assert!(hint(&detail).is_some());
    }

    #[test]
    fn unknown_words_are_left_alone() {
        assert_eq!(hint("something else"), None);
    }
}
