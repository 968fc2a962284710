//! One image brought to engines of other ages and over other roads, judged by `docker` itself.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use secrecy::SecretString;
use syntho_installer::engine::action::{
    Action, Context, DeliverImage, Material, Materials, Progress, Rights,
};
use syntho_installer::engine::delivery::Delivery;
use syntho_installer::engine::runner::Links;
use syntho_installer::images::blobs::{BlobStore, LIMIT};
use syntho_installer::images::bundle;
use syntho_installer::model::answers::{ImageSource, SshSection};
use syntho_installer::model::bundle::BundledImage;
use syntho_installer::model::docker::LayerProgress;
use syntho_installer::model::ids::{HostName, StackId};
use syntho_installer::model::image::ImageRef;
use syntho_installer::model::operator::Nobody;
use syntho_installer::model::plan::Probe;
use syntho_installer::rehearsal::images::{self, Release};
use syntho_installer::rehearsal::{InnerEngine, VmSpec};
use syntho_installer::transport::{ConnectSpec, Host, RegistryLogin, TransportError, connect};

use crate::site::{Site, engine, fingerprint, release, tell};

const NAME: &str = "redis:6.2-alpine";

/// What was carried in.
struct Carried {
    image: BundledImage,
    delivery: Delivery,
}

impl Materials for Carried {
    fn file(&self, _: &HostName, _: &StackId, _: &str) -> Option<Material> {
        None
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        None
    }

    fn environment(&self, _: &HostName, _: &StackId) -> Option<Vec<(String, SecretString)>> {
        None
    }

    fn bundled(&self, _: &ImageRef, _: &str) -> Option<BundledImage> {
        Some(self.image.clone())
    }

    fn delivery(&self) -> Option<&Delivery> {
        Some(&self.delivery)
    }
}

/// There are no other hosts.
pub struct Alone;

impl Links for Alone {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        panic!("{name} is asked");
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.host(name)
    }
}

/// Remembers lines.
#[derive(Default)]
pub struct Ear(Mutex<Vec<String>>);

impl Progress for Ear {
    fn at(&self, _: u64, _: Option<u64>) {}

