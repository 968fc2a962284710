//! The fleet itself, with real containers: it comes up, its users can log in, its faults do what they say, nothing is left behind.
#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test ends at the first surprise and says on the way how long things took"
)]

mod faults;
mod variants;

use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use syntho_installer::rehearsal::{Engine, Fault, Fleet, FleetSpec, Vm};

/// Nothing on an idle or a busy machine takes longer.
const SOON: Duration = Duration::from_secs(30);

fn tell(line: &str) {
    eprintln!("{line}");
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Engine::default_cache().expect("a home folder");
        Engine::find_or_start(&cache, &tell)
            .expect("a Docker Engine that can start virtual machines")
    })
}

fn up(spec: &FleetSpec) -> Fleet {
    let started = Instant::now();
    let fleet = Fleet::up(engine(), spec, &tell).expect("a fleet");
    tell(&format!(
        "{} virtual machines up in {:.1} s",
        fleet.vms().len(),
        started.elapsed().as_secs_f32()
    ));
    fleet
}

/// The fleet's own SSH client, with its key and known hosts and no other configuration.
fn ssh(fleet: &Fleet, user: &str, vm: &Vm, script: &str) -> Command {
    let mut command = Command::new("ssh");
    command
        .args([
            "-F",
            "/dev/null",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "ConnectTimeout=5",
        ])
        .args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "ServerAliveInterval=2",
            "-o",
            "ServerAliveCountMax=3",
        ])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", fleet.known_hosts()))
        .arg("-i")
        .arg(fleet.private_key())
        .arg(format!("{user}@{}", vm.address()))
        .arg(script)
        .stdin(Stdio::null());
    command
}

