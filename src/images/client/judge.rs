//! What the protocol's errors mean: the same word comes for many things, and the same thing in many words.

use std::time::Duration;

use oci_client::errors::{OciDistributionError as Error, OciErrorCode};
use oci_client::secrets::RegistryAuth;

use super::{Link, RemoteError};
use crate::model::text::visible;

/// How long the question may take how long to wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that is shown of what a registry says.
const LONGEST: usize = 300;

impl Link {
    /// Returns what an error means that came when `repository` was asked for.
    pub(super) async fn judge(&self, error: Error, repository: &str) -> RemoteError {
        match error {
            Error::AuthenticationFailure(words) => self.login(&words),
            Error::UnauthorizedError { .. } => self.login(""),
            Error::RequestError(error) => match error.status() {
                Some(status) => {
                    self.status(
                        status.as_u16(),
                        error.url().map(ToString::to_string),
                        "",
                        repository,
                    )
                    .await
                }
                None => self.way(&chain(&error)),
            },
            Error::ServerError { code, url, message } => {
                self.status(code, Some(url), &message, repository).await
            }
            Error::RegistryError { envelope, url } => {
                let words: Vec<String> = envelope
                    .errors
                    .iter()
                    .map(|error| error.message.clone())
                    .collect();
                let code = envelope
                    .errors
                    .first()
                    .map_or(400, |error| code_of(&error.code));
                self.status(code, Some(url), &words.join("; "), repository)
                    .await
            }
            Error::IoError(error) => RemoteError::Broken {
                registry: self.registry.clone(),
                detail: chain(&error),
            },
            other => RemoteError::Unusable {
                what: format!("{}/{repository}", self.registry),
                detail: short(&other.to_string()),
            },
        }
    }

    fn login(&self, words: &str) -> RemoteError {
        RemoteError::Login {
            registry: self.registry.clone(),
            user: self.user(),
            detail: short(words),
        }
    }

    fn user(&self) -> Option<String> {
        match &self.auth {
            RegistryAuth::Basic(user, _) => Some(user.clone()),
            _ => None,
        }
    }

    async fn status(
        &self,
        code: u16,
        url: Option<String>,
        words: &str,
        repository: &str,
    ) -> RemoteError {
        let registry = self.registry.clone();
        let detail = short(words);
        match code {
            401 => self.login(words),
            403 => RemoteError::Denied {
                registry,
                user: self.user(),
                repository: repository.to_owned(),
                detail,
            },
            404 => RemoteError::NotThere {
                reference: format!("{registry}/{repository}"),
                near: None,
            },
            407 => RemoteError::Proxy { registry, detail },
            429 => RemoteError::TooMany {
                registry,
                wait: match url {
                    Some(url) => wanted_wait(url).await,
                    None => None,
                },
                detail,
            },
            code => RemoteError::Server {
                registry,
                code,
                detail,
            },
        }
    }

    /// Tells apart why there was no answer, by the words of the libraries below: their types are not within reach.
    fn way(&self, words: &str) -> RemoteError {
        let registry = self.registry.clone();
        let detail = short(words.split(" | ").last().unwrap_or(words));
        let has = |part: &str| words.contains(part);
        if has("UnknownIssuer") || has("BadSignature") || has("CaUsedAsEndEntity") {
            RemoteError::Untrusted {
                registry,
                trusts_more: self.trusts_more,
            }
        } else if has("invalid peer certificate") {
            RemoteError::Certificate { registry, detail }
        } else if has("InvalidContentType") || has("corrupt message") {
            RemoteError::PlainHttp { registry }
        } else if has("tunnel") || has("proxy") {
            RemoteError::Proxy { registry, detail }
        } else if has("dns error") || has("failed to lookup") {
            RemoteError::Unresolved { registry, detail }
        } else if has("client error (Connect)") {
            RemoteError::Unreachable { registry, detail }
        } else {
            RemoteError::Broken { registry, detail }
        }
    }
}

fn code_of(code: &OciErrorCode) -> u16 {
    match code {
        OciErrorCode::Unauthorized => 401,
        OciErrorCode::Denied => 403,
        OciErrorCode::ManifestUnknown
        | OciErrorCode::NameUnknown
        | OciErrorCode::NotFound
        | OciErrorCode::BlobUnknown => 404,
        OciErrorCode::Toomanyrequests => 429,
        _ => 400,
    }
}

/// Returns how long a registry that is asked too often wants to be left alone. The protocol's crate drops that word, so it is asked for: without a login,
/// by the method that costs nothing, and whoever answers can at most make us wait.
async fn wanted_wait(url: String) -> Option<u64> {
    let asked = tokio::task::spawn_blocking(move || {
        let tls = ureq::tls::TlsConfig::builder()
            .disable_verification(true)
            .build();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .tls_config(tls)
            .build()
            .into();
        let response = agent.head(&url).call().ok()?;
        let limited = response.status().as_u16() == 429;
        let value = response
            .headers()
            .get("retry-after")?
            .to_str()
            .ok()?
            .to_owned();
        limited.then_some(value)
    });
    let value = asked.await.ok().flatten()?;
    seconds(&value, jiff::Timestamp::now())
}

/// Reads the word: seconds, or a time.
fn seconds(value: &str, now: jiff::Timestamp) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let then = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    u64::try_from(then.duration_since(now).as_secs()).ok()
}

/// Returns an error with what caused it, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} | {cause}");
        source = cause.source();
    }
    text
}

/// Returns words of a registry as they may be shown; of an answer in JSON only what it says to people.
fn short(words: &str) -> String {
    let words = said(words).unwrap_or_else(|| words.to_owned());
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.chars().take(LONGEST).collect();
    visible(&words).into_owned()
}

/// Returns the messages of an answer in JSON.
fn said(words: &str) -> Option<String> {
    let answer: serde_json::Map<String, serde_json::Value> = serde_json::from_str(words).ok()?;
    let message = |value: &serde_json::Value| value.get("message")?.as_str().map(str::to_owned);
    let errors = answer.get("errors").and_then(|errors| errors.as_array());
    let messages: Vec<String> = errors.into_iter().flatten().filter_map(message).collect();
    Some(messages.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"{"errors":[{"message":"one"},{"code":"X"},{"message":"two"}]}"#,
        "one; two"
    )]
    #[case("{}", "")]
    #[case("plain  words\n", "plain words")]
    #[case("\u{1b}[31mred", "red")]
    fn what_is_shown(#[case] words: &str, #[case] expected: &str) {
        assert_eq!(short(words), expected);
    }

    #[rstest]
    #[case("17", Some(17))]
    #[case("Fri, 20 Nov 2026 10:00:30 GMT", Some(30))]
    #[case("Fri, 20 Nov 2026 09:00:00 GMT", None)]
    #[case("soon", None)]
    fn waits(#[case] value: &str, #[case] expected: Option<u64>) {
        let now: jiff::Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(seconds(value, now), expected);
    }
}
