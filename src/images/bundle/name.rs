//! Names of entries: made plain, kept inside the archive, and read for what they say about the entry.

use crate::images::Digest;

/// The longest name that an entry may have.
const LONGEST: usize = 4096;

/// Returns a name without `.` and doubled slashes, or why it is refused.
pub(super) fn plain(name: &str) -> Result<String, &'static str> {
    join("", name)
}

/// Returns where a link of `from` leads, or why that is refused.
pub(super) fn target(from: &str, link: &str) -> Result<String, &'static str> {
    join(folder(from), link)
}

/// Returns the folder of a name; empty for the archive's own.
pub(super) fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the last part of a name.
pub(super) fn file(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Returns the name of something in a folder.
pub(super) fn join(folder: &str, name: &str) -> Result<String, &'static str> {
    if name.len() > LONGEST {
        return Err("its name is too long");
    }
    if name.starts_with('/') {
        return Err("its name is an absolute path");
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("its name leads out of the archive")?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Returns the digest that a name under `blobs/sha256/` states.
pub(super) fn blob(name: &str) -> Option<Digest> {
    let (folder, hex) = name.rsplit_once('/')?;
    (folder == "blobs/sha256" || folder.ends_with("/blobs/sha256"))
        .then(|| Digest::from_hex(hex))
        .flatten()
}

/// Returns the digest in the name of a configuration, `HEX.json` or `sha256:HEX`.
pub(super) fn config(name: &str) -> Option<Digest> {
    let file = file(name);
    let hex = file.strip_suffix(".json").unwrap_or(file);
    Digest::from_hex(hex.strip_prefix("sha256:").unwrap_or(hex))
}

/// Returns whether the name alone says that it is a layer: `…/layer.tar`, `HEX.tar`, `sha256:HEX.tar.gz`.
pub(super) fn is_layer(name: &str) -> bool {
    let file = file(name);
    if file == "layer.tar" {
        return true;
    }
    let Some((stem, ending)) = file.split_once('.') else {
        return false;
    };
    let hex = stem.strip_prefix("sha256:").unwrap_or(stem);
    Digest::from_hex(hex).is_some() && ending.split('.').any(|part| matches!(part, "tar" | "tgz"))
}

/// Returns whether the first entry of a tar looks like that of an image archive, or of a tar of such.
pub(super) fn begins_images(name: &str) -> bool {
    let name = name.trim_start_matches("./");
    let first = name.split('/').next().unwrap_or(name);
    let known = [
        "blobs",
        "index.json",
        "manifest.json",
        "oci-layout",
        "repositories",
        "",
    ];
    let packed = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];
    known.contains(&first)
        || packed.iter().any(|ending| name.ends_with(ending))
        || config(first).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("./manifest.json", Ok("manifest.json"))]
    #[case("a//b/./c", Ok("a/b/c"))]
    #[case("a/../b", Ok("b"))]
    #[case("../b", Err("its name leads out of the archive"))]
    #[case("a/../../b", Err("its name leads out of the archive"))]
    #[case("/etc/passwd", Err("its name is an absolute path"))]
    fn names(#[case] name: &str, #[case] expected: Result<&str, &'static str>) {
        assert_eq!(plain(name).as_deref().map_err(|why| *why), expected);
    }

    #[test]
    fn links_lead_from_their_folder() {
        assert_eq!(
            target("b/layer.tar", "../a/layer.tar").unwrap(),
            "a/layer.tar"
        );
        assert!(target("layer.tar", "../a").is_err());
    }

    #[rstest]
    #[case("abc/layer.tar", true)]
    #[case("abc/other.tar", false)]
    #[case("images.tar", false)]
    fn layers_by_name(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_layer(name), expected);
        let hex = "a".repeat(64);
        assert!(is_layer(&format!("{hex}.tar")) && is_layer(&format!("sha256:{hex}.tar.gz")));
        assert!(!is_layer(&format!("{hex}.json")));
    }

    #[rstest]
    #[case("blobs/", true)]
    #[case("./", true)]
    #[case("app.tar.gz", true)]
    #[case("usr/bin/", false)]
    #[case("etc/", false)]
    fn first_entries(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(begins_images(name), expected);
    }
}
