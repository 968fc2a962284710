//! Reading a `.env` file as Compose does, for the secrets that a host keeps.
//!
//! Files written by us come back exactly. Of a file that somebody edited, the usual forms are understood: unquoted values, comments, `export`. Variables
//! inside values are not expanded: a value that relies on that is not one of ours.

/// Returns the variables of a `.env` file in order; lines that are none are skipped.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(String, String)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    if !is_variable_name(name) {
        return None;
    }
    Some((name.to_owned(), parse_value(value.trim_start())))
}

/// Returns whether `name` can be a variable's name.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn parse_value(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        rest.split('\'').next().unwrap_or_default().to_owned()
    } else if let Some(rest) = value.strip_prefix('"') {
        decode_double_quoted(rest)
    } else {
        let end = value
            .match_indices('#')
            .map(|(at, _)| at)
            .find(|at| *at == 0 || value[..*at].ends_with([' ', '\t']))
            .unwrap_or(value.len());
        value[..end].trim_end().to_owned()
    }
}

fn decode_double_quoted(rest: &str) -> String {
    let mut value = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some(escaped @ ('\\' | '"' | '$')) => value.push(escaped),
                Some(other) => {
                    value.push('\\');
                    value.push(other);
                }
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("A=b", "A", "b")]
    #[case("  export A = b  # comment", "A", "b")]
    #[case("A=b#c", "A", "b#c")]
    #[case("A=#c", "A", "")]
    #[case("A='b' # comment", "A", "b")]
    #[case("A=\"b\\\"c\"", "A", "b\"c")]
    #[case("A=", "A", "")]
    fn forms_of_hand_written_files(#[case] line: &str, #[case] name: &str, #[case] value: &str) {
        assert_eq!(parse(line), [(name.to_owned(), value.to_owned())]);
    }

    #[test]
    fn what_is_no_variable_is_skipped() {
        assert!(parse("# A=b\n\nnonsense\n1A=b\n").is_empty());
    }
}
