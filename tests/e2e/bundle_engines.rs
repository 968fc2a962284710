//! One image brought to engines of other ages and over other roads, judged by `docker` itself.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use secrecy::SecretString;
use syntho_installer::engine::action::{
    Action, Context, DeliverImage, Material, Materials, Progress, Rights,
};
use syntho_installer::engine::delivery::Delivery;
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
use syntho_installer::transport::{ConnectSpec, Host, RegistryLogin, connect};

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

/// Remembers lines.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

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

fn reach(site: &Site, name: &str) -> Arc<dyn Host> {
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

#[test]
fn old_and_new_engines_and_sshds_that_forward_nothing() {
    let site = Site::with(&[
        VmSpec::new("new"),
        VmSpec::new("old").engine(InnerEngine::Distro),
        VmSpec::new("closed").engine(InnerEngine::Distro),
    ]);
    site.vm("closed")
        .exec_ok("echo 'AllowTcpForwarding no' > /etc/ssh/sshd_config.d/00-closed.conf && systemctl reload ssh")
        .unwrap();
    let carried = carry(&site.home);
    for (name, by_load) in [("new", false), ("old", false), ("closed", true)] {
        let host = reach(&site, name);
        site.vm(name)
            .exec_ok("install -d -o deploy /opt/there")
            .unwrap();
        let ear = Ear::default();
        let cx = Context {
            host: host.as_ref(),
            materials: &carried,
            progress: &ear,
        };
        let mut action = DeliverImage {
            image: "redis".parse().unwrap(),
            reference: ImageRef::parse(NAME).unwrap(),
            source: ImageSource::Bundle,
            aliases: Vec::new(),
            architecture: carried.image.architecture.clone(),
            keep_login: false,
            rights: Rights::Login,
            folder: "/opt/there".to_owned(),
            id: None,
            pulled: false,
        };
        assert_eq!(action.probe(&cx).unwrap(), Probe::Needed);
        action.execute(&cx).unwrap();
        assert_eq!(action.probe(&cx).unwrap(), Probe::AlreadySo);
        let said = ear
            .0
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("instead"));
        assert_eq!(said, by_load, "{name}: {:?}", ear.0.lock().unwrap());
        let vm = site.vm(name);
        let told = vm
            .exec_ok("docker images --all --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'");
        assert_eq!(
            told.unwrap().trim(),
            format!("{NAME} {}", carried.image.id),
            "{name}"
        );
        let ran = vm.exec_ok(&format!(
            "docker run --rm --entrypoint sh {NAME} -c 'echo runs'"
        ));
        assert_eq!(ran.unwrap().trim(), "runs", "{name}");
        // Nothing of the pull is left on the host.
        assert_eq!(vm.exec_ok("ls -A /opt/there").unwrap().trim(), "", "{name}");
    }
}
