//! One host alone reaches the registry: images come through it to the operator's machine, and from there to every host.

use std::process::Command;

use syntho_installer::rehearsal::VmSpec;
use toml::Table;

use crate::bundle::on_vm;
use crate::shop::Shop;
use crate::site::{Site, engine, section};
use crate::trouble::Refusal;

/// Returns the id of an image as the engine below knows it, from which the registry was filled.
fn id_of(image: &str) -> String {
    let mut docker = Command::new("docker");
    if let Some(host) = engine().docker().host() {
        docker.args(["--host", host]);
    }
    docker.args(["image", "inspect", "--format", "{{.Id}}", image]);
    let output = docker.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn images_come_through_the_one_host_that_reaches_the_registry() {
    let site = Site::with(&[VmSpec::new("ui"), VmSpec::new("ray-1")]);
    let shop = Shop::open(&site);
    let registry = shop.at().replace(":5000", "");
    let shut = format!(
        "nft add table inet shut && nft add chain inet shut out '{{ type filter hook output priority 0; }}' && nft add rule inet shut out ip daddr {registry} reject"
    );
    site.vm("ray-1").exec_ok(&shut).unwrap();
    let mut answers = site.answers_for(&[("ui", &["ui", "ray-head"]), ("ray-1", &["ray-worker"])]);
    shop.put_into(&mut answers);
    let deploy = |answers: &Table| {
        site.deploy_with(answers, |command| {
            command.env("SYNTHO_SECRET_REGISTRY_PASSWORD", Shop::PASSWORD);
        })
    };
    let refusal = Refusal {
        code: 3,
        host: Some("ray-1"),
        says: &["registry.rehearsal:5000 is not reached"],
        advises: &["bundle"],
    };
    refusal.expect(deploy(&answers));

    section(&mut answers, "images").insert("through".into(), "ray-1".into());
    let refusal = Refusal {
        code: 1,
        host: Some("ray-1"),
        says: &["does not lead to registry.rehearsal:5000"],
        advises: &["AllowTcpForwarding"],
    };
    refusal.expect(deploy(&answers));

    section(&mut answers, "images").insert("through".into(), "ui".into());
    let done = deploy(&answers).expect_code(0);
    done.says(&["through this host"]);
    let ray = "registry.rehearsal:5000/syntho-ray:1.9.0";
    for vm in ["ui", "ray-1"] {
        let there = on_vm(site.vm(vm));
        let expected = id_of("syntho.azurecr.io/syntho-ray:1.9.0");
        assert_eq!(there.get(ray), Some(&expected), "{vm}: {there:?}");
        let logins = "find / -xdev -name config.json -path '*docker*' -exec grep -l auth {} +";
        assert_eq!(site.vm(vm).exec(logins).unwrap().stdout, "", "{vm}");
    }
    let again = deploy(&answers).expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");
}
