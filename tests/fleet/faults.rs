//! Every fault does what its name says, and heals.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use syntho_installer::rehearsal::{Fault, Fleet, FleetSpec, Vm, VmSpec};

use super::{SOON, base, logs_in, reaches, ssh, text, up};

/// Waits until `done`; every fault is an event that can be seen.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a long SSH session and returns when it is there.
fn session(fleet: &Fleet, vm: &Vm) -> Child {
    let child = ssh(fleet, "deploy", vm, "touch /tmp/session; exec sleep 300")
        .spawn()
        .unwrap();
    vm.wait_until("the session", SOON, "[ -e /tmp/session ]")
        .unwrap();
    vm.exec_ok("rm /tmp/session").unwrap();
    child
}

#[test]
fn network_faults_happen_and_heal() {
    let fleet = up(&FleetSpec::unique("network", &["a", "b", "c"]));
    let (a, b, c) = (
        fleet.vm("a").unwrap(),
        fleet.vm("b").unwrap(),
        fleet.vm("c").unwrap(),
    );

    fleet.inflict("a", &Fault::LinkDown).unwrap();
    assert!(!reaches(b, a) && !logs_in(&fleet, a));
    fleet.heal("a", &Fault::LinkDown).unwrap();
    assert!(reaches(b, a) && logs_in(&fleet, a));
    assert!(a.exec_ok("ip route").unwrap().contains("default via"));

    let partition = Fault::Partition { other: "b".into() };
    fleet.inflict("a", &partition).unwrap();
    assert!(!reaches(a, b) && !reaches(b, a) && reaches(a, c) && reaches(c, b));
    fleet.heal("a", &partition).unwrap();
    fleet.heal("a", &partition).unwrap();
    assert!(reaches(a, b) && reaches(b, a));

    fleet.inflict("a", &Fault::Paused).unwrap();
    assert!(!reaches(b, a) || !logs_in(&fleet, a));
    fleet.heal("a", &Fault::Paused).unwrap();
    fleet.heal("a", &Fault::Paused).unwrap();
    assert!(logs_in(&fleet, a));

    let slow = Fault::RateLimit { kbit: 2000 };
    fleet.inflict("a", &slow).unwrap();
    for direction in ["cat > /dev/null", "cat < /tmp/half"] {
        // Half a megabyte at two megabits a second.
        a.exec_ok("head -c 524288 /dev/urandom > /tmp/half")
            .unwrap();
        let input = std::fs::File::from(noise(524_288));
        let started = Instant::now();
        assert!(
            ssh(&fleet, "deploy", a, direction)
                .stdin(input)
                .output()
                .unwrap()
                .status
                .success()
        );
        assert!(
            started.elapsed() > Duration::from_millis(1500),
            "{direction}: {:?}",
            started.elapsed()
        );
    }
    fleet.heal("a", &slow).unwrap();
    let started = Instant::now();
    assert!(
        ssh(&fleet, "deploy", a, "cat < /tmp/half")
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
}

/// A temporary file of this many bytes.
fn noise(bytes: usize) -> std::os::fd::OwnedFd {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    let noise: Vec<u8> = (0..bytes)
        .map(|at| u8::try_from((at * 2_654_435_761) >> 7 & 0xff).unwrap())
        .collect();
    file.write_all(&noise).unwrap();
    file.rewind().unwrap();
    file.into()
}

#[test]
fn ssh_faults_happen_and_heal() {
    let fleet = up(&FleetSpec::unique("ssh", &["one"]));
    let vm = fleet.vm("one").unwrap();

    let mut live = session(&fleet, vm);
    fleet.inflict("one", &Fault::SshdStopped).unwrap();
    assert!(!logs_in(&fleet, vm));
    assert!(
        live.try_wait().unwrap().is_none(),
        "a session outlives sshd"
    );
    fleet.heal("one", &Fault::SshdStopped).unwrap();
    assert!(logs_in(&fleet, vm));

    fleet.inflict("one", &Fault::SshDropped).unwrap();
    until("the end of the session", || {
        live.try_wait().unwrap().is_some()
    });
    assert!(logs_in(&fleet, vm));

    fleet.inflict("one", &Fault::SshSilent).unwrap();
    let mut stream = TcpStream::connect((vm.address(), 22)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut banner = [0; 64];
    let read = stream.read(&mut banner).unwrap();
    assert!(banner[..read].starts_with(b"SSH-2.0-OpenSSH"));
    stream.write_all(b"SSH-2.0-test\r\n").unwrap();
    assert!(
        stream.read(&mut banner).is_err(),
        "it says nothing more, and the line stays open"
    );
    fleet.heal("one", &Fault::SshSilent).unwrap();
    assert!(logs_in(&fleet, vm));
}

#[test]
fn docker_faults_happen_and_heal() {
    let fleet =
        up(&FleetSpec::unique("docker", &["one", "two"]).vm(VmSpec::new("small").disk_mb(300)));
    let vm = fleet.vm("one").unwrap();
    let answers = |script: &str| vm.exec(script).unwrap().ok();

    fleet.inflict("one", &Fault::DockerStopped).unwrap();
    assert!(!answers("docker info"));
    fleet.heal("one", &Fault::DockerStopped).unwrap();
    assert!(answers("docker info"));

    let before = vm
        .exec_ok("systemctl show -p MainPID --value docker")
        .unwrap();
    fleet.inflict("one", &Fault::DockerKilled).unwrap();
    fleet.heal("one", &Fault::DockerKilled).unwrap();
    assert_ne!(
        vm.exec_ok("systemctl show -p MainPID --value docker")
            .unwrap(),
        before
    );
}

#[test]
fn missing_commands_are_missing_and_come_back() {
    let fleet = up(&FleetSpec::unique("missing", &["one"]));
    let vm = fleet.vm("one").unwrap();
    let answers = |script: &str| vm.exec(script).unwrap().ok();

    fleet.inflict("one", &Fault::NoComposePlugin).unwrap();
    assert!(!answers("docker compose version") && answers("docker-compose version"));
    fleet.heal("one", &Fault::NoComposePlugin).unwrap();
    fleet.inflict("one", &Fault::NoCompose).unwrap();
    assert!(!answers("docker compose version") && !answers("docker-compose version"));
    fleet.heal("one", &Fault::NoCompose).unwrap();
    assert!(answers("docker compose version && docker-compose version"));
    fleet.inflict("one", &Fault::NoDocker).unwrap();
    assert!(!answers("command -v docker"));
    fleet.heal("one", &Fault::NoDocker).unwrap();
    assert!(answers("docker info"));
}

#[test]
fn small_deceptions_happen_and_heal() {
    let fleet = up(&FleetSpec::unique("small", &["one", "two"]));
    let vm = fleet.vm("one").unwrap();

    let port = Fault::PortTaken { port: 8080 };
    fleet.inflict("one", &port).unwrap();
    assert!(TcpStream::connect((vm.address(), 8080)).is_ok());
    fleet.heal("one", &port).unwrap();
    assert!(TcpStream::connect((vm.address(), 8080)).is_err());

    let skew = Fault::ClockSkew { seconds: 7200 };
    let ahead = || {
        vm.exec_ok("echo $(($(date +%s) - $(/bin/date +%s)))")
            .unwrap()
            .parse::<i64>()
            .unwrap()
    };
    fleet.inflict("one", &skew).unwrap();
    assert!((7199..=7201).contains(&ahead()));
    assert_eq!(vm.exec_ok("date -d @0 +%Y").unwrap(), "1970");
    fleet.heal("one", &skew).unwrap();
    assert!(ahead().abs() <= 1);

    let twin = Fault::SameMachineId {
        other: "two".into(),
    };
    let id = |name: &str| {
        fleet
            .vm(name)
            .unwrap()
            .exec_ok("cat /etc/machine-id")
            .unwrap()
    };
    let own = id("one");
    fleet.inflict("one", &twin).unwrap();
    assert_eq!(id("one"), id("two"));
    fleet.heal("one", &twin).unwrap();
    assert_eq!(id("one"), own);

    let refused = fleet
        .inflict("one", &Fault::DiskFull { leave_kb: 0 })
        .unwrap_err();
    assert!(refused.to_string().contains("disk full"), "{refused}");
}

#[test]
fn a_disk_of_its_own_is_full_for_real_and_survives_a_reboot() {
    let loops = || {
        Command::new("losetup")
            .args(["--list", "--noheadings"])
            .output()
            .map(|output| text(&output))
            .unwrap_or_default()
    };
    let before = loops();
    let fleet =
        up(&FleetSpec::unique("disk", &[]).vm(VmSpec::new("small").disk_mb(300).memory_mb(512)));
    let vm = fleet.vm("small").unwrap();
    let image = base(vm);
    assert_eq!(
        vm.exec_ok("docker info --format '{{.Driver}}'").unwrap(),
        "overlay2"
    );
    let full = Fault::DiskFull { leave_kb: 100 };
    fleet.inflict("small", &full).unwrap();
    let write = format!("docker run --rm {image} dd if=/dev/zero of=/big bs=1M count=20");
    let output = vm.exec(&write).unwrap();
    assert!(
        !output.ok() && output.stderr.contains("o space left on device"),
        "{}",
        output.stderr
    );
    vm.reboot().unwrap();
    fleet.heal("small", &full).unwrap();
    assert!(vm.exec(&write).unwrap().ok());
    // More memory than the VM has: the kernel ends it.
    assert!(
        !vm.exec("head -c 900M /dev/zero | tail -c 900M > /dev/null")
            .unwrap()
            .ok()
    );
    fleet.down().unwrap();
    assert_eq!(loops(), before);
}
