//! Images from an archive on one VM and on three at once: ours against `ssh HOST docker load < archive` for the same images on the same VMs.
//!
//! Three releases one after the other: the first on empty VMs; the next, which shares everything below the code; and one with another Ray, which shares
//! little. By hand each VM gets an archive with just what it needs, as somebody with perfect knowledge would carry. Reading our archive into the store is
//! done once and ahead, so it is told beside the delivery and not in it.

mod archives;
mod ways;

use std::process::Command;

use syntho_installer::rehearsal::VmSpec;

use crate::run;
use crate::site::Site;
use crate::table::Table;
use crate::timed;
use archives::{Archives, Which};
use ways::{Host, Means};

const EMPTY: &str = "for folder in /opt/syntho/acme/*/; do (cd \"$folder\" && docker compose down --volumes --timeout 2 >/dev/null 2>&1); done; rm -rf /opt/syntho; docker system prune --all --force --volumes >/dev/null; sync";

/// VMs with what they get.
const ONE: &[Host] = &[("one", &["app", "ray"])];
const THREE: &[Host] = &[("ui", &["app"]), ("ray-1", &["ray"]), ("ray-2", &["ray"])];

/// Measures everything about images.
pub fn measure(table: &mut Table) {
    let site = Site::with(&["one", "ui", "ray-1", "ray-2"].map(VmSpec::new));
    let releases = [Which::First, Which::Patched, Which::OtherRay].map(Archives::of);
    reading(&site, &releases[0], table);
    for hosts in [ONE, THREE] {
        let means = Means { site: &site, hosts };
        deliveries(&means, &releases, table);
    }
}

fn deliveries(means: &Means<'_>, releases: &[Archives; 3], table: &mut Table) {
    empty(means);
    let by_hand: Vec<_> = releases
        .iter()
        .map(|archives| means.load(archives))
        .collect();
    empty(means);
    let vms = match means.hosts.len() {
        1 => "1 VM".to_owned(),
        count => format!("{count} VMs"),
    };
    let mut before = Vec::new();
    for (archives, (took, received)) in releases.iter().zip(by_hand) {
        let subject = format!("{}, {vms}", archives.which.subject());
        let lacking = means.lacking(archives, &before);
        let ours = means.deliver(archives);
        table.ours(&subject, "from an archive", ours.images);
        table.other("`ssh HOST docker load < archive`, all VMs at once", took);
        table.note(format!(
            "{subject}: {:.1} MB received for {:.1} MB of missing layers, {:.1} MB by hand; peak memory of the program {:.0} MB",
            megabytes(ours.received),
            megabytes(lacking),
            megabytes(received),
            megabytes(ours.memory)
        ));
        before.push(archives);
    }
    let last = &releases[releases.len() - 1];
    let again = means.deliver(last);
    let subject = format!("the same again: nothing is missing, {vms}");
    table.ours(&subject, "the whole run", again.whole);
}

fn empty(means: &Means<'_>) {
    for (name, _) in means.hosts {
        means.site.vm(name).exec_ok(EMPTY).unwrap();
    }
}

/// How fast an archive is read, against reading it with what every machine has.
fn reading(site: &Site, archives: &Archives, table: &mut Table) {
    let packed = site.home.join("whole.tar.gz");
    let pack = format!("pigz -c < '{}' > '{packed}'", archives.whole);
    run(Command::new("sh").args(["-c", &pack]));
    let length = |path: &camino::Utf8Path| megabytes(fs_err::metadata(path).unwrap().len());
    let subject = format!(
        "read an archive of {:.0} MB (gzip, {:.0} MB uncompressed), every digest checked",
        length(&packed),
        length(&archives.whole)
    );
    let verify = || {
        let mut command = site.program();
        run(command.args(["bundle", "verify", packed.as_str()]));
    };
    table.ours(&subject, "into an empty store", timed(verify));
    for unpack in ["pigz", "gzip"] {
        let sum = format!("{unpack} -dc < '{packed}' | sha256sum");
        let took = timed(|| {
            run(Command::new("sh").args(["-c", &sum]));
        });
        table.other(&format!("`{unpack} -dc | sha256sum`"), took);
    }
    fs_err::remove_file(packed).unwrap();
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
