//! Single values of an answers file, without their places.

use toml::de::DeValue;

use crate::model::secret::{CommandLine, SecretSource};

/// Returns where a secret comes from, when the entry says so in exactly one way.
pub(super) fn secret_source(value: &DeValue<'_>) -> Option<SecretSource> {
    let table = value.as_table()?;
    let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
    let text = value.get_ref().as_str().filter(|text| !text.is_empty());
    match key.get_ref().as_ref() {
        "env" => Some(SecretSource::Env(text?.to_owned())),
        "file" => Some(SecretSource::File(text?.into())),
        "command" => {
            if let Some(line) = text {
                return Some(SecretSource::Command(CommandLine::Line(line.to_owned())));
            }
            let words: Option<Vec<String>> = value
                .get_ref()
                .as_array()?
                .iter()
                .map(|word| word.get_ref().as_str().map(str::to_owned))
                .collect();
            let words = words.filter(|words| !words.is_empty())?;
            Some(SecretSource::Command(CommandLine::Arguments(words)))
        }
        _ => None,
    }
}

/// Returns a value without its places; numbers that do not fit stay text.
pub(super) fn plain_value(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = i64::from_str_radix(number.as_str(), number.radix());
            digits.map_or_else(
                |_| toml::Value::String(number.to_string()),
                toml::Value::Integer,
            )
        }
        DeValue::Float(number) => number.as_str().parse().map_or_else(
            |_| toml::Value::String(number.to_string()),
            toml::Value::Float,
        ),
        DeValue::Boolean(value) => toml::Value::Boolean(*value),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(items) => toml::Value::Array(
            items
                .iter()
                .map(|item| plain_value(item.get_ref()))
                .collect(),
        ),
        DeValue::Table(table) => toml::Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), plain_value(value.get_ref())))
                .collect(),
        ),
    }
}
