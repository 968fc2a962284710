//! Amounts of bytes as people and Compose write them: `512m`, `4gb`, `100G`.
//!
//! Units are powers of 1024, as Compose reads them. Used by presets' needs, by questions of kind `size` and in templates.

/// A text that is no amount of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a size: write a whole number and a unit, such as `512mb` or `4gb`")]
pub struct InvalidSize {
    text: String,
}

/// Returns the number of bytes that `text` says.
///
/// # Errors
/// Fails when it is not a whole number with one of the units `b`, `k`, `m`, `g`, `t`, with or without a `b` behind, in either case.
pub fn parse(text: &str) -> Result<u64, InvalidSize> {
    let wrong = || InvalidSize {
        text: text.to_owned(),
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].to_ascii_lowercase();
    let shift = match unit.as_str() {
        "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// Writes an amount with the unit that keeps it short, for people: `64 GB`, `1.5 GB`, `300 MB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    let (unit, name) = if bytes >= 1 << 30 {
        (1 << 30, "GB")
    } else {
        (1 << 20, "MB")
    };
    let tenths = u128::from(bytes) * 10 / unit;
    if tenths % 10 == 0 || tenths >= 1000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("4gb", 4 << 30)]
    #[case("100G", 100 << 30)]
    #[case("512m", 512 << 20)]
    #[case("1TB", 1 << 40)]
    #[case("7b", 7)]
    fn amounts(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(parse(text), Ok(bytes));
    }

    #[rstest]
    #[case(4 << 30, "4 GB")]
    #[case(3 << 29, "1.5 GB")]
    #[case(300 << 20, "300 MB")]
    #[case(0, "0 MB")]
    fn for_people(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(human(bytes), expected);
    }

    #[rstest]
    #[case("")]
    #[case("4")]
    #[case("gb")]
    #[case("1.5gb")]
    #[case("4 gb")]
    #[case("-4gb")]
    #[case("99999999999999tb")]
    fn no_amounts(#[case] text: &str) {
        assert!(parse(text).is_err());
    }
}
