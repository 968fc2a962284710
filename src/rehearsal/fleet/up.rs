//! Brings a fleet up: images, keys, network, then all VMs at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;
use ipnet::Ipv4Net;

use super::{Fleet, leftovers};
use crate::rehearsal::call::Call;
use crate::rehearsal::engine::{Engine, Tell};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::spec::{AirGap, FleetSpec, Keep, Reach, Sudo, VmSpec};
use crate::rehearsal::vm::Vm;
use crate::rehearsal::{firewall, golden, network, registry};

/// How long the start of one container may take on a busy machine.
const START: Duration = Duration::from_mins(2);

/// See [`Fleet::up`].
pub(super) fn up(
    engine: &Engine,
    spec: &FleetSpec,
    tell: Tell<'_>,
) -> Result<Fleet, RehearsalError> {
    check(engine, spec)?;
    for name in leftovers::sweep(engine.docker(), engine.cache())? {
        tell(&format!("removed what an earlier run left behind: {name}"));
    }
    let images = spec
        .vms
        .iter()
        .map(|vm| engine.ensure_vm_image(vm.engine, tell))
        .collect::<Result<Vec<_>, _>>()?;
    let labels = leftovers::labels(&spec.name, spec.keep)?;
    let subnet = network::create(engine.docker(), spec, &labels)?;
    // From here on, dropping the value on an error takes down what is up so far.
    let mut fleet = Fleet {
        docker: engine.docker().clone(),
        cache: engine.cache().to_owned(),
        folder: engine.cache().join("fleets").join(&spec.name),
        name: spec.name.clone(),
        subnet,
        labels,
        vms: Vec::new(),
        keep: Keep::No,
    };
    firewall::open(&fleet.docker, &fleet.name)?;
    make_keys(&fleet.folder)?;
    let addresses = addresses(spec, subnet)?;
    tell(&format!(
        "starting {} virtual machines in {subnet}",
        spec.vms.len()
    ));
    fleet.vms = start_all(engine, &fleet, spec, &images, &addresses, tell)?;
    write_known_hosts(&fleet)?;
    fleet.keep = spec.keep;
    Ok(fleet)
}

fn check(engine: &Engine, spec: &FleetSpec) -> Result<(), RehearsalError> {
    let refuse = |reason: String| Err(RehearsalError::Spec { reason });
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let names: Vec<&str> = spec.vms.iter().map(|vm| vm.name.as_str()).collect();
    if let Some(bad) = names
        .iter()
        .chain([&spec.name.as_str()])
        .find(|name| !is_name(name))
    {
        return refuse(format!(
            "`{bad}` is not a name: use lower-case letters, digits and hyphens"
        ));
    }
    if let Some(twice) = names
        .iter()
        .enumerate()
        .find_map(|(at, name)| names[..at].contains(name).then_some(name))
    {
        return refuse(format!("two virtual machines are named `{twice}`"));
    }
    if spec.air_gap == AirGap::Open && engine.is_own() {
        return refuse(
            "the second engine gives virtual machines no way to the internet".to_owned(),
        );
    }
    Ok(())
}

fn make_keys(folder: &Utf8Path) -> Result<(), RehearsalError> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let key = folder.join("id_ed25519");
    Call::new("ssh-keygen")
        .args([
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "rehearsal",
            "-f",
            key.as_str(),
        ])
        .output()?;
    Ok(())
}

fn addresses(
    spec: &FleetSpec,
    subnet: Ipv4Net,
) -> Result<BTreeMap<String, Ipv4Addr>, RehearsalError> {
    let address = |(index, vm): (usize, &VmSpec)| {
        let address = vm.address.or_else(|| network::vm(subnet, index));
        let address = address.filter(|address| subnet.contains(address));
        let reason = || format!("`{}` has no address in {subnet}", vm.name);
        Ok((
            vm.name.clone(),
            address.ok_or_else(|| RehearsalError::Spec { reason: reason() })?,
        ))
    };
    spec.vms.iter().enumerate().map(address).collect()
}

