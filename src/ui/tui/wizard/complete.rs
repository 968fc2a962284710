//! Completing the path of a file as a shell does.

use camino::Utf8Path;

/// Returns `typed` with as much added as every file that begins so has in common; `None` when nothing can be added.
///
/// `locate` says where a path as typed really is; a folder ends in `/`.
pub(super) fn complete(typed: &str, locate: &dyn Fn(&str) -> String) -> Option<String> {
    let (folder, begin) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let looked_in = locate(if folder.is_empty() { "." } else { folder });
    let mut names: Vec<String> = Utf8Path::new(&looked_in)
        .read_dir_utf8()
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let hidden = name.starts_with('.') && !begin.starts_with('.');
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (name.starts_with(begin) && !hidden).then(|| format!("{name}{slash}"))
        })
        .collect();
    names.sort();
    let (first, others) = names.split_first()?;
    let mut common = first.as_str();
    for name in others {
        let same = common
            .char_indices()
            .zip(name.chars())
            .find(|((_, a), b)| a != b)
            .map_or(common.len().min(name.len()), |((at, _), _)| at);
        common = &common[..same];
    }
    (common.len() > begin.len()).then(|| format!("{folder}{common}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ce", Some("certs/"))]
    #[case("certs/", Some("certs/shop."))]
    #[case("certs/shop.c", Some("certs/shop.crt"))]
    #[case("certs/shop.crt", None)]
    #[case("none/", None)]
    #[case("", None)]
    #[case(".hi", Some(".hidden"))]
    fn as_a_shell_does(#[case] typed: &str, #[case] expected: Option<&str>) {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs_err::create_dir(root.join("certs")).unwrap();
        for name in ["certs/shop.crt", "certs/shop.key", "other", ".hidden"] {
            fs_err::write(root.join(name), "").unwrap();
        }
        let locate = |path: &str| root.join(path).into_string();
        assert_eq!(complete(typed, &locate).as_deref(), expected);
    }
}
