//! The main road: deploy, deploy again, the machine room loses power, and everything is still there.

use syntho_installer::rehearsal::Fault;

use crate::program::is;
use crate::site::Site;

#[test]
fn three_vms_deploy_and_the_second_time_there_is_nothing_to_do() {
    let site = Site::three();
    let answers = site.answers();
    let first = site.deploy(&answers).expect_code(0);
    let events = first.events();
    assert_eq!(events.last().unwrap()["outcome"]["outcome"], "done");
    assert!(events.iter().any(|event| is(event, "endpoint-ready")));
    let before = site.state();

    let second = site.deploy(&answers).expect_code(0);
    assert_eq!(
        second.events().last().unwrap()["outcome"]["outcome"],
        "nothing-to-do"
    );
    assert_eq!(site.state(), before);
    // As a ratio: the machine that carries all VMs may have much else to do.
    assert!(
        second.took < first.took / 4,
        "took {:?} after {:?}",
        second.took,
        first.took
    );

    everything_comes_back_after_a_reboot(&site);
}

fn everything_comes_back_after_a_reboot(site: &Site) {
    for vm in ["ui", "ray-1", "ray-2"] {
        site.fleet.inflict(vm, &Fault::Reboot).unwrap();
    }
    // Containers come back by themselves; the verdict waits for them as long as the preset allows.
    site.run(&["verify", "acme", "--json"]).expect_code(0);
}
