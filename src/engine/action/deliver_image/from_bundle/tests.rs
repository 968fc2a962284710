use std::sync::Arc;

use super::pins::PART;
use super::*;
use crate::engine::action::{Action, Rights};
use crate::engine::machine::Machine;
use crate::images::blobs::{BlobStore, LIMIT};
use crate::images::bundle::sample::{image, legacy, packed};
use crate::images::bundle::{Limits, read_from};
use crate::model::answers::ImageSource;
use crate::model::plan::Probe;

const NAME: &str = "reg.example/app:1";

fn delivery() -> (Arc<Delivery>, BundledImage, tempfile::TempDir) {
    let keep = tempfile::tempdir().unwrap();
    let root = camino::Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap();
    let store = BlobStore::open(root, LIMIT).unwrap();
    let bytes = packed(&legacy(&[image(NAME, &["base", "middle", "top"])]));
    let read = read_from(
        "a",
        bytes.as_slice(),
        1,
        &store,
        Limits::default(),
        &mut |_| ControlFlow::Continue(()),
    );
    let image = read.unwrap().remove(0);
    (Arc::new(Delivery::new(Arc::new(store))), image, keep)
}

fn action(machine: &Machine) -> DeliverImage {
    DeliverImage {
        image: "app".parse().unwrap(),
        reference: ImageRef::parse(NAME).unwrap(),
        source: ImageSource::Bundle,
        aliases: Vec::new(),
        architecture: "amd64".to_owned(),
        keep_login: false,
        rights: Rights::Login,
        folder: machine.path(""),
        id: None,
        pulled: false,
    }
}

fn on_host(image: &BundledImage, names: &[&str], layers: usize) -> ImageFacts {
    ImageFacts {
        id: if layers == image.layers.len() {
            image.id.clone()
        } else {
            format!("sha256:part-{layers}")
        },
        tags: names.iter().map(|name| (*name).to_owned()).collect(),
        digests: Vec::new(),
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        size: 1,
        created: None,
        layers: image.layers[..layers]
            .iter()
            .map(|layer| layer.diff_id.clone())
            .collect(),
    }
}

fn machine() -> (Machine, BundledImage, tempfile::TempDir) {
    let (delivery, image, keep) = delivery();
    let mut machine = Machine::new();
    machine.materials.bundled = vec![image.clone()];
    machine.materials.delivery = Some(delivery);
    (machine, image, keep)
}

#[test]
fn an_image_that_is_there_under_another_name_gets_its_own() {
    let (machine, image, _keep) = machine();
    machine
        .engine
        .world()
        .images
        .push(on_host(&image, &["other:2"], 3));
    let mut action = action(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(machine.engine.world().images[0].tags, ["other:2", NAME]);
    assert_eq!(action.id.as_deref(), Some(image.id.as_str()));
    assert!(machine.engine.world().loads.is_empty());
}

fn hex(image: &BundledImage, layer: usize) -> String {
    image.layers[layer].diff_id["sha256:".len()..].to_owned()
}

/// Returns the layers of each archive that was loaded.
fn loaded(machine: &Machine) -> Vec<Vec<String>> {
    let loads = machine.engine.world().loads.clone();
    let layers = loads.iter().map(|load| {
        let mut tar = tar::Archive::new(load.as_slice());
        let names = tar
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string());
        names
            .filter_map(|name| name.strip_suffix("/layer.tar").map(str::to_owned))
            .collect()
    });
    layers.collect()
}

#[test]
fn next_to_nothing_comes_with_one_archive_and_no_port() {
    let (machine, image, _keep) = machine();
    machine
        .engine
        .world()
        .images
        .push(on_host(&image, &["older:1"], 1));
    let error = action(&machine).execute(&machine.cx()).unwrap_err();
    // The stand-in for Docker keeps what it is given and makes no image of it.
    assert!(
        error.to_string().contains("is not the one of the archive"),
        "{error}"
    );
    assert_eq!(loaded(&machine), [[hex(&image, 1), hex(&image, 2)]]);
    assert!(machine.voice.lines.lock().unwrap().is_empty());
}

#[test]
fn where_no_port_comes_back_only_missing_layers_are_loaded_each_pinned() {
    // The machine of these tests, like this one, lets no port come back.
    let (machine, image, _keep) = machine();
    machine
        .engine
        .world()
        .images
        .push(on_host(&image, &["older:1"], 1));
    let (action, cx) = (action(&machine), machine.cx());
    let delivery = machine.materials.delivery.clone().unwrap();
    let mut job = Job::new(&action, &cx, &delivery, &image).unwrap();
    job.pull_or_load(None).unwrap();
    assert_eq!(loaded(&machine), [[hex(&image, 1)], [hex(&image, 2)]]);
    let lines = machine.voice.lines.lock().unwrap().clone();
    assert!(
        lines.iter().any(|line| line.contains("instead")),
        "{lines:?}"
    );
}

