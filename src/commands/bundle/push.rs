//! `bundle push`: the images of archives, to a registry that the hosts can pull from.

use std::collections::BTreeMap;

use super::access::access;
use super::advice::advice;
use super::served;
use super::show::Show;
use crate::cli::PushArgs;
use crate::commands::Session;
use crate::commands::signals::Signals;
use crate::engine::cancel::Cancel;
use crate::images::blobs::{self, BlobStore};
use crate::images::bundle::{self, Contents};
use crate::images::cargo::{self, Named};
use crate::images::client::{Remote, Sent};
use crate::images::matching::find;
use crate::model::answers::{ImageSource, ImagesSection};
use crate::model::bundle::BundledImage;
use crate::model::failure::Failure;
use crate::model::ids::{ImageId, PresetId};
use crate::model::image::ImageRef;
use crate::model::validate::every_reference;
use crate::report::usage;
use crate::ui::amounts::count;

/// Runs the command.
///
/// # Errors
/// Fails when an archive is not sound, or the registry does not take it.
pub(super) fn run(session: &Session, args: &PushArgs) -> Result<u8, Failure> {
    let to = destination(&args.to)?;
    let registry = to.split('/').next().unwrap_or_default();
    let access = access(
        session,
        registry,
        args.username.as_deref(),
        args.ca.as_deref(),
    )?;
    let store = BlobStore::open(session.home.images(), blobs::LIMIT)?;
    let mut images: Vec<BundledImage> = Vec::new();
    for file in &args.files {
        for image in super::read_one(session, file, &store, bundle::read)? {
            if !images.contains(&image) {
                images.push(image);
            }
        }
    }
    let named = named(&images, to)?;
    let cargo = cargo::load(&named, &args.files, &store)?;
    let signals = Signals::catch(Cancel::new())
        .map_err(|error| crate::commands::drive::no_signals(&error))?;
    let show = Show::new(&session.printer, signals);
    let blobs: BTreeMap<_, _> = cargo
        .iter()
        .flat_map(|image| &image.blobs)
        .map(|blob| (blob.digest, blob.size))
        .collect();
    show.line(&format!("{} for {to}", count(cargo.len(), "image")));
    show.begin("pushing", blobs.values().sum());
    let sent = Remote::new(access).and_then(|remote| remote.push(&cargo, &show));
    show.end();
    tell(session, args, &named, &sent?);
    advise(session, args, to, &images)?;
    Ok(0)
}

/// Checks where to.
fn destination(to: &str) -> Result<&str, Failure> {
    let to = to.trim_end_matches('/');
    let trial = ImageRef::parse(&format!("{to}/image:1"));
    if trial.is_ok_and(|trial| trial.registry().is_some()) {
        return Ok(to);
    }
    Err(usage(
        format!("`{to}` is not a registry"),
        "give its host, with a port and what names begin with there, without a scheme: `--to registry.acme.example:5000/syntho`",
    ))
}

/// Gives every image its names in the registry.
fn named<'a>(images: &'a [BundledImage], to: &str) -> Result<Vec<Named<'a>>, Failure> {
    let mut all = Vec::new();
    for image in images {
        for name in &image.names {
            let name = ImageRef::parse(name).ok().and_then(|name| moved(&name, to));
            all.extend(name.map(|name| Named { image, name }));
        }
    }
    if all.is_empty() {
        return Err(usage(
            "no image in it has a name to be pushed under",
            "save the images by name: `docker save --output images.tar NAME:TAG …`",
        ));
    }
    Ok(all)
}

/// Returns the name of an image in another registry.
fn moved(name: &ImageRef, to: &str) -> Option<ImageRef> {
    let tag = name.tag().unwrap_or("latest");
    ImageRef::parse(&format!("{to}/{}:{tag}", name.repository())).ok()
}

fn tell(session: &Session, args: &PushArgs, named: &[Named<'_>], sent: &Sent) {
    let printer = &session.printer;
    for named in named {
        printer.data(&named.name.to_string());
    }
    printer.data(&format!(
        "pushed to {}: {} sent, {} taken from another repository there, {} there already",
        args.to,
        count(sent.sent, "blob"),
        sent.mounted,
        sent.there
    ));
}

/// Prints what to write into the answers file so that the hosts pull from there, once for all presets that need the same.
fn advise(
    session: &Session,
    args: &PushArgs,
    to: &str,
    images: &[BundledImage],
) -> Result<(), Failure> {
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for (preset, tag, parts) in releases(session, args, images)? {
        let parts = parts
            .iter()
            .filter_map(|(id, name)| Some((id.clone(), moved(name, to)?)));
        let section = ImagesSection {
            source: ImageSource::Registry,
            registry: Some(to.to_owned()),
            username: args.username.clone(),
            tag,
            refs: parts.collect(),
            ..ImagesSection::default()
        };
        let lines = advice(&*session.presets().load(&preset)?, &section);
        match told.iter_mut().find(|(_, same)| *same == lines) {
            Some((presets, _)) => presets.push_str(&format!(" or {preset}")),
            None => told.push((preset.to_string(), lines)),
        }
    }
    for (presets, lines) in told {
        session.printer.data("");
        session
            .printer
            .data(&format!("For the answers file of {presets}:"));
        session.printer.data("");
        for line in lines {
            session.printer.data(&line);
        }
    }
    Ok(())
}

/// A preset, a release, and which image is for which of its parts.
type Release = (PresetId, Option<String>, BTreeMap<ImageId, ImageRef>);

/// Returns what the archives are for: what they say themselves, or what their names show.
fn releases(
    session: &Session,
    args: &PushArgs,
    images: &[BundledImage],
) -> Result<Vec<Release>, Failure> {
    let said = args.files.iter().filter_map(|file| Contents::of(file));
    let mut releases: Vec<Release> = said
        .map(|contents| {
            let images = contents.images.iter();
            let parts = images
                .filter_map(|image| Some((image.id.clone(), ImageRef::parse(&image.name).ok()?)));
            (contents.preset, contents.tag, parts.collect())
        })
        .collect();
    if !releases.is_empty() {
        return Ok(releases);
    }
    for found in served(session, images, &[])? {
        let preset = session.presets().load(&found.preset)?;
        let section = ImagesSection {
            tag: Some(found.tag.clone()),
            ..ImagesSection::default()
        };
        let usual = every_reference(&preset, &section).0;
        let parts = usual.into_iter().filter_map(|(id, reference)| {
            let image = find(images, &reference, None)?;
            let mut same = image
                .names
                .iter()
                .filter_map(|name| ImageRef::parse(name).ok());
            let name = same.find(|name| name.repository() == reference.repository())?;
            Some((id, name))
        });
        let parts = parts.collect();
        releases.push((found.preset, Some(found.tag), parts));
    }
    Ok(releases)
}
