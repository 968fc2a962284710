//! Archives that were made to do harm, larger than a test could write down.

use std::io;

use super::*;

/// A tar of empty files without end, made as it is read; counts what was taken of it.
struct Endless {
    number: u64,
    block: Vec<u8>,
    taken: u64,
}

impl Endless {
    fn new() -> Self {
        Self {
            number: 0,
            block: Vec::new(),
            taken: 0,
        }
    }

    fn refill(&mut self) {
        let mut header = tar::Header::new_gnu();
        header.set_path(format!("file-{}", self.number)).unwrap();
        header.set_size(0);
        header.set_cksum();
        self.block = header.as_bytes().to_vec();
        self.number += 1;
    }
}

impl io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            self.refill();
        }
        let count = buffer.len().min(self.block.len());
        buffer[..count].copy_from_slice(&self.block[..count]);
        self.block.drain(..count);
        self.taken += count as u64;
        Ok(count)
    }
}

#[test]
fn a_million_entries_are_not_waited_for() {
    let place = Place::new();
    let mut endless = Endless::new();
    let error = read_from(
        "images.tar",
        &mut endless,
        1 << 40,
        &place.store,
        Limits::default(),
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "images.tar > file-100000 is refused: more than 100000 entries"
    );
    assert!(endless.taken < 101_000 * 512, "{} bytes", endless.taken);
}

#[rstest]
#[case::block(tar::EntryType::Block)]
#[case::char(tar::EntryType::Char)]
#[case::fifo(tar::EntryType::Fifo)]
fn devices_are_refused_wherever_they_pretend_to_be(#[case] kind: tar::EntryType) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_path("manifest.json").unwrap();
    header.set_size(0);
    header.set_device_major(8).unwrap();
    header.set_device_minor(0).unwrap();
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &b""[..]).unwrap();
    assert_eq!(
        fault(&builder.into_inner().unwrap()),
        "images.tar > manifest.json is refused: a device or pipe"
    );
}

/// A layer is a tar, too, with everything that a container needs in it; it is kept as it is and never unpacked, so nothing of it can get out.
#[test]
fn what_a_layer_names_never_becomes_a_file_here() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("escaped");
    let mut layer = tar::Builder::new(Vec::new());
    for name in [target.to_str().unwrap(), "../../../escaped"] {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        let length = name.len().min(field.len());
        field[..length].copy_from_slice(&name.as_bytes()[..length]);
        header.set_size(4);
        header.set_cksum();
        layer.append(&header, &b"harm"[..]).unwrap();
    }
    let layer = layer.into_inner().unwrap();
    let mut hostile = image("app:1", &["base"]);
    hostile.layers = vec![layer];
    let place = Place::new();
    let read = read_bytes(&place, &packed(&legacy(&[hostile]))).unwrap();
    assert!(place.store.holds(&read[0]));
    assert!(!target.exists());
}