fn start_all(
    engine: &Engine,
    fleet: &Fleet,
    spec: &FleetSpec,
    images: &[String],
    addresses: &BTreeMap<String, Ipv4Addr>,
    tell: Tell<'_>,
) -> Result<Vec<Vm>, RehearsalError> {
    let keys = fs::read_to_string(fleet.folder.join("id_ed25519.pub"))?;
    golden::prepare(engine, fleet, spec, images, tell)?;
    let shared = shared(fleet, spec)?;
    let start = |vm: &VmSpec, image: &str| -> Result<Vm, RehearsalError> {
        let mut vm = Vm {
            docker: engine.docker().clone(),
            container: format!("rehearsal-{}-{}", fleet.name, vm.name),
            image: image.to_owned(),
            spec: vm.clone(),
            address: addresses.get(&vm.name).copied().unwrap_or(fleet.gateway()),
            host_key: String::new(),
        };
        let config = config(fleet, spec.air_gap, &vm.spec);
        let start = run(fleet, &vm)
            .args(hosts(fleet.subnet, addresses))
            .args(&shared);
        start
            .args([
                "--env",
                &format!("VM_CONFIG={config}"),
                "--env",
                &format!("VM_KEYS={}", keys.trim()),
                image,
            ])
            .output()?;
        vm.wait_ready()?;
        vm.host_key = vm.exec_ok("cut -d' ' -f1-2 /etc/ssh/ssh_host_ed25519_key.pub")?;
        Ok(vm)
    };
    thread::scope(|scope| {
        let starts: Vec<_> = spec
            .vms
            .iter()
            .zip(images)
            .map(|(vm, image)| scope.spawn(move || start(vm, image)))
            .collect();
        starts
            .into_iter()
            .map(|started| started.join().unwrap_or_else(|_| Err(died())))
            .collect()
    })
}

/// The part of `docker run` that makes a container a VM of this fleet.
fn run(fleet: &Fleet, vm: &Vm) -> Call {
    let memory = vm.spec.memory_mb.map(|memory| format!("{memory}m"));
    fleet
        .docker
        .call([
            "run",
            "--detach",
            "--privileged",
            "--cgroupns",
            "private",
            "--restart",
            "on-failure",
        ])
        .args(["--name", &vm.container, "--hostname", vm.name()])
        .args([
            "--network",
            &network::name(&fleet.name),
            "--ip",
            &vm.address.to_string(),
        ])
        .args([
            "--tmpfs",
            "/run:exec,mode=755",
            "--tmpfs",
            "/tmp:exec,mode=1777",
        ])
        .args([
            "--volume",
            &format!("{}:/var/lib/docker", golden::volume(&fleet.name, vm.name())),
        ])
        .args(fleet.labels.iter().flat_map(|label| ["--label", label]))
        .args(memory.iter().flat_map(|memory| ["--memory", memory]))
        .limit(START)
}

/// Makes the folder that all VMs have in common, and returns the part of `docker run` that mounts it.
fn shared(fleet: &Fleet, spec: &FleetSpec) -> Result<Vec<String>, RehearsalError> {
    let Some(folder) = &spec.shared else {
        return Ok(Vec::new());
    };
    let volume = format!("rehearsal-{}-shared", fleet.name);
    fleet
        .docker
        .call(["volume", "create"])
        .args(fleet.labels.iter().flat_map(|label| ["--label", label]))
        .arg(&volume)
        .output()?;
    Ok(vec!["--volume".to_owned(), format!("{volume}:{folder}")])
}

fn died() -> RehearsalError {
    RehearsalError::Spec {
        reason: "a thread that started a virtual machine died".to_owned(),
    }
}

/// Every VM knows every other by name, and the registry, whether it is up or not.
fn hosts(subnet: Ipv4Net, addresses: &BTreeMap<String, Ipv4Addr>) -> Vec<String> {
    let registry = format!("{}:{}", registry::HOST, network::registry(subnet));
    let others = addresses
        .iter()
        .map(|(name, address)| format!("{name}:{address}"));
    others
        .chain([registry])
        .flat_map(|entry| ["--add-host".to_owned(), entry])
        .collect()
}

/// What `setup.sh` in the VM reads on every boot.
fn config(fleet: &Fleet, air_gap: AirGap, vm: &VmSpec) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    format!(
        "subnet={}\ngateway={}\nairgap={}\njump_only={}\nsudo={}\ndisk_mb={}",
        fleet.subnet,
        fleet.gateway(),
        yes(air_gap == AirGap::Sealed),
        yes(vm.reach == Reach::JumpOnly),
        if vm.sudo == Sudo::Rs { "rs" } else { "classic" },
        vm.disk_mb.unwrap_or(0),
    )
}

fn write_known_hosts(fleet: &Fleet) -> Result<(), RehearsalError> {
    let lines = fleet.vms.iter().fold(String::new(), |mut text, vm| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{},{} {}", vm.address, vm.name(), vm.host_key);
        text
    });
    fs::write(fleet.known_hosts(), lines)?;
    Ok(())
}
