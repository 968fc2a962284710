//! Goes through an archive entry by entry, deciding what each is, and into archives inside it.

use std::io::{self, Read};
use std::rc::Rc;

use tar::{Entry, EntryType};

use super::assemble::Parts;
use super::name;
use super::nest::{Kind, Raw, judge};
use super::sniff::{Content, Packing, content};
use super::stream::{self, CHUNK, Gauge, Meter, Stop, Tap};
use super::{Limits, Tell};
use crate::images::blobs::BlobStore;
use crate::images::{Digest, ImagesError};
use crate::model::bundle::BundledImage;

/// One pass over one file.
pub(super) struct Walk<'a> {
    store: &'a BlobStore,
    limits: Limits,
    gauge: Rc<Gauge>,
    entries: u64,
    documents: u64,
    buffer: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(store: &'a BlobStore, limits: Limits) -> Self {
        Self {
            store,
            limits,
            gauge: Gauge::new(limits),
            entries: 0,
            documents: 0,
            buffer: vec![0; CHUNK],
        }
    }

    /// Reads the file itself, of `total` bytes.
    pub(super) fn file(
        mut self,
        place: &str,
        source: impl Read,
        total: u64,
        tell: Tell<'_>,
    ) -> Result<Vec<BundledImage>, ImagesError> {
        let meter = Meter::new(source, Rc::clone(&self.gauge), total, tell);
        let gauge = Rc::clone(&self.gauge);
        let opened = stream::open(meter, &gauge).map_err(|error| self.told(place, &error))?;
        let no = |detail: String| ImagesError::NotAnArchive {
            place: place.to_owned(),
            detail,
        };
        match (opened.packing, content(&opened.head)) {
            (Packing::Unknown(packer), _) => {
                return Err(no(format!("it is compressed by {packer}")));
            }
            (_, Content::Tar) => {}
            (_, Content::Nothing) => return Err(no("it is empty".to_owned())),
            _ => return Err(no("it is no tar archive".to_owned())),
        }
        self.archive(place, opened.plain, 1)
    }

    /// Reads one archive to its end and returns its images, and those of archives in it.
    fn archive(
        &mut self,
        place: &str,
        plain: impl Read,
        depth: usize,
    ) -> Result<Vec<BundledImage>, ImagesError> {
        let mut parts = Parts::default();
        let mut images = Vec::new();
        let mut archive = tar::Archive::new(Tap::new(plain, &self.gauge));
        {
            let mut entries = archive
                .entries()
                .map_err(|error| self.told(place, &error))?;
            loop {
                self.gauge.headers_begin();
                let next = entries.next();
                self.gauge.headers_end();
                let Some(entry) = next else { break };
                let entry = entry.map_err(|error| self.told(place, &error))?;
                images.extend(self.entry(place, entry, depth, &mut parts)?);
            }
        }
        // What follows the end is padding; reading it lets a decoder check its sum.
        self.drain(&mut archive.into_inner())
            .map_err(|error| self.told(place, &error))?;
        self.documents -= parts.document_bytes();
        for image in parts.images(place, self.store)? {
            if !images.contains(&image) {
                images.push(image);
            }
        }
        Ok(images)
    }

    fn entry<R: Read>(
        &mut self,
        place: &str,
        mut entry: Entry<'_, R>,
        depth: usize,
        parts: &mut Parts,
    ) -> Result<Vec<BundledImage>, ImagesError> {
        self.entries += 1;
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown: String = written.chars().take(200).collect();
        let at = format!("{place} > {shown}");
        let refuse = |detail: &str| ImagesError::Refused {
            place: at.clone(),
            detail: detail.to_owned(),
        };
        if self.entries > self.limits.entries {
            return Err(refuse(&format!(
                "more than {} entries",
                self.limits.entries
            )));
        }
        let name = name::plain(&written).map_err(refuse)?;
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => {
                self.drain(&mut entry)
                    .map_err(|error| self.told(&at, &error))?;
            }
            EntryType::Regular | EntryType::Continuous => {
                return self.regular(&at, &name, entry, depth, parts);
            }
            kind @ (EntryType::Symlink | EntryType::Link) => {
                let link = entry.link_name_bytes().unwrap_or_default();
                let link = String::from_utf8_lossy(&link).into_owned();
                let target = match kind {
                    EntryType::Symlink => name::target(&name, &link),
                    _ => name::plain(&link),
                };
                let target = target.map_err(|_| refuse("a link that leads out of the archive"))?;
                parts.link(name, target);
            }
            EntryType::GNUSparse => return Err(refuse("a sparse file")),
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                return Err(refuse("a device or pipe"));
            }
            other => return Err(refuse(&format!("an entry of the unknown kind {other:?}"))),
        }
        Ok(Vec::new())
    }

    /// Reads a regular file to its end, whatever it is.
    fn regular<R: Read>(
        &mut self,
        at: &str,
        name: &str,
        entry: Entry<'_, R>,
        depth: usize,
        parts: &mut Parts,
    ) -> Result<Vec<BundledImage>, ImagesError> {
        let size = entry.size();
        let stated = name::blob(name);
        let gauge = Rc::clone(&self.gauge);
        let mut raw = Raw::begin(entry, stated.is_some()).map_err(|error| self.told(at, &error))?;
        let mut images = Vec::new();
        let mut found = None;
        {
            let mut opened =
                stream::open(&mut raw, &gauge).map_err(|error| self.told(at, &error))?;
            match judge(name, size <= self.limits.document, &opened) {
                Kind::Document => {
                    found = Some(self.document(at, size, &mut opened.plain, parts, name)?);
                }
                Kind::Layer => {
                    let expected = stated.filter(|_| opened.packing == Packing::None);
                    found = Some(self.layer(at, expected, &mut opened.plain, parts, name)?);
                }
                Kind::Archive if depth < self.limits.depth => {
                    images = self.archive(at, opened.plain, depth + 1)?;
                }
                Kind::Archive => {
                    return Err(ImagesError::Refused {
                        place: at.to_owned(),
                        detail: format!("archives in archives more than {depth} deep"),
                    });
                }
                Kind::Other => {}
            }
        }
        self.drain(&mut raw)
            .map_err(|error| self.told(at, &error))?;
        if raw.count < size {
            return Err(self.cut_off(at));
        }
        if let Some(stated) = stated {
            // What was not packed has the same digest before and after.
            let found = raw.digest().or(found);
            if found.is_some_and(|found| found != stated) {
                return Err(not_as_named(at, stated));
            }
        }
        Ok(images)
    }

    /// Keeps a manifest, configuration or the like; returns its digest.
    fn document(
        &mut self,
        at: &str,
        size: u64,
        plain: &mut dyn Read,
        parts: &mut Parts,
        name: &str,
    ) -> Result<Digest, ImagesError> {
        self.documents += size;
        if self.documents > self.limits.documents {
            return Err(ImagesError::Refused {
                place: at.to_owned(),
                detail: format!("more than {} MB of manifests", self.limits.documents >> 20),
            });
        }
        let mut bytes = Vec::new();
        let room = self.limits.document;
        plain
            .take(room)
            .read_to_end(&mut bytes)
            .map_err(|error| self.told(at, &error))?;
        let digest = Digest::of(&bytes);
        parts
            .document(name, digest, bytes, size)
            .map_err(|detail| damaged(at, detail))?;
        Ok(digest)
    }

    /// Takes a layer into the store; returns the digest of its uncompressed content.
    fn layer(
        &mut self,
        at: &str,
        expected: Option<Digest>,
        plain: &mut dyn Read,
        parts: &mut Parts,
        name: &str,
    ) -> Result<Digest, ImagesError> {
        let mut writer = self.store.layer_writer(expected)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = loop {
            match plain.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    if let Err(error) = writer.take(&buffer[..count]) {
                        break Err(self.store.sense_of(error));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(self.told(at, &error)),
            }
        };
        self.buffer = buffer;
        taken?;
        let (diff_id, record) = writer.finish()?;
        if let Some(record) = record {
            parts
                .layer(name, record)
                .map_err(|detail| damaged(at, detail))?;
        }
        Ok(diff_id)
    }

    fn drain(&mut self, source: &mut dyn Read) -> io::Result<()> {
        loop {
            match source.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn cut_off(&self, place: &str) -> ImagesError {
        ImagesError::Truncated {
            place: place.to_owned(),
            at: self.gauge.read.get(),
        }
    }

    /// Returns what an error of reading means.
    fn told(&self, place: &str, error: &io::Error) -> ImagesError {
        let place = place.to_owned();
        match self.gauge.stopped() {
            Some(Stop::Cancelled) => ImagesError::Cancelled,
            Some(Stop::TooMuch(detail)) => ImagesError::Refused { place, detail },
            Some(Stop::Unreadable(detail)) => ImagesError::Unreadable {
                path: place,
                detail,
            },
            Some(Stop::CutOff) => self.cut_off(&place),
            Some(Stop::Damaged(detail)) => ImagesError::Damaged { place, detail },
            None if is_end(error) => self.cut_off(&place),
            None => ImagesError::Damaged {
                place,
                detail: error.to_string(),
            },
        }
    }
}

/// Returns whether the tar reader found the archive's end where none should be.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
        || error.to_string().contains("failed to read entire block")
        || error.to_string().contains("no future member found")
}

fn damaged(place: &str, detail: String) -> ImagesError {
    ImagesError::Damaged {
        place: place.to_owned(),
        detail,
    }
}

fn not_as_named(place: &str, stated: Digest) -> ImagesError {
    damaged(place, format!("its content is not that of {stated}"))
}
