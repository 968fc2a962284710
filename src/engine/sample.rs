//! A small deployment on three machines for the engine's tests: a Ray head, a worker after it, and an application after both.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use crate::engine::action::Rights;
use crate::engine::machine::{Machine, image};
use crate::engine::runner::{Guard, Links};
use crate::model::answers::ImageSource;
use crate::model::facts::{HostFacts, RootAccess, UserFacts};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::preset::{Service, ServiceState};
use crate::model::resolved::{
    PlacedConfirm, PlacedImage, PlacedStack, RenderedFile, Resolved, ResolvedHost,
};
use crate::model::secret::Secrets;
use crate::transport::{Host, TransportError};

/// A secret of the sample; no event, receipt or command may hold it.
pub(crate) const SECRET: &str = "canary-66n6ldql$2#y";
const HEAD: &str = "10.0.0.11:6379";

/// The sample's machines. They share one file system, where their stacks have folders of their own.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    pub(crate) machines: BTreeMap<HostName, Arc<Machine>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let machines = ["ray-1", "ray-2", "ui"].into_iter().map(|name| {
            let machine = Machine::named(name);
            let mut world = machine.engine.world();
            world.images.push(image("x:1", "1"));
            HEAD.clone_into(&mut world.announces);
            drop(world);
            (name.parse().unwrap(), Arc::new(machine))
        });
        Self {
            dir: tempfile::tempdir().unwrap(),
            machines: machines.collect(),
        }
    }

    /// Returns the folder of all deployments.
    pub(crate) fn base(&self) -> String {
        format!("{}/opt", self.dir.path().display())
    }

    pub(crate) fn facts(&self) -> BTreeMap<HostName, HostFacts> {
        let facts = |name: &HostName| (name.clone(), facts(name));
        self.machines.keys().map(facts).collect()
    }

    pub(crate) fn rights(&self) -> BTreeMap<HostName, Rights> {
        let rights = |name: &HostName| (name.clone(), Rights::Login);
        self.machines.keys().map(rights).collect()
    }

    /// Returns every file with its content, and every container.
    pub(crate) fn state(&self) -> BTreeMap<String, String> {
        let mut state = BTreeMap::new();
        let root = self.dir.path();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(&folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let shown = path.strip_prefix(root).unwrap().display().to_string();
                state.insert(shown, fs_err::read_to_string(&path).unwrap());
            }
        }
        for (name, machine) in &self.machines {
            for container in &machine.engine.world().containers {
                let id = format!("{name} {}", container.name);
                state.insert(id, container.state.clone());
            }
        }
        state
    }
}

impl Links for Site {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        Ok(self.machines[name].host.clone())
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.host(name)
    }
}

impl Guard for Site {
    fn holds(&self, _host: &HostName) -> bool {
        true
    }
}

fn facts(name: &HostName) -> HostFacts {
    HostFacts {
        host: name.clone(),
        os: "Debian GNU/Linux 12".to_owned(),
        os_id: "debian".to_owned(),
        os_version: "12".to_owned(),
        kernel: "6.1".to_owned(),
        architecture: "x86_64".to_owned(),
        cpus: 8,
        memory: 32 << 30,
        memory_available: 30 << 30,
        hostname: name.to_string(),
        machine_id: format!("id-of-{name}"),
        addresses: Vec::new(),
        routes: Vec::new(),
        default_address: None,
        clock_skew: 0.0,
        disks: Vec::new(),
        listeners: Vec::new(),
        user: UserFacts {
            name: "root".to_owned(),
            uid: 0,
            groups: Vec::new(),
            root: RootAccess::IsRoot,
        },
        docker: None,
        docker_problem: None,
        compose: None,
        nofile_limit: None,
        proxies: BTreeMap::new(),
        tools: BTreeMap::new(),
        folders: Vec::new(),
    }
}

fn stack(base: &str, id: &str, host: &str, after: &[&str]) -> PlacedStack {
    let file = |path: &str, mode, content: &str, masked: &str| RenderedFile {
        path: path.to_owned(),
        mode,
        content: SecretString::from(content),
        masked: masked.to_owned(),
        secret: content != masked,
        reload: None,
    };
    let env = format!("KEY='{SECRET}'\n");
    PlacedStack {
        id: id.parse().unwrap(),
        title: id.to_owned(),
        host: host.parse().unwrap(),
        project: format!("acme-{id}"),
        folder: format!("{base}/acme/{id}"),
        after: after.iter().map(|id| id.parse().unwrap()).collect(),
        images: vec![PlacedImage {
            id: "x".parse().unwrap(),
            reference: ImageRef::parse("x:1").unwrap(),
            unpacked: 1,
            aliases: Vec::new(),
            tag_endings: Vec::new(),
        }],
        files: vec![
            file(
                "docker-compose.yaml",
                0o644,
                "services: {}\n",
                "services: {}\n",
            ),
            file(".env", 0o600, &env, "KEY=‹admin-password›\n"),
            file(
                "README",
                0o644,
                "By hand: docker compose up -d\n",
                "By hand: docker compose up -d\n",
            ),
        ],
        environment: vec![("KEY".to_owned(), SecretString::from(SECRET))],
        ports: Vec::new(),
        services: vec![Service {
            name: "x".to_owned(),
            when: None,
            state: ServiceState::Running,
            within: 5,
            reload: Vec::new(),
        }],
        proofs: Vec::new(),
        steps: Vec::new(),
        confirms: Vec::new(),
        backups: Vec::new(),
        adopted: None,
    }
}

/// Returns the sample, resolved for hosts with this base folder.
pub(crate) fn resolved(base: &str) -> Resolved {
    let mut secrets = Secrets::default();
    secrets.insert("admin-password".parse().unwrap(), SECRET.into());
    let mut head = stack(base, "ray-head", "ray-1", &[]);
    head.confirms.push(PlacedConfirm {
        service: "x".to_owned(),
        log: "ray start --address='([^']+)'".to_owned(),
        equals: HEAD.to_owned(),
        remedy: "write {found} into private-address".to_owned(),
    });
    let hosts = ["ray-1", "ray-2", "ui"].into_iter().enumerate();
    Resolved {
        deployment: "acme".parse().unwrap(),
        preset: "syntho-app-ray".parse().unwrap(),
        title: "Sample".to_owned(),
        hosts: hosts
            .map(|(number, name)| ResolvedHost {
                name: name.parse().unwrap(),
                roles: Vec::new(),
                address: format!("192.0.2.{number}"),
                private_address: format!("10.0.0.1{number}").parse().unwrap(),
                needs: Vec::new(),
            })
            .collect(),
        stacks: vec![
            head,
            stack(base, "ray-worker", "ray-2", &["ray-head"]),
            stack(base, "application", "ui", &["ray-head", "ray-worker"]),
        ],
        reach: Vec::new(),
        checks: Vec::new(),
        health: Vec::new(),
        endpoints: Vec::new(),
        authorities: Vec::new(),
        image_source: ImageSource::Present,
        bundled: Vec::new(),
        registry: None,
        keep_login: false,
        secrets,
    }
}
