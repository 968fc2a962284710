//! Disk under Docker's root and under the deployment's folder: bytes and inodes.

use std::collections::BTreeSet;

use super::bytes;
use super::scene::Seat;
use crate::images::matching;
use crate::model::check::CheckResult;
use crate::model::facts::Disk;
use crate::model::resolved::PlacedImage;

/// What compose files, certificates and logs of long steps may take in the deployment's folder.
const FOLDER_NEED: u64 = 64 << 20;

/// Files a typical unpacked image holds; Python images with Ray have about this many.
const INODES_PER_IMAGE: u64 = 40_000;

/// Files that containers and their writable layers need besides.
const INODES_ALWAYS: u64 = 5_000;

/// Judges free bytes under Docker's root against the images that are missing and the data of the host's roles.
pub(super) fn space(seat: Seat<'_>) -> Vec<CheckResult> {
    let draft = seat.draft("disk", "Disk for images and data");
    let Some(disk) = under_docker(seat) else {
        return vec![
            draft
                .because("the host did not tell")
                .warn("free disk unknown"),
        ];
    };
    let missing = seat.missing_images();
    let images = room_for(seat, &missing);
    let data: u64 = seat
        .host
        .needs
        .iter()
        .filter_map(|need| need.disk.as_deref().and_then(bytes::parse))
        .sum();
    let need = images + data;
    let found = format!(
        "{} free of {} at {} (mounted at {})",
        bytes::human(disk.free),
        bytes::human(disk.total),
        disk.path,
        disk.mount
    );
    let cause = format!(
        "needed are {}: {} for {} and {} for data",
        bytes::human(need),
        bytes::human(images),
        counted(missing.len()),
        bytes::human(data)
    );
    vec![if disk.free < need {
        draft
            .because(cause)
            .remedy(format!(
                "free at least {}, or grow the file system; the command shows what Docker itself could give back",
                bytes::human(need - disk.free)
            ))
            .command("sudo docker system df")
            .fail(found)
    } else if disk.free < need.saturating_add(need / 5) {
        draft
            .because(cause)
            .remedy("grow the file system before real work begins")
            .warn(found)
    } else {
        draft.pass(found)
    }]
}

/// Returns bytes that missing images take: what the archives say where images come from some, the preset's guess otherwise. A layer that several share
/// takes its room once, and one that is there takes none.
fn room_for(seat: Seat<'_>, missing: &[&PlacedImage]) -> u64 {
    let there = seat.docker().map_or(&[][..], |docker| &docker.images);
    let architecture = seat.facts.docker_architecture();
    let mut counted = BTreeSet::new();
    let mut bytes = 0;
    for image in missing {
        let Some(bundled) =
            matching::find(&seat.resolved.bundled, &image.reference, Some(architecture))
        else {
            bytes += image.unpacked;
            continue;
        };
        for layer in bundled.layers.iter().skip(bundled.shared_with(there)) {
            if counted.insert(&layer.diff_id) {
                // Its compressed form lies beside it until it is unpacked.
                bytes += layer.size + layer.packed;
            }
        }
    }
    bytes
}

fn counted(images: usize) -> String {
    match images {
        1 => "1 image that is missing".to_owned(),
        count => format!("{count} images that are missing"),
    }
}

/// Judges free inodes under Docker's root.
pub(super) fn inodes(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(disk) = under_docker(seat) else {
        return Vec::new();
    };
    let draft = seat.draft("inodes", "Inodes for images");
    let images = u64::try_from(seat.missing_images().len()).unwrap_or(u64::MAX);
    let need = images.saturating_mul(INODES_PER_IMAGE) + INODES_ALWAYS;
    if disk.free_inodes == u64::MAX {
        return vec![draft.pass(format!("{} has no limit of inodes", disk.mount))];
    }
    let found = format!("{} inodes free at {}", disk.free_inodes, disk.path);
    let cause = format!("about {need} files will be unpacked");
    vec![if disk.free_inodes < need / 2 {
        draft
            .because(cause)
            .remedy("remove small files that nobody needs, or make the file system anew with more inodes")
            .command(format!("df -i {}", disk.mount))
            .fail(found)
    } else if disk.free_inodes < need {
        draft.because(cause).warn(found)
    } else {
        draft.pass(found)
    }]
}

