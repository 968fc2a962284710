//! VMs that are not like the others.

use std::process::Command;

use secrecy::SecretString;
use syntho_installer::rehearsal::images::{self, Release};
use syntho_installer::rehearsal::{FleetSpec, InnerEngine, Sudo, VmSpec};

use super::{base, engine, logs_in, reaches, run, ssh, tell, text, up};

#[test]
fn a_vm_behind_another_one_is_reached_by_a_jump_only() {
    let spec =
        FleetSpec::unique("jump", &["gate"]).vm(VmSpec::new("inner").jump_only().sudo(Sudo::Rs));
    let fleet = up(&spec);
    let inner = fleet.vm("inner").unwrap();
    assert!(!logs_in(&fleet, inner));
    assert!(reaches(fleet.vm("gate").unwrap(), inner));
    let through = ssh(&fleet, "deploy", fleet.vm("gate").unwrap(), "")
        .get_args()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    let proxy = format!(
        "ProxyCommand=ssh {} -W %h:%p",
        through[..through.len() - 1].join(" ")
    );
    let jump = |user: &str, script: &str| {
        let direct = ssh(&fleet, user, inner, script);
        let output = Command::new("ssh")
            .args(["-o", &proxy])
            .args(direct.get_args())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text(&output)
    };
    assert_eq!(jump("deploy", "hostname"), "inner");
    // This VM's sudo is sudo-rs.
    assert!(jump("operator", "sudo --version 2>&1").contains("sudo-rs"));
    assert_eq!(
        jump("operator", "echo operator-pw | sudo -S -p '' id -un"),
        "root"
    );
    assert_eq!(jump("deploy", "sudo -n id -un"), "root");
}

#[test]
fn images_are_there_from_the_start() {
    let image = engine().ensure_base(&tell).unwrap();
    let vm = |name: &str| VmSpec::new(name).images([image.clone()]);
    let fleet = up(&FleetSpec::unique("golden", &["empty"])
        .vm(vm("one"))
        .vm(vm("two"))
        .vm(vm("disk").disk_mb(600)));
    let held = |name: &str| {
        fleet
            .vm(name)
            .unwrap()
            .exec_ok("docker images --format '{{.Repository}}:{{.Tag}}'")
            .unwrap()
    };
    assert_eq!(held("empty"), "");
    for name in ["one", "two", "disk"] {
        assert_eq!(held(name), image);
        let script = format!(
            "docker run --rm {image} sh -c 'echo {name} > /etc/debian_version; cat /etc/debian_version'"
        );
        assert_eq!(fleet.vm(name).unwrap().exec_ok(&script).unwrap(), name);
    }
    // What one VM does to its images is nobody else's business.
    fleet
        .vm("one")
        .unwrap()
        .exec_ok(&format!("docker rmi {image}"))
        .unwrap();
    assert_eq!(held("one"), "");
    let script = format!("docker run --rm {image} cat /etc/debian_version");
    assert!(
        fleet
            .vm("two")
            .unwrap()
            .exec_ok(&script)
            .unwrap()
            .starts_with("12")
    );
}

#[test]
fn the_distributions_engine_has_only_compose_v1() {
    let fleet =
        up(&FleetSpec::unique("distro", &[]).vm(VmSpec::new("old").engine(InnerEngine::Distro)));
    let vm = fleet.vm("old").unwrap();
    assert!(
        vm.exec_ok("docker version --format '{{.Server.Version}}'")
            .unwrap()
            .starts_with("20.10")
    );
    assert!(!vm.exec("docker compose version").unwrap().ok());
    assert!(
        vm.exec_ok("docker-compose version --short")
            .unwrap()
            .starts_with("1.29")
    );
    let image = base(vm);
    assert_eq!(
        text(&run(
            &fleet,
            "deploy",
            vm,
            &format!("docker run --rm {image} echo up")
        )),
        "up"
    );
}

#[test]
fn a_registry_wants_a_login_and_its_authority_is_trusted() {
    let fleet = up(&FleetSpec::unique("registry", &["one", "two"]));
    let image = images::ensure_registry(engine(), &tell)
        .unwrap()
        .to_string();
    let registry = fleet
        .registry(&image, "robot", SecretString::from("a pass'word"))
        .unwrap();
    let base = engine().ensure_base(&tell).unwrap();
    registry.push(&base, "base/debian:12").unwrap();
    registry.push(&base, "base/debian:again").unwrap();
    let name = format!("{}/base/debian:12", registry.name());
    let vm = fleet.vm("two").unwrap();
    assert!(
        !run(&fleet, "deploy", vm, &format!("docker pull {name}"))
            .status
            .success()
    );
    let login = format!(
        "docker login --username robot --password-stdin {}",
        registry.name()
    );
    assert!(vm.exec_with(&login, b"wrong").is_err());
    vm.exec_with(&login, b"a pass'word").unwrap();
    vm.exec_ok(&format!(
        "docker pull --quiet {name} && docker run --rm {name} true"
    ))
    .unwrap();
    let local = "image inspect --format {{.Id}}";
    assert_eq!(
        vm.exec_ok(&format!("docker {local} {name}")).unwrap(),
        super::docker(&["image", "inspect", "--format", "{{.Id}}", &base])
    );
}

#[test]
fn three_vms_with_a_release_are_ready_in_seconds() {
    let release = Release::Old.images().unwrap();
    images::ensure(engine(), &[Release::Old], &tell).unwrap();
    let vm = |name: &str| VmSpec::new(name).images(release.iter().map(ToString::to_string));
    let fleet = up(&FleetSpec::unique("release", &[])
        .vm(vm("ui"))
        .vm(vm("ray-1"))
        .vm(vm("ray-2")));
    for vm in fleet.vms() {
        let held = vm
            .exec_ok("docker images --quiet --no-trunc | sort -u")
            .unwrap();
        assert_eq!(held.lines().count(), release.len());
    }
    let ray = release
        .iter()
        .map(ToString::to_string)
        .find(|name| name.contains("syntho-ray"))
        .unwrap();
    let script =
        format!("docker run --rm --ulimit nofile=65536:65536 --entrypoint ray {ray} --version");
    assert!(
        fleet
            .vm("ray-2")
            .unwrap()
            .exec_ok(&script)
            .unwrap()
            .contains("2.47.1")
    );
}
