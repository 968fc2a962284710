//! A whole deployment on three VMs: ours against a shell script that knows everything beforehand.

use std::time::Instant;

use crate::by_hand;
use crate::site::Site;
use crate::table::Table;

const RESET: &str = "for folder in /opt/syntho/acme/*/; do (cd \"$folder\" && docker compose down --volumes --timeout 2 >/dev/null 2>&1); done; rm -rf /opt/syntho";

/// Measures ours, the script, and ours again: whoever comes first finds the caches cold.
pub fn measure(table: &mut Table) {
    let site = Site::three();
    let answers = site.answers();
    let first = site.deploy(&answers).expect_code(0).took;
    let files = by_hand::Files::of(&site);
    reset(&site);
    let began = Instant::now();
    files.deploy(&site);
    let script = began.elapsed();
    reset(&site);
    let second = site.deploy(&answers).expect_code(0).took;
    let subject = "deploy `syntho-app-ray` on 3 VMs, images present, verified";
    table.ours(subject, "second time", second);
    table.other("syntho-installer, first time", first);
    table.other("shell script over OpenSSH, no checks", script);
    let again = site.deploy(&answers).expect_code(0).took;
    table.ours("deploy again: nothing to do", "3 VMs", again);
}

fn reset(site: &Site) {
    for vm in site.fleet.vms() {
        vm.exec_ok(RESET).unwrap();
    }
}
