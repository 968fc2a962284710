//! What a stream is, by its first bytes.

/// How many bytes are looked at: two tar blocks.
pub(super) const HEAD: usize = 1024;

/// The size of a tar block.
const BLOCK: usize = 512;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
    /// In a way that is known by name only.
    Unknown(&'static str),
}

impl Packing {
    /// Returns the packing of what begins so.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Self::Unknown("xz"),
            [b'B', b'Z', b'h', ..] => Self::Unknown("bzip2"),
            [b'P', b'K', 3, 4, ..] => Self::Unknown("zip"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::Unknown("7z"),
            _ => Self::None,
        }
    }
}

/// What content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A tar archive.
    Tar,
    /// JSON, most likely.
    Json,
    /// Nothing at all.
    Nothing,
    /// Something else.
    Other,
}

/// Returns what content is that begins so.
pub(super) fn content(head: &[u8]) -> Content {
    if head.is_empty() {
        return Content::Nothing;
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        Content::Json
    } else if is_tar(head) {
        Content::Tar
    } else {
        Content::Other
    }
}

/// Returns whether a tar header comes first, or the two empty blocks that end a tar.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK) else {
        return false;
    };
    if block.iter().all(|byte| *byte == 0) {
        return head.len() == HEAD && head.iter().all(|byte| *byte == 0);
    }
    let mut sum = 0_u64;
    for (at, byte) in block.iter().enumerate() {
        sum += u64::from(if (148..156).contains(&at) {
            b' '
        } else {
            *byte
        });
    }
    let field = String::from_utf8_lossy(&block[148..156]).into_owned();
    let field = field.trim_matches(|c: char| c == '\0' || c == ' ');
    u64::from_str_radix(field, 8) == Ok(sum)
}

/// Returns the name in the first tar header, and whether it stands for the entry behind it.
pub(super) fn first_name(head: &[u8]) -> Option<(String, bool)> {
    let block = head.get(..BLOCK)?;
    let name = block[..100].split(|byte| *byte == 0).next()?;
    let stands_in = matches!(block[156], b'x' | b'g' | b'L' | b'K');
    Some((String::from_utf8_lossy(name).into_owned(), stands_in))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"\x1f\x8b\x08\0\0\0", Packing::Gzip)]
    #[case(b"\x28\xb5\x2f\xfd\0\0", Packing::Zstd)]
    #[case(b"\xfd7zXZ\0", Packing::Unknown("xz"))]
    #[case(b"manife", Packing::None)]
    #[case(b"", Packing::None)]
    fn packings(#[case] head: &[u8], #[case] expected: Packing) {
        assert_eq!(Packing::of(head), expected);
    }

    #[test]
    fn contents() {
        assert_eq!(content(b""), Content::Nothing);
        assert_eq!(content(b" [{"), Content::Json);
        assert_eq!(content(b"#!/bin/sh\n"), Content::Other);
        assert_eq!(content(&[0; 1024]), Content::Tar);
        assert_eq!(content(&[0; 512]), Content::Other);
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(3);
        tar.append_data(&mut header, "a/layer.tar", &b"abc"[..])
            .unwrap();
        let bytes = tar.into_inner().unwrap();
        assert_eq!(content(&bytes), Content::Tar);
        assert_eq!(first_name(&bytes), Some(("a/layer.tar".to_owned(), false)));
    }
}
