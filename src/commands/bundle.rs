//! `bundle`: image archives made, looked into, checked and pushed, and the store they are read into. No host and no Docker is needed.

mod access;
mod advice;
mod create;
mod push;
mod show;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use camino::{Utf8Path, Utf8PathBuf};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{Session, drive};
use crate::cli::{ArchivesArgs, BundleCommand, StoreArgs};
use crate::images::blobs::{self, BlobStore, Stamp, Usage};
use crate::images::bundle::{self, Progress};
use crate::images::matching::{Comparison, Need, compare};
use crate::images::{Digest, ImagesError};
use crate::model::answers::ImagesSection;
use crate::model::bundle::BundledImage;
use crate::model::failure::Failure;
use crate::model::ids::{ImageId, PresetId};
use crate::model::image::{ImageRef, canonical};
use crate::model::preset::Preset;
use crate::model::validate::{every_reference, usual_references};
use crate::report::{Paint, Tone};
use crate::ui::amounts::{bytes, count};

/// What was found in archives.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Contents {
    images: Vec<BundledImage>,
    serves: Vec<Served>,
    /// What archives that this program made say of themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<Origin>,
}

/// An archive that this program made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Origin {
    file: Utf8PathBuf,
    #[serde(flatten)]
    contents: bundle::Contents,
}

impl Origin {
    fn of(file: &Utf8Path) -> Option<Self> {
        Some(Self {
            file: file.to_owned(),
            contents: bundle::Contents::of(file)?,
        })
    }

    /// Returns what it is to its preset: the images that it names for each part.
    fn images(&self) -> ImagesSection {
        let images = self.contents.images.iter();
        let refs =
            images.filter_map(|image| Some((image.id.clone(), ImageRef::parse(&image.name).ok()?)));
        ImagesSection {
            tag: self.contents.tag.clone(),
            refs: refs.collect(),
            ..ImagesSection::default()
        }
    }
}

/// What archives are to one preset at one release, when its questions keep their defaults.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Served {
    preset: PresetId,
    tag: String,
    #[serde(flatten)]
    comparison: Comparison,
}

/// Runs one of the commands.
///
/// # Errors
/// Fails when an archive is not whole and sound, or the store cannot be used.
pub(super) fn run(session: &Session, command: &BundleCommand) -> Result<u8, Failure> {
    match command {
        BundleCommand::Inspect(args) => inspect(session, args),
        BundleCommand::Verify(args) => verify(session, args),
        BundleCommand::Create(args) => create::run(session, args),
        BundleCommand::Push(args) => push::run(session, args),
        BundleCommand::Store(args) => store(session, args),
    }
}

fn inspect(session: &Session, args: &ArchivesArgs) -> Result<u8, Failure> {
    let images = read(session, args, bundle::read)?;
    let made: Vec<Origin> = args
        .files
        .iter()
        .filter_map(|file| Origin::of(file))
        .collect();
    let contents = Contents {
        serves: served(session, &images, &made)?,
        images,
        made,
    };
    if args.json {
        session.printer.data(&as_json(&contents)?);
        return Ok(0);
    }
    for line in described(&contents, session.printer.out_paint()) {
        session.printer.data(&line);
    }
    Ok(0)
}

fn verify(session: &Session, args: &ArchivesArgs) -> Result<u8, Failure> {
    let images = read(session, args, bundle::read_again)?;
    if args.json {
        session.printer.data(&as_json(&images)?);
    } else {
        let size = images.iter().map(BundledImage::size).sum();
        session.printer.data(&format!(
            "whole and sound: {}, {} unpacked",
            count(images.len(), "image"),
            bytes(size)
        ));
    }
    Ok(0)
}

