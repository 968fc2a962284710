//! The difference between a file on a host and what shall stand there, without a secret of either.

use similar::TextDiff;

use crate::engine::action::Material;
use crate::transport::Input;

/// Stands for what is not shown.
const HIDDEN: &str = "‹not shown›";

/// Returns the unified difference, or `None` when the shown texts are the same.
pub(super) fn unified(path: &str, there: Option<&[u8]>, material: &Material) -> Option<String> {
    let before = match (there, &material.content) {
        (None, _) => String::new(),
        (Some(bytes), Input::Secret(_)) => masked(
            &String::from_utf8_lossy(bytes),
            &String::from_utf8_lossy(material.content.bytes()),
            &material.masked,
        ),
        (Some(bytes), _) => String::from_utf8_lossy(bytes).into_owned(),
    };
    if there.is_some() && before == material.masked {
        return None;
    }
    let old = match there {
        Some(_) => format!("{path} (on the host)"),
        None => "/dev/null".to_owned(),
    };
    Some(
        TextDiff::from_lines(&before, &material.masked)
            .unified_diff()
            .context_radius(3)
            .header(&old, path)
            .to_string(),
    )
}

/// Masks a file from the host line by line, knowing only what shall stand there: the host's own secrets may be others than ours.
///
/// A line is shown when it equals one of ours (then as ours is shown), or gives a variable of which we know that it is no secret. A variable that is a secret
/// shows its name only, and so does one that we do not know.
fn masked(there: &str, wanted: &str, shown: &str) -> String {
    let pairs: Vec<(&str, &str)> = wanted.lines().zip(shown.lines()).collect();
    // A secret of several lines shifts the lines that follow; then only names can be shown.
    let aligned = wanted.lines().count() == shown.lines().count();
    let mut text = String::new();
    for line in there.lines() {
        let same = pairs.iter().find(|(real, _)| aligned && *real == line);
        match (same, name(line)) {
            (Some((_, shown)), _) => text.push_str(shown),
            (None, Some(name)) if aligned && is_open(name, &pairs) => text.push_str(line),
            (None, Some(name)) => text.extend([name, "=", HIDDEN]),
            (None, None) if line.trim().is_empty() => text.push_str(line),
            (None, None) => text.push_str(HIDDEN),
        }
        text.push('\n');
    }
    if !there.ends_with('\n') {
        text.pop();
    }
    text
}

/// Returns the variable that a line gives.
fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Returns whether our own file gives this variable and shows its value.
fn is_open(variable: &str, pairs: &[(&str, &str)]) -> bool {
    pairs
        .iter()
        .any(|(real, shown)| name(real) == Some(variable) && real == shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> Material {
        Material {
            content: Input::Secret("# made by us\nPORT='3000'\nPASSWORD='new-secret'\n".into()),
            masked: "# made by us\nPORT='3000'\nPASSWORD=‹admin-password›\n".to_owned(),
        }
    }

    #[test]
    fn a_new_file_is_shown_whole_with_its_secrets_masked() {
        insta::assert_snapshot!(unified(".env", None, &material()).unwrap(), @r"
        --- /dev/null
        +++ .env
        @@ -0,0 +1,3 @@
        +# made by us
        +PORT='3000'
        +PASSWORD=‹admin-password›
        ");
    }

    #[test]
    fn secrets_of_the_host_are_hidden_although_we_do_not_know_them() {
        let there = b"PORT='8080'\nPASSWORD='old-secret'\nOTHER=their-secret\nfree text secret\n";
        let shown = unified(".env", Some(there), &material()).unwrap();
        assert!(!shown.contains("secret'") && !shown.contains("their-secret"));
        insta::assert_snapshot!(shown, @r"
        --- .env (on the host)
        +++ .env
        @@ -1,4 +1,3 @@
        -PORT='8080'
        -PASSWORD=‹not shown›
        -OTHER=‹not shown›
        -‹not shown›
        +# made by us
        +PORT='3000'
        +PASSWORD=‹admin-password›
        ");
    }

    #[test]
    fn the_same_file_has_no_difference() {
        let there = material().content.bytes().to_vec();
        assert_eq!(unified(".env", Some(&there), &material()), None);
    }
}
