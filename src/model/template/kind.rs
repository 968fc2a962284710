//! The kinds of files templates make, and how each writes a value.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, Value};

/// What kind of text a template makes; it decides how values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For people, or one whole argument: values as they are.
    Text,
    /// A `.env` file: one value a line.
    Env,
    /// A Compose file: every value is a JSON scalar or list, with `$` doubled.
    Yaml,
    /// A JSON body: every value is a JSON scalar or list.
    Json,
    /// A configuration file without quoting rules we could rely on: letters, digits and `._:/-` only.
    Conf,
    /// A shell script: every value is one word.
    Shell,
    /// A Python file: every value is a literal, or a list of them.
    Python,
}

impl Kind {
    /// Returns the kind of a template by its file name; what is not known gets the strictest rule.
    #[must_use]
    pub fn of(template: &str) -> Self {
        let name = template.rsplit('/').next().unwrap_or(template);
        match name.rsplit('.').next().unwrap_or(name) {
            "env" => Self::Env,
            "yaml" | "yml" => Self::Yaml,
            "json" => Self::Json,
            "sh" => Self::Shell,
            "py" => Self::Python,
            "md" | "txt" => Self::Text,
            _ => Self::Conf,
        }
    }

    /// Writes a value in this kind's way.
    pub(super) fn write(self, out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
        if value.is_undefined() {
            return Err(Error::new(
                ErrorKind::UndefinedError,
                "a name is not defined",
            ));
        }
        if value.is_none() {
            return Err(refusal("it has no value here"));
        }
        let text = match self {
            Self::Yaml => json(value)?.replace('$', "$$"),
            Self::Json => json(value)?,
            Self::Python => python(value)?,
            Self::Text => scalar(value)?,
            Self::Env => one_line(scalar(value)?)?,
            Self::Conf => plain(scalar(value)?)?,
            Self::Shell => shlex::try_quote(&scalar(value)?)
                .map_err(|_| refusal("it holds a NUL character"))?
                .into_owned(),
        };
        out.write_str(&text).map_err(Error::from)
    }
}

fn refusal(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

/// Returns the text of a string, number or boolean.
fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        _ => Err(refusal("a list cannot stand here")),
    }
}

fn one_line(text: String) -> Result<String, Error> {
    if text.contains(['\n', '\r']) {
        return Err(refusal(
            "it holds a line break, which a `.env` file cannot carry",
        ));
    }
    Ok(text)
}

fn plain(text: String) -> Result<String, Error> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-');
    if text.chars().all(safe) {
        Ok(text)
    } else {
        Err(refusal(
            "it holds a character that cannot stand in a configuration file: only letters, digits and `._:/-` can",
        ))
    }
}

/// Returns a value as JSON that is also YAML: control characters escaped.
fn json(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Bool | ValueKind::Number => Ok(value.to_string()),
        ValueKind::String => Ok(json_text(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value
                .try_iter()?
                .map(|item| json(&item))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        _ => Err(refusal(
            "only texts, numbers, booleans and lists can stand here",
        )),
    }
}

/// Returns a value as Python reads it: JSON's texts, numbers and lists are literals there too, its booleans are not.
fn python(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Bool if value.is_true() => Ok("True".to_owned()),
        ValueKind::Bool => Ok("False".to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value
                .try_iter()?
                .map(|item| python(&item))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        _ => json(value),
    }
}

fn json_text(text: &str) -> String {
    let mut json = serde_json::Value::from(text).to_string();
    // YAML takes fewer characters raw than JSON does.
    for c in text.chars() {
        let raw_in_json = matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
        );
        if raw_in_json && json.contains(c) {
            json = json.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ray/head.env", Kind::Env)]
    #[case("env", Kind::Env)]
    #[case("ray/docker-compose.yaml", Kind::Yaml)]
    #[case("proxy/nginx.conf", Kind::Conf)]
    #[case("postgres/init.sh", Kind::Shell)]
    #[case("README.md", Kind::Text)]
    #[case("jupyterhub_config.py", Kind::Python)]
    #[case("settings.ini", Kind::Conf)]
    fn kinds_by_name(#[case] template: &str, #[case] kind: Kind) {
        assert_eq!(Kind::of(template), kind);
    }
}
