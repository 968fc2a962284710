//! The nearest known word to a mistyped one.

/// Returns the candidate that `word` most likely meant, when one is near enough.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&word, &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns how many letters differ.
#[must_use]
pub fn distance(word: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(word, other)
}

/// Returns `; did you mean …?` or the list of what is known.
#[must_use]
pub fn advice(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("addres", Some("address"))]
    #[case("private_address", Some("private-address"))]
    #[case("Roles", Some("roles"))]
    #[case("colour", None)]
    fn nearest_key(#[case] word: &str, #[case] expected: Option<&str>) {
        let known = ["name", "address", "private-address", "roles"];
        assert_eq!(nearest(word, known), expected);
    }
}
