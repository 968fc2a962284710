//! Amounts of bytes: read as presets write them, and written for people.

/// Bytes in a GiB.
pub(super) const GIB: u64 = 1 << 30;

/// Reads an amount such as `4gb`, `512m` or `100`; units are powers of 1024, as Docker takes them.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim();
    let factor: u64 = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    if let Ok(whole) = digits.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let (whole, tenths) = digits.split_once('.')?;
    let (whole, tenths): (u64, u64) = (whole.parse().ok()?, tenths.get(..1)?.parse().ok()?);
    Some(whole.checked_mul(factor)? + factor / 10 * tenths)
}

/// Writes an amount with the unit that keeps it short.
pub(super) fn human(bytes: u64) -> String {
    let (unit, name) = if bytes >= GIB {
        (GIB, "GB")
    } else {
        (1 << 20, "MB")
    };
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
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
    #[case("4gb", Some(4 * GIB))]
    #[case("512m", Some(512 << 20))]
    #[case("1.5 GiB", Some(3 * GIB / 2))]
    #[case("100", Some(100))]
    #[case("many", None)]
    #[case("4qb", None)]
    fn amounts(#[case] text: &str, #[case] expected: Option<u64>) {
        let found = parse(text);
        assert_eq!(found.map(|b| b / 1000), expected.map(|b| b / 1000));
    }

    #[rstest]
    #[case(4 * GIB, "4 GB")]
    #[case(3 * GIB / 2, "1.5 GB")]
    #[case(300 << 20, "300 MB")]
    #[case(0, "0 MB")]
    fn for_people(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(human(bytes), expected);
    }
}
