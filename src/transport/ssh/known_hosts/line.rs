//! One line of `known_hosts`: markers, names with wildcards and negation, hashed names, and the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::HostKey;

/// What stands before a line's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    Revoked,
}

/// For which hosts a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Names {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<Pattern>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    negated: bool,
    text: String,
}

/// A line that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) marker: Marker,
    names: Names,
    pub(super) key: HostKey,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Line(Line),
    Nothing,
    Unsupported(&'static str),
    Broken(&'static str),
}

impl Line {
    /// Returns whether the line is for this name; `[host]:port` when the port is not 22.
    pub(super) fn matches(&self, name: &str) -> bool {
        match &self.names {
            Names::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name).verify_slice(hash).is_ok()),
            Names::Patterns(patterns) => {
                let fits = |pattern: &&Pattern| wildcard(pattern.text.as_bytes(), name.as_bytes());
                let mut fitting = patterns.iter().filter(fits).peekable();
                fitting.peek().is_some() && fitting.all(|pattern| !pattern.negated)
            }
        }
    }
}

/// Parses one line.
pub(super) fn parse(text: &str) -> Parsed {
    let mut words = text.split_ascii_whitespace();
    let Some(mut first) = words.next() else {
        return Parsed::Nothing;
    };
    let mut marker = Marker::None;
    match first {
        _ if first.starts_with('#') => return Parsed::Nothing,
        "@cert-authority" => {
            return Parsed::Unsupported("certificate authorities are not supported");
        }
        "@revoked" => {
            marker = Marker::Revoked;
            let Some(next) = words.next() else {
                return Parsed::Broken("no host after the marker");
            };
            first = next;
        }
        _ if first.starts_with('@') => return Parsed::Broken("unknown marker"),
        _ => {}
    }
    let (Some(algorithm), Some(key)) = (words.next(), words.next()) else {
        return Parsed::Broken("host, algorithm and key are needed");
    };
    let Ok(blob) = STANDARD.decode(key) else {
        return Parsed::Broken("the key is not base64");
    };
    let key = HostKey::new(&blob);
    if key.algorithm() != algorithm {
        return Parsed::Broken("the key is not of the algorithm that stands before it");
    }
    match names(first) {
        Some(names) => Parsed::Line(Line { marker, names, key }),
        None => Parsed::Broken("the hashed host is damaged"),
    }
}

fn names(word: &str) -> Option<Names> {
    let Some(hashed) = word.strip_prefix('|') else {
        let pattern = |text: &str| {
            let (negated, text) = match text.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            Pattern {
                negated,
                text: text.to_ascii_lowercase(),
            }
        };
        let patterns = word.split(',').filter(|text| !text.is_empty());
        return Some(Names::Patterns(patterns.map(pattern).collect()));
    };
    let mut parts = hashed.split('|');
    let (Some("1"), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    Some(Names::Hashed {
        salt: STANDARD.decode(salt).ok()?,
        hash: STANDARD.decode(hash).ok().filter(|hash| hash.len() == 20)?,
    })
}

/// Returns whether `text` fits `pattern`, in which `*` stands for any run of characters and `?` for one. Brackets mean themselves.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                // The last star takes one character more.
                Some((star, taken)) => {
                    retry = Some((star, taken + 1));
                    p = star + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}
