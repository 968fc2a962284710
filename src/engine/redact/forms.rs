//! The forms in which software writes a value: as it is, quoted for shells, escaped for JSON, HTML and URLs, doubled for Compose, in hexadecimal, and in base64
//! wherever in a longer text it begins.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::model::text::{self, visible};

/// The shortest encoded form that is looked for: shorter ones are found by chance.
const LEAST_ENCODED: usize = 5;

/// A line of a secret that has several is looked for by itself from this length on.
const LEAST_LINE: usize = 8;

/// What is looked for, and what of its surroundings belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// The bytes.
    pub(super) text: String,
    /// What stands for it.
    pub(super) name: String,
    /// Whether the character before holds a part of the secret, as in base64.
    pub(super) left: bool,
    /// Whether the character behind does.
    pub(super) right: bool,
    /// Whether it is base64, which may be padded.
    pub(super) padded: bool,
}

/// Returns every form of a value.
pub(super) fn of(value: &str, name: &str) -> Vec<Needle> {
    let mut found = BTreeMap::new();
    let mut values = vec![value];
    if value.contains('\n') {
        // Printed, it takes several lines, which come one by one.
        let lines = value.lines().map(str::trim);
        values.extend(lines.filter(|line| line.len() >= LEAST_LINE));
    }
    for value in values {
        let plain = plain(value);
        for form in &plain {
            add(&mut found, form.clone(), name, Edges::default());
        }
        // What is packed into base64 is the value itself, or a piece of JSON that holds it.
        let mut packed = vec![value.to_owned()];
        packed.extend(json(value));
        for text in packed {
            for (form, edges) in base64(text.as_bytes()) {
                add(&mut found, form, name, edges);
            }
        }
        for form in hexadecimal(value.as_bytes()) {
            add(&mut found, form, name, Edges::default());
        }
    }
    found.into_values().collect()
}

/// What of the surroundings of a form belongs to it.
#[derive(Debug, Clone, Copy, Default)]
struct Edges {
    left: bool,
    right: bool,
    padded: bool,
}

fn add(found: &mut BTreeMap<String, Needle>, text: String, name: &str, edges: Edges) {
    if text.is_empty() {
        return;
    }
    found.entry(text.clone()).or_insert(Needle {
        text,
        name: name.to_owned(),
        left: edges.left,
        right: edges.right,
        padded: edges.padded,
    });
}

/// Returns the forms that leave most characters as they are.
fn plain(value: &str) -> Vec<String> {
    // As logs show it, control characters made visible.
    let mut forms = vec![value.to_owned(), visible(value).into_owned()];
    forms.extend(shell(value));
    forms.extend(json(value));
    forms.extend(html(value));
    // Compose doubles each dollar, in whatever quotes.
    let doubled: Vec<String> = forms.iter().map(|form| form.replace('$', "$$")).collect();
    forms.extend(doubled);
    // JSON within JSON.
    let nested: Vec<String> = json(value).iter().flat_map(|form| json(form)).collect();
    forms.extend(nested);
    forms.extend(url(value));
    forms.sort();
    forms.dedup();
    forms
}

fn shell(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.replace('\'', r"'\''"),
        value.replace('\'', r#"'"'"'"#),
        escaped(value, |c| "\\\"$`".contains(c)),
        escaped(value, |c| {
            !(c.is_alphanumeric() || "_-./:@%+=,".contains(c))
        }),
        escaped(value, |c| c == '\'' || c == '\\'),
    ];
    if let Ok(quoted) = shlex::try_quote(value) {
        forms.push(quoted.trim_matches(['\'', '"']).to_owned());
    }
    forms
}

/// Returns the value with a backslash before each such character.
fn escaped(value: &str, special: impl Fn(char) -> bool) -> String {
    value.chars().fold(String::new(), |mut text, c| {
        if special(c) {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

/// Returns how JSON and its like may hold it: with as few escapes as possible, for ASCII only, safe within HTML, with slashes escaped.
fn json(value: &str) -> Vec<String> {
    let Ok(quoted) = serde_json::to_string(value) else {
        return Vec::new();
    };
    let least = quoted[1..quoted.len() - 1].to_owned();
    let unicode = |upper: bool, which: fn(char) -> bool| {
        least.chars().fold(String::new(), |mut text, c| {
            if which(c) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = if upper {
                        write!(text, "\\u{unit:04X}")
                    } else {
                        write!(text, "\\u{unit:04x}")
                    };
                }
            } else {
                text.push(c);
            }
            text
        })
    };
    let mut forms = vec![least.replace('/', r"\/")];
    for upper in [false, true] {
        forms.push(unicode(upper, |c| !c.is_ascii()));
        forms.push(unicode(upper, |c| !c.is_ascii() || "<>&".contains(c)));
        forms.push(unicode(upper, |c| !c.is_ascii() || "<>&'".contains(c)));
        forms.push(unicode(upper, |c| !c.is_ascii() || "<>&'+`=-;".contains(c)));
    }
    forms.push(least);
    forms.sort();
    forms.dedup();
    forms
}

fn html(value: &str) -> Vec<String> {
    let basic = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    vec![
        basic.replace('"', "&quot;").replace('\'', "&#x27;"),
        basic.replace('"', "&quot;").replace('\'', "&#39;"),
        basic.replace('"', "&#34;").replace('\'', "&#39;"),
        basic.replace('"', "&quot;"),
        basic,
    ]
}

/// Returns the value as URLs hold it: programs differ in what they leave as it is, in the case of digits, and in how they write a space.
fn url(value: &str) -> Vec<String> {
    let left = [
        "-._~",
        "-._~/",
        "-._",
        "-_.!~*'()",
        "-_.!~*'();,/?:@&=+$#",
        "-._*",
    ];
    let mut forms = Vec::new();
    for left in left {
        for upper in [true, false] {
            let form = percent(value, left, upper);
            forms.push(form.replace("%20", "+"));
            forms.push(form);
        }
    }
    forms
}

fn percent(value: &str, left: &str, upper: bool) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || left.as_bytes().contains(&byte) {
            text.push(char::from(byte));
        } else if upper {
            let _ = write!(text, "%{byte:02X}");
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
        text
    })
}

/// Returns the part of each encoding that depends on the value alone: it may begin at three places within a group, and what follows is not known.
fn base64(value: &[u8]) -> Vec<(String, Edges)> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let bytes = [&[0; 2][..before], value].concat();
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        if to < from + LEAST_ENCODED {
            continue;
        }
        let edges = Edges {
            left: before > 0,
            right: bytes.len() % 3 > 0,
            padded: true,
        };
        for alphabet in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let form = alphabet.encode(&bytes)[from..to].to_owned();
            forms.push((percent(&form, "-_", true), edges));
            forms.push((percent(&form, "-_", false), edges));
            forms.push((form, edges));
        }
    }
    forms
}

fn hexadecimal(value: &[u8]) -> [String; 2] {
    let lower = text::hexadecimal(value);
    [lower.to_uppercase(), lower]
}
