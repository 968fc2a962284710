//! `bundle create`: an archive of all images of a preset, fetched from a registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use serde::Deserialize;

use super::access::access;
use super::advice::advice;
use super::served_whole;
use super::show::Show;
use crate::cli::CreateArgs;
use crate::commands::Session;
use crate::commands::signals::Signals;
use crate::engine::cancel::Cancel;
use crate::images::blobs::{self, BlobStore};
use crate::images::bundle;
use crate::images::client::Remote;
use crate::images::create::{Base, Created, Order, create};
use crate::model::answers::{ImageSource, ImagesSection};
use crate::model::bundle::BundledImage;
use crate::model::failure::Failure;
use crate::model::ids::ImageId;
use crate::model::image::ImageRef;
use crate::model::preset::Preset;
use crate::model::suggest;
use crate::model::validate::every_reference;
use crate::report::usage;
use crate::ui::amounts::{bytes, count};

/// What is read of the output of `bundle inspect --json`.
#[derive(Debug, Deserialize)]
struct Inspected {
    images: Vec<BundledImage>,
}

/// Runs the command.
///
/// # Errors
/// Fails when an image does not come, or the archive cannot be written.
pub(super) fn run(session: &Session, args: &CreateArgs) -> Result<u8, Failure> {
    let preset = session.presets().load(&args.preset)?;
    let images = references(&preset, args)?;
    let registry = login_registry(args, &images);
    let access = access(
        session,
        &registry,
        args.username.as_deref(),
        args.ca.as_deref(),
    )?;
    let store = Arc::new(BlobStore::open(session.home.images(), blobs::LIMIT)?);
    let signals = Signals::catch(Cancel::new())
        .map_err(|error| crate::commands::drive::no_signals(&error))?;
    let show = Show::new(&session.printer, signals);
    let names: Vec<ImageRef> = images.values().cloned().collect();
    let order = Order {
        images: &images,
        platform: args.platform.clone(),
        preset: args.preset.clone(),
        tag: args.tag.clone(),
        serves: served_whole(session, &names, args.tag.as_deref())?,
        output: &args.output,
        split: args.split.map(|size| size.0),
        without: base(session, args, &store)?,
    };
    let made = Remote::new(access).and_then(|remote| create(&order, &remote, &store, &show));
    show.end();
    tell(session, args, &preset, &order, &made?);
    Ok(0)
}

/// Returns every image that the preset may need: nobody knows yet what will be answered at the site.
fn references(preset: &Preset, args: &CreateArgs) -> Result<BTreeMap<ImageId, ImageRef>, Failure> {
    let known: Vec<&str> = preset
        .parts
        .images
        .iter()
        .map(|image| image.id.as_str())
        .collect();
    for given in &args.images {
        if !known.contains(&given.id.as_str()) {
            return Err(usage(
                format!(
                    "`{}` is not an image of the preset {}",
                    given.id, args.preset
                ),
                suggest::advice(given.id.as_str(), &known),
            ));
        }
    }
    let given = args
        .images
        .iter()
        .map(|given| (given.id.clone(), given.reference.clone()));
    let section = ImagesSection {
        tag: args.tag.clone(),
        registry: args.registry.clone(),
        refs: given.collect(),
        ..ImagesSection::default()
    };
    let (references, faults) = every_reference(preset, &section);
    if let Some(fault) = faults.first() {
        let hint = match fault.at.as_str() {
            "images.tag" => "name the release with `--tag`, such as `--tag 1.9.0`",
            _ => {
                "check `--registry` (a host, with a port if it has one, without a scheme) and `--tag`"
            }
        };
        let what = fault
            .at
            .trim_start_matches("images.")
            .replace("images", "the command line");
        return Err(usage(format!("{what} {}", fault.message), hint));
    }
    Ok(references)
}

/// Returns the registry that the login is for: the one that was named, or the one that most images come from.
fn login_registry(args: &CreateArgs, images: &BTreeMap<ImageId, ImageRef>) -> String {
    if let Some(registry) = &args.registry {
        return registry.split('/').next().unwrap_or_default().to_owned();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for registry in images.values().filter_map(ImageRef::registry) {
        *counts.entry(registry).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(String::new, |(registry, _)| registry.to_owned())
}

/// Reads what the site has.
fn base(session: &Session, args: &CreateArgs, store: &BlobStore) -> Result<Base, Failure> {
    let mut base = Base::default();
    for file in &args.without {
        let images = if let Some(images) = listed(file) {
            images
        } else {
            base.archives.push(file.clone());
            super::read_one(session, file, store, bundle::read)?
        };
        base.images.extend(images);
        base.names
            .push(file.file_name().unwrap_or(file.as_str()).to_owned());
    }
    Ok(base)
}

/// Reads a list that `bundle inspect --json` printed; `None` when it is none.
fn listed(file: &Utf8Path) -> Option<Vec<BundledImage>> {
    use std::io::Read as _;
    let mut text = String::new();
    let mut opened = fs_err::File::open(file).ok()?;
    let mut first = [0];
    opened.read_exact(&mut first).ok()?;
    if first != *b"{" {
        return None;
    }
    text.push('{');
    opened.take(16 << 20).read_to_string(&mut text).ok()?;
    serde_json::from_str::<Inspected>(&text)
        .ok()
        .map(|inspected| inspected.images)
}

fn tell(session: &Session, args: &CreateArgs, preset: &Preset, order: &Order<'_>, made: &Created) {
    let printer = &session.printer;
    let parts = order.split.map_or_else(String::new, |_| {
        format!(" in {}", count(made.files.len() - 1, "part"))
    });
    printer.data(&format!(
        "{}: {}, {}{parts}",
        args.output,
        count(made.images.len(), "image"),
        bytes(made.size)
    ));
    if order.split.is_some() {
        for file in &made.files {
            printer.data(&format!("  {file}"));
        }
    }
    let first = made
        .files
        .first()
        .and_then(|file| file.file_name())
        .unwrap_or_default();
    let bases = &order.without.archives;
    let names = bases.iter().filter_map(|archive| archive.file_name());
    let all: Vec<&str> = names.chain([first]).collect();
    printer.data("");
    printer.data("At the site, check the copy and name it in the answers file:");
    printer.data(&format!(
        "  syntho-installer bundle verify {}",
        all.join(" ")
    ));
    if order.without.names.len() > bases.len() {
        printer.data("It needs the archives beside it that the site's list was made from.");
    }
    printer.data("");
    let section = ImagesSection {
        source: ImageSource::Bundle,
        bundle: bases.is_empty().then(|| first.into()),
        bundles: if bases.is_empty() {
            Vec::new()
        } else {
            all.iter().map(Into::into).collect()
        },
        registry: args.registry.clone(),
        tag: order.tag.clone(),
        refs: order.images.clone(),
        ..ImagesSection::default()
    };
    for line in advice(preset, &section) {
        printer.data(&line);
    }
}
