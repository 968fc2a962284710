//! Image archives read while somebody still types: what is in them, and what a deployment lacks there.
//!
//! They are read into the same store that a deployment uses, so that nothing is read twice. One reading at a time; another choice calls it off.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use camino::Utf8PathBuf;

use crate::engine::cancel::Cancel;
use crate::images::ImagesError;
use crate::images::blobs::{self, BlobStore};
use crate::images::bundle;
use crate::images::matching::{Need, compare};
use crate::model::bundle::BundledImage;
use crate::model::failure::Failure;
use crate::model::ids::ImageId;
use crate::model::image::ImageRef;
use crate::model::preset::Preset;

/// How far reading has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Nothing was chosen.
    Nothing,
    /// At work.
    At {
        /// The file that is read now.
        file: Utf8PathBuf,
        /// Hundredths of it that are read.
        percent: u8,
    },
    /// All is read.
    Done(Vec<BundledImage>),
    /// One of them is no sound archive.
    Failed(Failure),
}

/// An image that a deployment needs and the archives lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// What runs in it.
    pub title: String,
    /// Its full reference.
    pub reference: ImageRef,
    /// Names in the archives that may be meant, the likeliest first.
    pub near: Vec<String>,
}

/// The reading of the archives that are chosen.
pub struct Archives {
    store: Utf8PathBuf,
    files: Vec<Utf8PathBuf>,
    reading: Reading,
    cancel: Cancel,
    round: u64,
    sender: Sender<(u64, Reading)>,
    reports: Receiver<(u64, Reading)>,
}

impl std::fmt::Debug for Archives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Archives({:?})", self.files)
    }
}

impl Archives {
    /// Reads into the store at `store`, once something is chosen.
    #[must_use]
    pub fn new(store: Utf8PathBuf) -> Self {
        let (sender, reports) = channel();
        Self {
            store,
            files: Vec::new(),
            reading: Reading::Nothing,
            cancel: Cancel::new(),
            round: 0,
            sender,
            reports,
        }
    }

    /// Reads these archives; the same ones are not read again.
    pub fn choose(&mut self, files: Vec<Utf8PathBuf>) {
        if files == self.files {
            return;
        }
        self.cancel.raise();
        self.cancel = Cancel::new();
        self.round += 1;
        self.files.clone_from(&files);
        let Some(first) = files.first() else {
            self.reading = Reading::Nothing;
            return;
        };
        self.reading = Reading::At {
            file: first.clone(),
            percent: 0,
        };
        let (round, sender) = (self.round, self.sender.clone());
        let (store, cancel) = (self.store.clone(), self.cancel.clone());
        thread::spawn(move || {
            let mut tell = |reading| sender.send((round, reading)).is_ok();
            let reading = match read(&store, &files, &cancel, &mut tell) {
                Ok(images) => Reading::Done(images),
                Err(error) => Reading::Failed(Failure::from_error(&error)),
            };
            tell(reading);
        });
    }

    /// Takes in what was heard; returns whether anything was. Never blocks.
    pub fn hear(&mut self) -> bool {
        let mut heard = false;
        while let Ok((round, reading)) = self.reports.try_recv() {
            if round == self.round {
                self.reading = reading;
                heard = true;
            }
        }
        heard
    }

    /// Returns how far reading has come.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Returns what a deployment with these references lacks; nothing before all is read.
    #[must_use]
    pub fn lacking(
        &self,
        preset: &Preset,
        references: &BTreeMap<ImageId, ImageRef>,
    ) -> Vec<Lacking> {
        let Reading::Done(bundled) = &self.reading else {
            return Vec::new();
        };
        let images = preset.parts.images.iter();
        let needs: Vec<Need<'_>> = images
            .filter_map(|image| {
                Some(Need {
                    id: &image.id,
                    reference: references.get(&image.id)?,
                    aliases: &image.aliases,
                    tag_endings: &image.tag_endings,
                })
            })
            .collect();
        let title = |id: &ImageId| {
            let image = preset.parts.images.iter().find(|image| image.id == *id);
            image.map_or_else(|| id.to_string(), |image| image.title.clone())
        };
        let missing = compare(bundled, &needs).missing.into_iter();
        missing
            .map(|missing| Lacking {
                title: title(&missing.id),
                reference: missing.reference,
                near: missing.near,
            })
            .collect()
    }
}

impl Drop for Archives {
    fn drop(&mut self) {
        self.cancel.raise();
    }
}

/// Reads every archive and returns all images; what is in two of them counts once.
fn read(
    store: &Utf8PathBuf,
    files: &[Utf8PathBuf],
    cancel: &Cancel,
    tell: &mut dyn FnMut(Reading) -> bool,
) -> Result<Vec<BundledImage>, ImagesError> {
    let store = BlobStore::open(store, blobs::LIMIT)?;
    let mut images: Vec<BundledImage> = Vec::new();
    for file in files {
        let mut told = None;
        let found = bundle::read(file, &store, &mut |progress| {
            let percent = progress.done * 100 / progress.total.max(1);
            let percent = u8::try_from(percent).unwrap_or(100);
            let mut heard = true;
            if told != Some(percent) {
                told = Some(percent);
                heard = tell(Reading::At {
                    file: file.clone(),
                    percent,
                });
            }
            if heard && !cancel.is_raised() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        for image in found {
            if !images.contains(&image) {
                images.push(image);
            }
        }
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_file_that_is_no_archive_is_told_and_not_read_twice() {
        let dir = tempfile::tempdir().unwrap();
        let root = camino::Utf8Path::from_path(dir.path()).unwrap();
        fs_err::write(root.join("notes.txt"), "no archive at all").unwrap();
        let mut archives = Archives::new(root.join("store"));
        assert_eq!(*archives.reading(), Reading::Nothing);
        archives.choose(vec![root.join("notes.txt")]);
        let began = Instant::now();
        while matches!(archives.reading(), Reading::At { .. }) {
            assert!(began.elapsed() < Duration::from_secs(20));
            archives.hear();
            thread::sleep(Duration::from_millis(5));
        }
        assert!(matches!(archives.reading(), Reading::Failed(_)));
        archives.choose(vec![root.join("notes.txt")]);
        assert!(matches!(archives.reading(), Reading::Failed(_)));
        archives.choose(Vec::new());
        assert_eq!(*archives.reading(), Reading::Nothing);
    }
}
