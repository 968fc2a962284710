//! Everything on one VM.

use syntho_installer::rehearsal::Fault;

use crate::site::{Site, vm};

#[test]
fn everything_runs_on_one_vm() {
    let site = Site::with(&[vm("one")]);
    let mut answers = site.answers_for(&[("one", &["ui"])]);
    answers.insert("preset".into(), "syntho-one-node".into());
    site.deploy(&answers).expect_code(0);
    let vm = site.vm("one");
    let services = vm
        .exec_ok("docker ps --format '{{.Label \"com.docker.compose.service\"}}' | sort")
        .unwrap();
    let expected = [
        "backend",
        "core",
        "core_worker",
        "frontend",
        "head",
        "postgres",
        "redis",
        "worker",
    ];
    assert_eq!(services.lines().collect::<Vec<_>>(), expected);
    // Neither the dashboard nor Redis is open to the network.
    let listens = vm.exec_ok("ss -Hltn | awk '{print $4}'").unwrap();
    for port in ["6379", "8265", "5432"] {
        let open =
            |line: &str| line.ends_with(&format!(":{port}")) && !line.starts_with("127.0.0.1");
        assert!(!listens.lines().any(open), "{port} is open: {listens}");
    }
    let again = site.deploy(&answers).expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");
    site.fleet.inflict("one", &Fault::Reboot).unwrap();
    site.run(&["verify", "acme", "--json"]).expect_code(0);
}
