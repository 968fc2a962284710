//! What is a secret by its look: private keys, passwords and tokens in addresses, `Authorization`, logins to registries, keys of clouds, variables with telling names.
//!
//! One pass looks for words of which a rule needs one; only then its expression is tried.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::{Captures, Regex};

use super::{Tally, push_mask};

/// A rule: the name that stands for what it finds, words of which one must be there, and an expression whose group `s` is the secret.
type Rule = (&'static str, &'static [&'static str], &'static str);

/// What cannot be a secret any more where a name stands already.
const MASKED: char = '‹';

const RULES: &[Rule] = &[
    (
        "private-key",
        &["private key"],
        r"(?s)(?<s>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$))",
    ),
    (
        "password",
        &["://"],
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'"]*:(?<s>[^\s/@'"]+)@"#,
    ),
    (
        "token",
        &[
            "token=",
            "password=",
            "passwd=",
            "secret=",
            "key=",
            "sig=",
            "signature=",
            "credential=",
            "code=",
        ],
        r#"(?i)[?&](?:[a-z0-9_.-]*(?:token|password|passwd|secret|api[_-]?key|access[_-]?key|signature|credential)|sig|code)=(?<s>[^&\s"'#<>\\]{6,})"#,
    ),
    (
        "authorization",
        &["authorization"],
        r#"(?i)authorization\\?["']?\s*[:=]\s*\[?(?:b["'])?\\?["']?(?:(?:basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256)\s+)?(?<s>[^\s"',;)\]}\\]{4,}(?:, [a-z]+="[^"]*")*)"#,
    ),
    (
        "authorization",
        &["bearer "],
        r"(?i)\bbearer\s+(?<s>[A-Za-z0-9._~+/=-]{16,})",
    ),
    (
        "registry-auth",
        &["auth\"", "auth\\\"", "identitytoken", "registrytoken"],
        r#"\\?"(?:auth|identitytoken|registrytoken)\\?"\s*:\s*\\?"(?<s>[^"\\]{4,})"#,
    ),
    (
        "registry-auth",
        &["x-registry-auth", "x-registry-config"],
        r#"(?i)x-registry-(?:auth|config)\\?["']?\s*[:=]\s*\[?\\?["']?(?<s>[A-Za-z0-9+/=_-]{8,})"#,
    ),
    (
        "cloud-key",
        &["akia", "asia"],
        r"\b(?<s>(?:AKIA|ASIA)[0-9A-Z]{16})\b",
    ),
    (
        "cloud-key",
        &[
            "secretaccesskey",
            "secret_access_key",
            "secret-access-key",
            "session_token",
            "sessiontoken",
        ],
        r#"(?i)(?:secret[_-]?access[_-]?key|session[_-]?token)\\?["']?\s*[=:]\s*\\?["']?(?<s>[A-Za-z0-9/+=]{16,})"#,
    ),
    (
        "cloud-key",
        &["accountkey=", "sharedaccesskey=", "sharedaccesssignature="],
        r#"(?i)(?:AccountKey|SharedAccessKey|SharedAccessSignature)=(?<s>[^;\s"']{8,})"#,
    ),
    (
        "cloud-key",
        &["q~"],
        r"\b(?<s>[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})",
    ),
    ("cloud-key", &["aiza"], r"\b(?<s>AIza[0-9A-Za-z_-]{35})"),
    ("cloud-key", &["ya29."], r"\b(?<s>ya29\.[0-9A-Za-z_-]{20,})"),
    (
        "token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"\b(?<s>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    (
        "token",
        &["eyj"],
        r"\b(?<s>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
    ),
    (
        "cookie",
        &["cookie"],
        r#"(?i)\b(?:set-)?cookie\\?["']?\s*:\s*\\?["']?(?<s>[^\s"'\\][^"'\\]*)"#,
    ),
    (
        "secret",
        &["password", "passwd", "secret", "token", "_key"],
        r#"\b[A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|(?:API|ACCESS|SECRET|PRIVATE|LICEN[SC]E|SIGNING|ENCRYPTION)_KEY)[A-Z0-9_]*(?:=|\\?":\s*\\?"|':\s*')["']?(?<s>[^\s"',}\\]{4,})"#,
    ),
    (
        "secret",
        &[
            "password\"",
            "passwd\"",
            "secret\"",
            "password\\\"",
            "secret\\\"",
        ],
        r#"(?i)\\?"[a-z0-9_-]*(?:password|passwd|secret)\\?"\s*:\s*\\?"(?<s>[^"\\]{4,})"#,
    ),
];

struct Compiled {
    words: Option<AhoCorasick>,
    /// The rule of each word.
    of_word: Vec<usize>,
    rules: Vec<(&'static str, Regex)>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let (mut words, mut of_word, mut rules) = (Vec::<&str>::new(), Vec::new(), Vec::new());
    for (name, needed, expression) in RULES {
        // A test sees to it that each is one.
        let Ok(expression) = Regex::new(expression) else {
            continue;
        };
        words.extend(*needed);
        of_word.extend(needed.iter().map(|_| rules.len()));
        rules.push((*name, expression));
    }
    Compiled {
        words: AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .build(words)
            .ok(),
        of_word,
        rules,
    }
});

/// Returns the text with everything that looks like a secret replaced by what it looks like.
pub(super) fn mask<'t>(text: &'t str, tally: &mut Tally) -> Cow<'t, str> {
    let compiled = &*COMPILED;
    let Some(words) = compiled.words.as_ref().filter(|words| words.is_match(text)) else {
        return Cow::Borrowed(text);
    };
    let mut wanted = 0_u32;
    for hit in words.find_overlapping_iter(text) {
        wanted |= 1 << compiled.of_word[hit.pattern().as_usize()];
    }
    let mut clean = Cow::Borrowed(text);
    for (number, (name, expression)) in compiled.rules.iter().enumerate() {
        if wanted & (1 << number) != 0
            && let Some(masked) = replace(&clean, name, expression, tally)
        {
            clean = Cow::Owned(masked);
        }
    }
    clean
}

/// Replaces the secrets that one rule finds; `None` when there is none.
fn replace(text: &str, name: &str, expression: &Regex, tally: &mut Tally) -> Option<String> {
    let mut clean = String::new();
    let mut at = 0;
    let secret = |found: &Captures<'_>| found.name("s").map(|s| (s.start(), s.end()));
    for (start, end) in expression.captures_iter(text).filter_map(|f| secret(&f)) {
        if text[start..].starts_with(MASKED) {
            continue;
        }
        clean.push_str(&text[at..start]);
        push_mask(&mut clean, name);
        tally.add(name);
        at = end;
    }
    (at > 0).then(|| clean + &text[at..])
}

/// Returns whether something is named so that was found by its look.
pub(super) fn is_name(name: &[u8]) -> bool {
    RULES.iter().any(|(known, ..)| known.as_bytes() == name)
}

/// Returns whether a private key begins in a line and does not end there.
pub(super) fn opens_key(line: &str) -> bool {
    line.rfind("PRIVATE KEY").is_some_and(|_| {
        let begin = line.rfind("-----BEGIN ");
        let end = line.rfind("-----END ");
        begin.is_some_and(|begin| end.is_none_or(|end| end < begin))
    })
}

/// Returns whether a private key ends in a line.
pub(super) fn ends_key(line: &str) -> bool {
    line.contains("-----END ")
}

/// Returns whether a line is as long as those of keys are, but for the last.
pub(super) fn is_full(line: &str) -> bool {
    line.len() >= 40
}

/// Returns whether a line may be one of a private key; a short one only behind a full one.
pub(super) fn is_of_key(line: &str, after_full: bool) -> bool {
    let encoded = |line: &str| {
        line.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    ends_key(line)
        || line.starts_with("Proc-Type:")
        || line.starts_with("DEK-Info:")
        || (encoded(line) && line.len() <= 128 && (is_full(line) || after_full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_an_expression_with_a_secret() {
        assert_eq!(COMPILED.rules.len(), RULES.len());
        assert!(RULES.len() <= 32 && COMPILED.words.is_some());
        for (_, _, expression) in RULES {
            let expression = Regex::new(expression).unwrap();
            assert!(expression.capture_names().flatten().any(|name| name == "s"));
        }
    }
}