/// Reads every archive and returns all images; what is in two of them counts once.
fn read(session: &Session, args: &ArchivesArgs, how: Reader) -> Result<Vec<BundledImage>, Failure> {
    let store = BlobStore::open(session.home.images(), blobs::LIMIT)?;
    let mut images: Vec<BundledImage> = Vec::new();
    for file in &args.files {
        for image in read_one(session, file, &store, how)? {
            if !images.contains(&image) {
                images.push(image);
            }
        }
    }
    Ok(images)
}

fn read_one(
    session: &Session,
    file: &Utf8Path,
    store: &BlobStore,
    how: Reader,
) -> Result<Vec<BundledImage>, Failure> {
    let bar = bar(session, file);
    let found = how(file, store, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    Ok(found?)
}

/// Reads one archive into the store.
type Reader = fn(
    &Utf8Path,
    &BlobStore,
    &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<BundledImage>, ImagesError>;

fn bar(session: &Session, file: &Utf8Path) -> ProgressBar {
    if !session.printer.bars() {
        return ProgressBar::hidden();
    }
    let template = "reading {msg}  {bar:24}  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_message(file.file_name().unwrap_or(file.as_str()).to_owned())
}

/// Returns what the images are to every preset that one of them belongs to, at the release that most of them have.
fn served(
    session: &Session,
    images: &[BundledImage],
    made: &[Origin],
) -> Result<Vec<Served>, Failure> {
    let presets = session.presets();
    let mut served = Vec::new();
    for id in presets.ids() {
        let preset = presets.load(&id)?;
        if let Some(origin) = made.iter().rfind(|origin| origin.contents.preset == id) {
            let references = every_reference(&preset, &origin.images()).0;
            served.push(Served {
                tag: origin.contents.tag.clone().unwrap_or_default(),
                comparison: of_preset(&preset, &references, images),
                preset: id,
            });
            continue;
        }
        let any = usual_references(&preset, "any");
        let best = tags(images)
            .into_iter()
            .filter_map(|tag| {
                let here = usual_references(&preset, &tag);
                let comparison = of_preset(&preset, &here, images);
                // An image that every release uses says nothing about this one.
                let counts = |id: &&ImageId| here.get(*id) != any.get(*id);
                let fitting = comparison.found.iter().filter(counts).count();
                (fitting > 0).then_some((fitting, tag, comparison))
            })
            .max_by_key(|(fitting, ..)| *fitting);
        served.extend(best.map(|(_, tag, comparison)| Served {
            preset: id,
            tag,
            comparison,
        }));
    }
    Ok(served)
}

/// Returns every preset that these images are enough for, when its questions keep their defaults.
fn served_whole(
    session: &Session,
    names: &[ImageRef],
    tag: Option<&str>,
) -> Result<Vec<PresetId>, Failure> {
    let presets = session.presets();
    let names: Vec<String> = names
        .iter()
        .map(|name| canonical(&name.to_string()))
        .collect();
    let mut whole = Vec::new();
    for id in presets.ids() {
        let preset = presets.load(&id)?;
        let needs = usual_references(&preset, tag.unwrap_or_default());
        let there = |need: &ImageRef| names.contains(&canonical(&need.to_string()));
        if !needs.is_empty() && needs.values().all(there) {
            whole.push(id);
        }
    }
    Ok(whole)
}

fn of_preset(
    preset: &Preset,
    references: &BTreeMap<ImageId, ImageRef>,
    images: &[BundledImage],
) -> Comparison {
    let needs: Vec<Need<'_>> = preset
        .parts
        .images
        .iter()
        .filter_map(|image| {
            Some(Need {
                id: &image.id,
                reference: references.get(&image.id)?,
                aliases: &image.aliases,
                tag_endings: &image.tag_endings,
            })
        })
        .collect();
    compare(images, &needs)
}

/// Returns every tag that an image carries.
fn tags(images: &[BundledImage]) -> Vec<String> {
    let names = images.iter().flat_map(|image| &image.names);
    let mut tags: Vec<String> = names
        .filter_map(|name| Some(ImageRef::parse(name).ok()?.tag()?.to_owned()))
        .collect();
    tags.sort();
    tags.dedup();
    tags
}

fn described(contents: &Contents, paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.tone(Tone::Strong, "Images")];
    for image in &contents.images {
        let id = Digest::parse(&image.id).map_or_else(String::new, |id| id.hex()[..12].to_owned());
        let name = image.names.join(", ");
        let name = if name.is_empty() {
            "(saved without a name)"
        } else {
            &name
        };
        lines.push(format!("  {name}"));
        lines.push(format!(
            "      {id}  {}/{}  {}, {} unpacked",
            image.os,
            image.architecture,
            count(image.layers.len(), "layer"),
            bytes(image.size())
        ));
    }
    for Origin { file, contents } in &contents.made {
        lines.push(String::new());
        lines.push(format!(
            "{file} was made by {} for {} {}, {}",
            contents.tool,
            contents.preset,
            contents.tag.as_deref().unwrap_or_default(),
            contents.platform
        ));
        if !contents.without.is_empty() {
            lines.push(format!("  it leaves out what is in {}", contents.base()));
        }
    }
    for served in &contents.serves {
        lines.push(String::new());
        lines.push(paint.tone(Tone::Strong, &format!("{} {}", served.preset, served.tag)));
        lines.extend(compared(&served.comparison));
    }
    if contents.serves.is_empty() {
        lines.push(String::new());
        lines.push(
            "No preset needs any of them; `syntho-installer presets ID` lists what one needs."
                .to_owned(),
        );
    }
    lines
}

fn compared(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    if comparison.missing.is_empty() {
        lines.push("  everything that it needs by default is here".to_owned());
    }
    for missing in &comparison.missing {
        lines.push(format!("  missing: {} ({})", missing.reference, missing.id));
        for near in missing.near.iter().take(3) {
            lines.push(format!(
                "      if `{near}` is meant, write into the answers under `[images]`: refs = {{ {} = \"{near}\" }}",
                missing.id
            ));
        }
    }
    let superfluous = comparison.superfluous.iter();
    lines.extend(superfluous.map(|name| format!("  not needed: {name}")));
    lines
}

fn store(session: &Session, args: &StoreArgs) -> Result<u8, Failure> {
    let root = session.home.images();
    if args.clear {
        let freed = BlobStore::clear(&root)?;
        session.printer.data(&if args.json {
            as_json(&serde_json::json!({"path": root, "freed": freed}))?
        } else {
            format!("cleared {root}: {} freed", bytes(freed))
        });
        return Ok(0);
    }
    let mut opened = BlobStore::open(root, blobs::LIMIT)?;
    if let Some(limit) = args.limit {
        opened.set_limit(limit.0)?;
    }
    let usage = opened.usage()?;
    if args.json {
        session.printer.data(&as_json(&usage)?);
        return Ok(0);
    }
    for line in stored(&usage, session.printer.out_paint()) {
        session.printer.data(&line);
    }
    Ok(0)
}

fn stored(usage: &Usage, paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.tone(
        Tone::Strong,
        &format!(
            "{}: {} of at most {}",
            usage.path,
            bytes(usage.used),
            bytes(usage.limit)
        ),
    )];
    for archive in &usage.archives {
        if archive.stamp == Stamp::UNWRITTEN {
            let images = count(archive.images.len(), "image");
            lines.push(format!("  {}  {images} being fetched", archive.path));
            continue;
        }
        lines.push(format!(
            "  {}  {}  {}  last used {}",
            archive.path,
            bytes(archive.stamp.size),
            count(archive.images.len(), "image"),
            archive.used.strftime("%Y-%m-%d")
        ));
    }
    if usage.archives.is_empty() {
        lines.push("  no archive was read into it".to_owned());
    }
    lines
}

fn as_json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| drive::bug(&format!("the contents cannot be written as JSON: {error}")))
}
