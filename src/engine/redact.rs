//! Keeps secrets out of whatever a host says: each is replaced by its name, in every encoding in which software prints them.
//!
//! The last line of defence for events, failures and receipts; nothing may rely on it to print a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;

use crate::model::check::CheckResult;
use crate::model::failure::Failure;
use crate::model::secret::Secrets;

/// Shorter secrets would match half of every log.
const LEAST: usize = 4;

/// Replaces the secrets of one deployment by their names.
#[derive(Clone, Default)]
pub struct Redactor {
    /// What is looked for, longest first, and what stands for it.
    needles: Vec<(String, String)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} needles)", self.needles.len())
    }
}

impl Redactor {
    /// Returns a redactor that knows these secrets.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let mut needles = Vec::new();
        for (id, secret) in secrets.iter() {
            let value = secret.expose_secret();
            if value.len() >= LEAST {
                let name = format!("‹{id}›");
                needles.extend(forms(value).into_iter().map(|form| (form, name.clone())));
            }
        }
        needles.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    /// Returns `text` with every secret replaced by its name.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for (needle, name) in &self.needles {
            if clean.contains(needle.as_str()) {
                clean = clean.replace(needle.as_str(), name);
            }
        }
        clean
    }

    /// Cleans every text of a failure.
    pub fn failure(&self, failure: &mut Failure) {
        failure.message = self.text(&failure.message);
        for cause in &mut failure.causes {
            *cause = self.text(cause);
        }
        failure.hint = failure.hint.as_deref().map(|hint| self.text(hint));
    }

    /// Cleans every text of a check.
    pub fn check(&self, check: &mut CheckResult) {
        check.found = self.text(&check.found);
        for text in [&mut check.cause, &mut check.remedy, &mut check.command]
            .into_iter()
            .flatten()
        {
            *text = self.text(text);
        }
    }
}

/// Returns the forms in which a value may be printed.
fn forms(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let mut forms = vec![
        value.to_owned(),
        percent(value),
        value.replace('$', "$$"),
        value.replace('\'', r"'\''"),
        value.replace('\\', r"\\").replace('"', "\\\""),
        STANDARD.encode(bytes),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
    ];
    if let Ok(json) = serde_json::to_string(value) {
        forms.push(json.trim_matches('"').to_owned());
    }
    if let Ok(quoted) = shlex::try_quote(value) {
        forms.push(quoted.into_owned());
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Returns the value as a URL holds it.
fn percent(value: &str) -> String {
    use std::fmt::Write;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SECRET: &str = "p@ss\"w$rd'1";

    fn redactor() -> Redactor {
        let mut secrets = Secrets::default();
        secrets.insert("admin-password".parse().unwrap(), SECRET.into());
        secrets.insert("short".parse().unwrap(), "ab".into());
        Redactor::new(&secrets)
    }

    #[rstest]
    #[case(SECRET.to_owned())]
    #[case("p%40ss%22w%24rd%271".to_owned())]
    #[case(STANDARD.encode(SECRET))]
    #[case(URL_SAFE_NO_PAD.encode(SECRET))]
    #[case(SECRET.replace('$', "$$"))]
    #[case(serde_json::to_string(SECRET).unwrap())]
    #[case(format!("x={};", shlex::try_quote(SECRET).unwrap()))]
    fn a_secret_is_found_in_every_form(#[case] printed: String) {
        let clean = redactor().text(&format!("url://{printed}/x"));
        assert!(clean.contains("‹admin-password›"), "{clean}");
        assert!(
            !clean.contains("w$rd") && !clean.contains("%24rd"),
            "{clean}"
        );
    }

    #[test]
    fn other_text_stays_as_it_is() {
        assert_eq!(redactor().text("about ab"), "about ab");
    }
}