    fn layer(&self, _: LayerProgress) {}

    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn carry(folder: &Utf8Path) -> Carried {
    release(Release::Old);
    let names = [ImageRef::parse(NAME).unwrap()];
    let archive = images::archive(engine(), "one", &names, &tell).unwrap();
    let store = BlobStore::open(folder.join("store"), LIMIT).unwrap();
    let read = bundle::read(&archive, &store, &mut |_| ControlFlow::Continue(()));
    Carried {
        image: read.unwrap().remove(0),
        delivery: Delivery::new(Arc::new(store)),
    }
}

pub fn reach(site: &Site, name: &str) -> Arc<dyn Host> {
    let vm = site.vm(name);
    let spec = ConnectSpec {
        host: name.parse().unwrap(),
        address: vm.address().to_string(),
        login: SshSection {
            user: Some("deploy".to_owned()),
            key: Some(site.fleet.private_key()),
            ..SshSection::default()
        },
        host_key: Some(fingerprint(vm.host_key())),
        password: None,
        passphrase: None,
        sudo_password: None,
        ssh_folder: None,
        limit: std::time::Duration::from_secs(20),
    };
    connect(&spec, &Nobody).unwrap()
}

/// Returns the step that brings an image from its registry.
pub fn delivery_of(reference: ImageRef) -> DeliverImage {
    DeliverImage {
        image: "redis".parse().unwrap(),
        reference,
        source: ImageSource::Registry,
        aliases: Vec::new(),
        architecture: "amd64".to_owned(),
        keep_login: false,
        rights: Rights::Login,
        folder: "/opt/there".to_owned(),
        id: None,
        pulled: false,
    }
}

/// Brings the image to a VM, `by_load` when its sshd forwards nothing; nothing else is left there.
fn brought(site: &Site, name: &str, carried: &Carried, by_load: bool) {
    let vm = site.vm(name);
    let host = reach(site, name);
    vm.exec_ok("install -d -o deploy /opt/there").unwrap();
    let ear = Ear::default();
    let cx = Context {
        host: host.as_ref(),
        materials: carried,
        progress: &ear,
        peers: &Alone,
    };
    let mut action = DeliverImage {
        source: ImageSource::Bundle,
        ..delivery_of(ImageRef::parse(NAME).unwrap())
    };
    assert_eq!(action.probe(&cx).unwrap(), Probe::Needed, "{name}");
    action.execute(&cx).unwrap();
    assert_eq!(action.probe(&cx).unwrap(), Probe::AlreadySo, "{name}");
    let lines = ear.0.lock().unwrap();
    let said = lines.iter().any(|line| line.contains("instead"));
    assert_eq!(said, by_load, "{name}: {lines:?}");
    let ran = vm.exec_ok(&format!(
        "docker run --rm --entrypoint sh {NAME} -c 'echo runs'"
    ));
    assert_eq!(ran.unwrap().trim(), "runs", "{name}");
    // Nothing of the pull is left on the host.
    assert_eq!(vm.exec_ok("ls -A /opt/there").unwrap().trim(), "", "{name}");
}

/// Returns every image of a VM with its id, as `docker` itself tells it.
fn told(site: &Site, name: &str) -> String {
    let list = "docker images --all --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'";
    site.vm(name).exec_ok(list).unwrap().trim().to_owned()
}

fn close(site: &Site, name: &str) {
    site.vm(name)
        .exec_ok("echo 'AllowTcpForwarding no' > /etc/ssh/sshd_config.d/00-closed.conf && systemctl reload ssh")
        .unwrap();
}

#[test]
fn old_and_new_engines_and_sshds_that_forward_nothing() {
    let site = Site::with(&[
        VmSpec::new("new"),
        VmSpec::new("old").engine(InnerEngine::Distro),
        VmSpec::new("closed").engine(InnerEngine::Distro),
    ]);
    close(&site, "closed");
    let carried = carry(&site.home);
    for (name, by_load) in [("new", false), ("old", false), ("closed", true)] {
        brought(&site, name, &carried, by_load);
        let expected = format!("{NAME} {}", carried.image.id);
        assert_eq!(told(&site, name), expected, "{name}");
    }
}

/// Prints the digest of the configuration that an engine writes for an image, and the digests of its layers: what `docker save` gives, judged by
/// `sha256sum` and `jq`.
const SAVED: &str = r#"set -e
work=$(mktemp -d)
docker save redis:6.2-alpine | tar -xf - -C "$work"
config=$work/$(jq -r '.[0].Config' "$work/manifest.json")
sha256sum < "$config" | cut -d' ' -f1
jq -r '.rootfs.diff_ids[]' "$config"
rm -rf "$work"
"#;

/// Gives a VM's Docker the other image store. It needs a file system that overlays may lie on, as every machine's own is and a VM's of ours is not.
const OTHER_STORE: &str = r#"set -e
mkdir -p /etc/docker
echo '{"features": {"containerd-snapshotter": true}}' > /etc/docker/daemon.json
systemctl stop docker.socket docker.service containerd.service
mkdir -p /var/lib/docker/.containerd /var/lib/containerd
mount --bind /var/lib/docker/.containerd /var/lib/containerd
systemctl start containerd.service docker.socket docker.service
timeout 60 sh -c 'until docker info >/dev/null 2>&1; do sleep 0.1; done'
"#;

/// Docker's other image store: an image's id is the digest of a manifest there, so configuration and layers are compared.
#[test]
fn engines_with_the_containerd_image_store() {
    let site = Site::with(&[VmSpec::new("open"), VmSpec::new("closed")]);
    close(&site, "closed");
    let carried = carry(&site.home);
    let mut expected = vec![carried.image.id.replace("sha256:", "")];
    let layers = carried.image.layers.iter();
    expected.extend(layers.map(|layer| layer.diff_id.clone()));
    for (name, by_load) in [("open", false), ("closed", true)] {
        let vm = site.vm(name);
        vm.exec_ok(OTHER_STORE).unwrap();
        let store = vm.exec_ok("docker info --format '{{.DriverStatus}}'");
        let store = store.unwrap();
        assert!(store.contains("io.containerd.snapshotter"), "{store}");
        brought(&site, name, &carried, by_load);
        let saved = vm.exec_ok(SAVED).unwrap();
        assert_eq!(saved.lines().collect::<Vec<_>>(), expected, "{name}");
        let images = told(&site, name);
        assert!(
            images.lines().count() == 1 && images.starts_with(NAME),
            "{name}: {images}"
        );
    }
}