/// Judges the file system that holds the deployment's folder: nothing can be written on a full one.
pub(super) fn folder(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(disk) = seat.facts.disks.last() else {
        return Vec::new();
    };
    let draft = seat.draft("disk-folder", "Disk for configuration");
    let found = format!("{} free at {}", bytes::human(disk.free), disk.path);
    vec![if disk.free < FOLDER_NEED {
        draft
            .because(format!("configuration needs {}", bytes::human(FOLDER_NEED)))
            .remedy("free some disk")
            .command(format!(
                "sudo du -xh --max-depth=2 {} | sort -h | tail",
                disk.mount
            ))
            .fail(found)
    } else if disk.free < FOLDER_NEED * 4 {
        draft.because("the disk is nearly full").warn(found)
    } else {
        draft.pass(found)
    }]
}

/// Returns the file system under Docker's root.
fn under_docker(seat: Seat<'_>) -> Option<&Disk> {
    let root = seat.docker().map(|docker| docker.engine.root.as_str());
    let disks = &seat.facts.disks;
    disks
        .iter()
        .find(|disk| Some(disk.path.as_str()) == root)
        .or(disks.first())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told, troubles};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(20 << 30, "pass disk: 20 GB free of 200 GB at /var/lib/docker (mounted at /)")]
    #[case(8 << 30, "warn disk: 8 GB free of 200 GB at /var/lib/docker (mounted at /)")]
    #[case(6 << 30, "fail disk: 6 GB free of 200 GB at /var/lib/docker (mounted at /)")]
    fn bytes_for_missing_images_and_data(#[case] free: u64, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.docker("ray-1").images.clear();
        sample.on("ray-1").disks[0].free = free;
        assert_eq!(told(&space(sample.seat("ray-1"))), [expected]);
    }

    #[test]
    fn images_that_are_there_need_no_more_disk() {
        let mut sample = Sample::three();
        sample.on("ray-1").disks[0].free = 6 << 30;
        assert!(troubles(&space(sample.seat("ray-1"))).is_empty());
    }

    #[rstest]
    #[case(1_000_000, "pass inodes: 1000000 inodes free at /var/lib/docker")]
    #[case(u64::MAX, "pass inodes: / has no limit of inodes")]
    #[case(30_000, "warn inodes: 30000 inodes free at /var/lib/docker")]
    #[case(900, "fail inodes: 900 inodes free at /var/lib/docker")]
    fn inodes_for_missing_images(#[case] free: u64, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.docker("ray-1").images.clear();
        sample.on("ray-1").disks[0].free_inodes = free;
        assert_eq!(told(&inodes(sample.seat("ray-1"))), [expected]);
    }

    #[rstest]
    #[case(10 << 30, "pass disk-folder: 10 GB free at /opt/syntho")]
    #[case(100 << 20, "warn disk-folder: 100 MB free at /opt/syntho")]
    #[case(0, "fail disk-folder: 0 MB free at /opt/syntho")]
    fn a_full_disk_is_found_before_anything_is_written(#[case] free: u64, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").disks[1].free = free;
        assert_eq!(told(&folder(sample.seat("ui"))), [expected]);
    }

    #[test]
    fn archives_say_how_much_is_missing() {
        use crate::model::bundle::{BundledImage, BundledLayer};
        let mut sample = Sample::three();
        let layer = |id: &str| BundledLayer {
            diff_id: id.to_owned(),
            size: 3 << 30,
            packed: 1 << 30,
        };
        let here = &mut sample.docker("ray-1").images;
        let name = here[0].tags[0].clone();
        here[0].tags = vec!["older:1".to_owned()];
        here[0].layers = vec!["base".to_owned()];
        sample.resolved.bundled = vec![BundledImage {
            id: "sha256:new".to_owned(),
            names: vec![name],
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            created: None,
            config_size: 1,
            layers: vec![layer("base"), layer("top")],
        }];
        let seat = sample.seat("ray-1");
        assert_eq!(seat.missing_images().len(), 1);
        assert_eq!(room_for(seat, &seat.missing_images()), 4 << 30);
    }
}
