//! Changes single keys of an answers file's text; comments and layout beside them stay.

use camino::Utf8Path;
use toml_edit::{Array, DocumentMut, Item, TableLike, Value, table};

use crate::model::ids::ImageId;
use crate::model::image::ImageRef;

/// Another release, as far as it is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReleaseChange<'a> {
    /// The tag of images that are not named one by one.
    pub tag: Option<&'a str>,
    /// Archives that images come from; none leaves the source as it is.
    pub bundles: &'a [&'a Utf8Path],
    /// Whole references by the image's part.
    pub refs: &'a [(&'a ImageId, &'a ImageRef)],
}

/// Returns the answers `text` with another release; `None` when it cannot be read as far as needed.
#[must_use]
pub fn with_release(text: &str, change: ReleaseChange<'_>) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let images = section(&mut document, "images")?;
    if let Some(tag) = change.tag {
        put(images, "tag", tag);
    }
    if !change.bundles.is_empty() {
        put(images, "source", "bundle");
        images.remove("bundle");
        let files: Array = change.bundles.iter().map(|file| file.as_str()).collect();
        put(images, "bundles", files);
    }
    if !change.refs.is_empty() {
        let refs = images.entry("refs").or_insert_with(table);
        let refs = refs.as_table_like_mut()?;
        for (id, reference) in change.refs {
            put(refs, id.as_str(), reference.to_string());
        }
    }
    Some(document.to_string())
}

/// Returns the text with one answer set.
pub(super) fn with_answer(text: &str, id: &str, answer: impl Into<Value>) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    put(section(&mut document, "answers")?, id, answer);
    Some(document.to_string())
}

/// Returns a section, made at the end where there is none.
pub(super) fn section<'d>(
    document: &'d mut DocumentMut,
    name: &str,
) -> Option<&'d mut dyn TableLike> {
    let section = document.entry(name).or_insert_with(table);
    section.as_table_like_mut()
}

/// Sets one key; what stands before and behind the old value stays.
pub(super) fn put(section: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    match section.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            section.insert(key, Item::Value(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version = 1 # of the format\n\n[images]   # where they come from\nsource = \"registry\" # ours\ntag    = \"1.9.0\"    # agreed in May\nbundle = \"old.tar\"\n\n[answers]\n# asked for by Jo\nnode-env = \"production\"\n";

    #[test]
    fn a_release_changes_its_keys_and_no_word_beside_them() {
        let ray: ImageId = "ray".parse().unwrap();
        let reference: ImageRef = ImageRef::parse("r.acme.example/ray:2").unwrap();
        let text = with_release(
            TEXT,
            ReleaseChange {
                tag: Some("1.10.0"),
                bundles: &["/a/new.tar".into()],
                refs: &[(&ray, &reference)],
            },
        );
        assert_eq!(
            text.unwrap(),
            "version = 1 # of the format\n\n[images]   # where they come from\nsource = \"bundle\" # ours\ntag    = \"1.10.0\"    # agreed in May\nbundles = [\"/a/new.tar\"]\n\n[images.refs]\nray = \"r.acme.example/ray:2\"\n\n[answers]\n# asked for by Jo\nnode-env = \"production\"\n"
        );
        assert_eq!(with_release(TEXT, ReleaseChange::default()).unwrap(), TEXT);
        assert_eq!(
            with_release(
                "images = 3",
                ReleaseChange {
                    tag: Some("1"),
                    ..ReleaseChange::default()
                }
            ),
            None
        );
    }
}