fn run(fleet: &Fleet, user: &str, vm: &Vm, script: &str) -> Output {
    ssh(fleet, user, vm, script)
        .output()
        .expect("an SSH client")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn reaches(from: &Vm, to: &Vm) -> bool {
    from.exec(&format!("ping -c 1 -W 1 {}", to.address()))
        .unwrap()
        .ok()
}

/// Loads the Debian base image into a VM's Docker and returns its name.
fn base(vm: &Vm) -> String {
    let image = engine().ensure_base(&tell).unwrap();
    vm.load_images(std::slice::from_ref(&image)).unwrap();
    image
}

#[test]
fn three_vms_come_up_and_go_down_and_nothing_is_left() {
    let fleet = up(&FleetSpec::unique("three", &["ui", "ray-1", "ray-2"]));
    let (name, folder) = (fleet.name().to_owned(), fleet.folder().to_owned());
    let bridge = docker(&[
        "network",
        "inspect",
        "--format",
        BRIDGE,
        &format!("rehearsal-{name}"),
    ]);
    assert!(
        below(&[&bridge]).len() > 3,
        "the bridge and a cable for each"
    );
    let (ui, ray) = (fleet.vm("ui").unwrap(), fleet.vm("ray-1").unwrap());
    for user in ["root", "deploy", "operator", "nobody2"] {
        assert_eq!(text(&run(&fleet, user, ui, "id -un")), user);
    }
    assert!(
        run(
            &fleet,
            "deploy",
            ui,
            "docker ps && docker compose version && docker-compose version"
        )
        .status
        .success()
    );
    assert!(!run(&fleet, "operator", ui, "docker ps").status.success());
    assert!(run(&fleet, "deploy", ui, "sudo -n true").status.success());
    for user in ["operator", "nobody2"] {
        assert!(
            !run(&fleet, user, ui, "sudo -n true").status.success(),
            "{user}"
        );
    }
    let sudo = "echo operator-pw | sudo -S -p '' id -un";
    assert_eq!(text(&run(&fleet, "operator", ui, sudo)), "root");
    assert!(reaches(ui, ray) && reaches(ray, ui));
    assert_eq!(
        ui.exec_ok("getent hosts ray-2")
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap(),
        fleet.vm("ray-2").unwrap().address().to_string()
    );
    assert_ne!(
        ui.exec_ok("cat /etc/machine-id").unwrap(),
        ray.exec_ok("cat /etc/machine-id").unwrap()
    );
    assert_ne!(ui.host_key(), ray.host_key());
    let started = Instant::now();
    fleet.down().unwrap();
    tell(&format!("down in {:.1} s", started.elapsed().as_secs_f32()));
    assert_eq!(left(&name), "");
    assert_eq!(below(&[&name, &bridge]), Vec::<String>::new());
    assert!(!folder.exists());
}

/// What the fleet `name` has in the engine.
fn left(name: &str) -> String {
    let filter = format!("label=syntho-rehearsal.fleet={name}");
    [
        vec!["ps", "--all"],
        vec!["volume", "ls"],
        vec!["network", "ls"],
    ]
    .into_iter()
    .map(|list| docker(&[&list[..], &["--quiet", "--filter", &filter]].concat()))
    .collect()
}

fn docker(args: &[&str]) -> String {
    let mut command = Command::new("docker");
    if let Some(host) = engine().docker().host() {
        command.env("DOCKER_HOST", host);
    }
    text(&command.args(args).output().unwrap())
}

/// The name of a network's bridge on the machine below.
const BRIDGE: &str = "{{index .Options \"com.docker.network.bridge.name\"}}";

/// What the machine below says about these names in its firewall, among its links and among its processes.
fn below(names: &[&str]) -> Vec<String> {
    let all = ["iptables-save", "ip -o link", "ps -eo args"]
        .map(|command| text(&Command::new("sh").args(["-c", command]).output().unwrap()));
    let mentions = |line: &&str| names.iter().any(|name| line.contains(name));
    all.iter()
        .flat_map(|said| said.lines())
        .filter(mentions)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_site_is_sealed_and_the_inner_docker_works() {
    let fleet = up(&FleetSpec::unique("sealed", &["one"]));
    let vm = fleet.vm("one").unwrap();
    let image = base(vm);
    let limits =
        format!("docker run --rm --ulimit nofile=65536:65536 --oom-score-adj -500 {image} echo up");
    assert_eq!(text(&run(&fleet, "deploy", vm, &limits)), "up");
    assert_eq!(
        vm.exec_ok("docker info --format '{{.Driver}}'").unwrap(),
        "overlay2"
    );
    // Refused, not dropped: it ends at once, with the answer of a firewall.
    let started = Instant::now();
    assert!(
        !vm.exec("curl --max-time 10 http://192.0.2.77/")
            .unwrap()
            .ok()
    );
    assert!(!vm.exec("getent hosts registry-1.docker.io").unwrap().ok());
    assert!(
        !vm.exec(&format!(
            "docker run --rm {image} sh -c 'exec 3<>/dev/tcp/192.0.2.77/80'"
        ))
        .unwrap()
        .ok()
    );
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_reboot_is_a_real_one() {
    let fleet = up(&FleetSpec::unique("reboot", &["one"]));
    let vm = fleet.vm("one").unwrap();
    let image = base(vm);
    vm.exec_ok(&format!(
        "docker run -d --stop-signal KILL --name stays --restart unless-stopped {image} sleep infinity"
    ))
    .unwrap();
    vm.exec_ok(&format!(
        "docker run -d --stop-signal KILL --name goes {image} sleep infinity"
    ))
    .unwrap();
    let id = vm
        .exec_ok("cat /etc/machine-id; touch /run/gone /opt/kept")
        .unwrap();
    // The session that asks for it is cut off, as by a real one.
    run(&fleet, "root", vm, "systemctl reboot");
    vm.wait_until(
        "a fresh /run",
        SOON,
        "[ ! -e /run/gone ] && [ -e /run/vm-ready ]",
    )
    .unwrap();
    vm.wait_until(
        "the container",
        SOON,
        "docker inspect -f '{{.State.Running}}' stays | grep true",
    )
    .unwrap();
    assert_eq!(
        vm.exec_ok("docker ps --format '{{.Names}}'").unwrap(),
        "stays"
    );
    assert_eq!(
        vm.exec_ok("cat /etc/machine-id; ls /opt/kept >/dev/null")
            .unwrap(),
        id
    );
    // The host key is the same: known_hosts still holds.
    assert_eq!(text(&run(&fleet, "deploy", vm, "hostname")), "one");
    vm.reboot().unwrap();
    fleet.inflict("one", &Fault::PoweredOff).unwrap();
    assert!(vm.exec("true").is_ok_and(|output| !output.ok()));
    fleet.heal("one", &Fault::PoweredOff).unwrap();
    fleet.inflict("one", &Fault::PowerCut).unwrap();
    assert!(vm.exec("true").is_ok_and(|output| !output.ok()));
    fleet.heal("one", &Fault::PowerCut).unwrap();
    assert_eq!(text(&run(&fleet, "deploy", vm, "cat /etc/machine-id")), id);
}

fn logs_in(fleet: &Fleet, vm: &Vm) -> bool {
    run(fleet, "deploy", vm, "true").status.success()
}

#[test]
fn a_dead_runs_fleet_is_swept_and_others_are_not() {
    let name = format!("swept-{}", std::process::id());
    let labels = [
        "--label",
        &format!("syntho-rehearsal.fleet={name}"),
        "--label",
        "syntho-rehearsal.owner=1:1",
    ];
    docker(
        &[
            &["network", "create"],
            &labels[..],
            &[&format!("rehearsal-{name}")],
        ]
        .concat(),
    );
    docker(&[&["volume", "create"], &labels[..]].concat());
    assert_ne!(left(&name), "");
    let fleet = up(&FleetSpec::unique("alive", &["one"]));
    assert_eq!(left(&name), "");
    Fleet::sweep(engine()).unwrap();
    assert!(logs_in(&fleet, fleet.vm("one").unwrap()));
    assert_eq!(
        fleet.vm("one").unwrap().files_under("/etc/vm").unwrap(),
        ["/etc/vm/authorized_keys", "/etc/vm/config"]
    );
}