#[test]
fn pins_of_a_run_that_broke_off_are_used_and_taken_away() {
    let (machine, image, _keep) = machine();
    let hex = &image.id["sha256:".len()..][..12];
    let pin = format!("{PART}:{hex}-2");
    machine
        .engine
        .world()
        .images
        .push(on_host(&image, &[&pin], 2));
    assert!(action(&machine).execute(&machine.cx()).is_err());
    let world = machine.engine.world();
    assert_eq!(world.loads.len(), 1);
    assert!(
        world.images[0].tags.is_empty(),
        "{:?}",
        world.images[0].tags
    );
}

#[test]
fn another_image_under_the_same_name_is_replaced() {
    let (machine, image, _keep) = machine();
    let mut other = on_host(&image, &[NAME], 2);
    machine.engine.world().images.push(other.clone());
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    other.architecture = "arm64".to_owned();
    machine.engine.world().images[0] = other;
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
}

#[test]
fn what_no_archive_holds_is_a_conflict() {
    let (mut machine, ..) = machine();
    machine.materials.bundled.clear();
    let told = action(&machine).probe(&machine.cx()).unwrap();
    assert_eq!(
        told,
        Probe::Conflict(format!("image `{NAME}` is in none of the archives"))
    );
}

/// Returns what was written into files: where, and which bytes.
fn written(machine: &Machine) -> Vec<(u64, Vec<u8>)> {
    let ran = machine.host.ran().into_iter();
    let writes = ran.filter_map(|command| {
        let place = command
            .script
            .lines()
            .find_map(|line| line.strip_prefix("place="))?;
        Some((place.parse().unwrap(), command.input.bytes().to_vec()))
    });
    writes.collect()
}

#[test]
fn a_file_goes_on_where_it_ends_and_is_loaded_by_the_host_itself() {
    let (machine, image, _keep) = machine();
    let (action, cx) = (action(&machine), machine.cx());
    let delivery = machine.materials.delivery.clone().unwrap();
    delivery.counter(machine.host.name()).distrust();
    let portion = crate::images::partial::Portion {
        image: &image,
        name: NAME,
        layers: 3,
        skip: 0,
        encoding: Encoding::Zstd,
    };
    let mut whole = Vec::new();
    let mut archive = crate::images::partial::archive(delivery.store(), &portion).unwrap();
    std::io::Read::read_to_end(&mut archive, &mut whole).unwrap();

    // Half of it is there, and the file of another release besides.
    let short = &image.id["sha256:".len()..][..12];
    let half = whole.len() / 2;
    fs_err::create_dir(machine.path(".images")).unwrap();
    fs_err::write(machine.path(".images/app.0123456789ab.0-2.tar"), "old").unwrap();
    let file = machine.path(&format!("/.images/app.{short}.0-3.tar"));
    fs_err::write(&file, &whole[..half]).unwrap();

    let job = Job::new(&action, &cx, &delivery, &image).unwrap();
    assert!(job.bring_parts().unwrap());
    assert_eq!(written(&machine), [(half as u64, whole[half..].to_vec())]);
    let called = machine.engine.world().called.clone();
    assert_eq!(called, [format!("0 load --quiet --input {file}")]);
    assert!(!std::path::Path::new(&machine.path(".images")).exists());
    assert!(!std::path::Path::new(&machine.path(".run")).exists());
}

#[test]
fn a_fast_link_gets_no_file() {
    let (machine, image, _keep) = machine();
    let (action, cx) = (action(&machine), machine.cx());
    let delivery = machine.materials.delivery.clone().unwrap();
    let counter = delivery.counter(machine.host.name());
    let job = Job::new(&action, &cx, &delivery, &image).unwrap();
    // So little is missing that nobody asks how fast the link is.
    assert!(!job.bring().unwrap());
    assert_eq!((counter.rate(), machine.host.ran().len()), (None, 0));
    counter.note_rate(100_000_000, Duration::from_secs(1));
    assert_eq!(counter.rate(), Some(100_000_000));
}

#[test]
fn a_file_that_docker_refuses_is_sent_anew_and_one_that_found_no_room_is_kept() {
    let (machine, image, _keep) = machine();
    let (action, cx) = (action(&machine), machine.cx());
    let delivery = machine.materials.delivery.clone().unwrap();
    delivery.counter(machine.host.name()).distrust();
    fs_err::write(machine.path("up-status"), "1").unwrap();
    let job = Job::new(&action, &cx, &delivery, &image).unwrap();
    let error = job.bring_parts().unwrap_err();
    assert!(error.to_string().contains("could not be loaded"), "{error}");
    assert!(!std::path::Path::new(&machine.path(".images")).exists());

    let full = "#!/bin/sh\necho 'Error: write /layer.tar: no space left on device' >&2\nexit 1\n";
    fs_err::write(machine.path("bin/docker"), full).unwrap();
    let error = job.bring_parts().unwrap_err();
    assert!(
        error.to_string().contains("no space left for image"),
        "{error}"
    );
    let kept = fs_err::read_dir(machine.path(".images")).unwrap().count();
    assert_eq!(kept, 1);
}
