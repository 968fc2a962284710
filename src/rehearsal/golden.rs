//! Docker data with images in it, made once and cloned for each VM: three VMs with a large image are ready in seconds.
//!
//! A golden volume is filled by a real Docker inside a VM and never used by one. A clone shares the files of its layers by hard
//! links, so it costs neither space nor much time.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;
use sha2::{Digest, Sha256};

use super::engine::{Engine, Lock, Tell};
use super::error::RehearsalError;
use super::fleet::Fleet;
use super::recipes::{Recipe, short_hex};
use super::spec::FleetSpec;

/// How long loading images into a golden volume, or cloning it, may take.
const LIMIT: Duration = Duration::from_mins(10);

/// Returns the name of the volume below a VM's `/var/lib/docker`.
pub(crate) fn volume(fleet: &str, vm: &str) -> String {
    format!("rehearsal-{fleet}-{vm}-docker")
}

/// Creates the volumes of all VMs, with the images that they should hold from the start.
pub(crate) fn prepare(
    engine: &Engine,
    fleet: &Fleet,
    spec: &FleetSpec,
    vm_images: &[String],
    tell: Tell<'_>,
) -> Result<(), RehearsalError> {
    let mut clones: BTreeMap<(String, Vec<String>), Vec<String>> = BTreeMap::new();
    for (vm, vm_image) in spec.vms.iter().zip(vm_images) {
        let name = volume(&fleet.name, &vm.name);
        let labels = fleet.labels.iter().flat_map(|label| ["--label", label]);
        engine
            .docker()
            .call(["volume", "create"])
            .args(labels)
            .arg(&name)
            .output()?;
        if !vm.images.is_empty() {
            let mut images = vm.images.clone();
            images.sort();
            clones
                .entry((vm_image.clone(), images))
                .or_default()
                .push(name);
        }
    }
    for ((vm_image, images), volumes) in clones {
        let golden = ensure(engine, &vm_image, &images, tell)?;
        clone(engine, &vm_image, &golden, &volumes)?;
    }
    Ok(())
}

/// Returns the golden volume with these images, filled first when there is none yet.
fn ensure(
    engine: &Engine,
    vm_image: &str,
    images: &[String],
    tell: Tell<'_>,
) -> Result<String, RehearsalError> {
    let docker = engine.docker();
    let ids = docker
        .call(["image", "inspect", "--format", "{{.Id}}", vm_image])
        .args(images)
        .output()?;
    let digest = short_hex(&Sha256::digest(format!("{ids}\n{}", images.join("\n"))));
    let name = format!("syntho-rehearsal-golden-{digest}");
    let folder = engine.cache().join("golden");
    fs::create_dir_all(&folder)?;
    let done = folder.join(&digest);
    let _lock = Lock::take(&folder.join(format!("{digest}.lock")))?;
    // The mark alone does not do: somebody may have removed the volume.
    if done.exists() && docker.call(["volume", "inspect", &name]).run()?.ok() {
        return Ok(name);
    }
    tell(&format!(
        "loading {} images into a volume for the virtual machines",
        images.len()
    ));
    let container = format!("{name}-filler");
    docker
        .call(["rm", "--force", "--volumes", &container])
        .run()?;
    docker.call(["volume", "rm", "--force", &name]).output()?;
    let filled = fill(engine, vm_image, images, &name, &container);
    docker.call(["rm", "--force", &container]).output()?;
    filled?;
    fs::write(done, images.join("\n"))?;
    Ok(name)
}

fn fill(
    engine: &Engine,
    vm_image: &str,
    images: &[String],
    volume: &str,
    container: &str,
) -> Result<(), RehearsalError> {
    let docker = engine.docker();
    docker
        .call([
            "run",
            "--detach",
            "--privileged",
            "--cgroupns",
            "private",
            "--network",
            "none",
        ])
        .args(["--tmpfs", "/run:exec,mode=755", "--name", container])
        .args(["--volume", &format!("{volume}:/var/lib/docker"), vm_image])
        .output()?;
    let ready = "timeout 60 sh -c 'until [ -e /run/vm-ready ]; do sleep 0.05; done'";
    super::vm::wait(
        "the virtual machine that loads images",
        super::vm::BOOT,
        || {
            Ok(docker
                .call(["exec", container, "sh", "-c", ready])
                .limit(super::vm::BOOT)
                .run()?
                .ok())
        },
    )?;
    let save = docker.call(["save"]).args(images).limit(LIMIT);
    save.pipe_into(
        &docker
            .call([
                "exec",
                "--interactive",
                container,
                "docker",
                "load",
                "--quiet",
            ])
            .limit(LIMIT),
    )?;
    // Its databases are complete only when Docker has ended.
    docker
        .call([
            "exec",
            container,
            "systemctl",
            "stop",
            "docker.socket",
            "docker.service",
        ])
        .output()
        .map(drop)
}

fn clone(
    engine: &Engine,
    vm_image: &str,
    golden: &str,
    volumes: &[String],
) -> Result<(), RehearsalError> {
    let recipe = Recipe::write_out(engine.cache(), "engine")?;
    let script = fs::read_to_string(recipe.folder.join("clone.sh"))?;
    let docker = engine.docker();
    let place = docker
        .call(["volume", "inspect", "--format", "{{.Mountpoint}}", golden])
        .output()?;
    // Links do not cross mounts, so the folder of all volumes is mounted, not the volumes.
    let all = Utf8Path::new(&place).parent().and_then(Utf8Path::parent);
    let Some(all) = all else {
        return Err(RehearsalError::Spec {
            reason: format!("the volume {golden} has no place on disk"),
        });
    };
    docker
        .call([
            "run",
            "--rm",
            "--network",
            "none",
            "--entrypoint",
            "sh",
            "--privileged",
        ])
        .args([
            "--volume",
            &format!("{all}:/volumes"),
            vm_image,
            "-c",
            &script,
            "clone.sh",
        ])
        .args(
            std::iter::once(golden)
                .chain(volumes.iter().map(String::as_str))
                .map(|name| format!("/volumes/{name}/_data")),
        )
        .limit(LIMIT)
        .output()
        .map(drop)
}
