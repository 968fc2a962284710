//! Which of two releases is the newer one, as far as their tags say.

use std::cmp::Ordering;

/// Compares two tags; `None` when they are not of one kind. What stands behind the numbers, as in `1.9.0-cpu`, must be the same.
#[must_use]
pub fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (parse(one)?, parse(other)?);
    (one.1 == other.1).then(|| one.0.cmp(&other.0))
}

fn parse(tag: &str) -> Option<(Vec<u64>, &str)> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let end = tag.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, rest) = tag.split_at(end.unwrap_or(tag.len()));
    let numbers: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    Some((numbers?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1.9.0", "1.10.0", Some(Ordering::Less))]
    #[case("v2.0", "1.10.0", Some(Ordering::Greater))]
    #[case("1.9.0-cpu", "1.9.0-cpu", Some(Ordering::Equal))]
    #[case("1.9.0-cpu", "1.10.0", None)]
    #[case("latest", "1.10.0", None)]
    #[case("1..0", "1.10.0", None)]
    fn tags_of_one_kind_have_an_order(
        #[case] one: &str,
        #[case] other: &str,
        #[case] order: Option<Ordering>,
    ) {
        assert_eq!(compare(one, other), order);
    }
}
