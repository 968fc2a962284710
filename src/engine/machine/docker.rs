//! The Docker of a machine: images, containers and their logs in memory, brought up to date by the calls of the stand-in for `docker`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::docker::{
    ContainerFacts, ContainerUsage, EngineFacts, ImageFacts, LayerProgress, NetworkFacts,
    VolumeFacts,
};
use crate::model::image::ImageRef;
use crate::transport::{
    ContainerFilter, Docker, Exit, Input, LogNews, LogWanted, Output, RegistryLogin, Stream,
    TransportError, Until,
};

/// What the machine's Docker holds.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) images: Vec<ImageFacts>,
    pub(crate) containers: Vec<ContainerFacts>,
    pub(crate) volumes: Vec<VolumeFacts>,
    /// Log of each container by id.
    pub(crate) logs: BTreeMap<String, String>,
    /// Archives of paths in containers, by id and path.
    pub(crate) archives: BTreeMap<(String, String), Vec<u8>>,
    /// Containers whose output cannot be read, and why.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// What each container takes, by id.
    pub(crate) usage: BTreeMap<String, ContainerUsage>,
    /// Images that a registry would give.
    pub(crate) registry: Vec<ImageFacts>,
    pub(crate) pulls: Vec<(String, Option<String>)>,
    /// Archives that were loaded.
    pub(crate) loads: Vec<Vec<u8>>,
    pub(crate) exec: Option<(i32, String)>,
    /// What `config --format json` makes of values; `None` doubles `$` as Compose does.
    pub(crate) misread: Option<(String, String)>,
    /// The address that a started container announces as Ray's head does.
    pub(crate) announces: String,
    /// Where the stand-in for `docker` keeps its calls, and how many were taken note of.
    pub(super) calls: std::path::PathBuf,
    pub(crate) called: Vec<String>,
}

/// The Docker of a machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Engine(pub(crate) Arc<Mutex<World>>);

impl Engine {
    /// Returns the world after every call of the stand-in so far.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = fs_err::read_to_string(&world.calls).unwrap_or_default();
        let fresh: Vec<String> = calls
            .lines()
            .skip(world.called.len())
            .map(str::to_owned)
            .collect();
        for call in fresh {
            world.note(call);
        }
        world
    }
}

impl World {
    fn note(&mut self, call: String) {
        let project = call
            .split("--project-name ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or_default()
            .to_owned();
        if let Some(names) = call.strip_prefix("0 volume rm -- ") {
            let names: Vec<&str> = names.split(' ').collect();
            self.volumes.retain(|v| !names.contains(&v.name.as_str()));
        } else if call.starts_with("0 ") && !project.is_empty() {
            self.containers.retain(|c| c.project() != Some(&project));
            if call.contains(" up ") {
                let fresh = container(&project, "x");
                let log = format!("ray start --address='{}'\n", self.announces);
                self.logs.insert(fresh.id.clone(), log);
                self.containers.push(fresh);
            }
        }
        self.called.push(call);
    }
}

/// Returns an image with one name.
pub(crate) fn image(name: &str, id: &str) -> ImageFacts {
    ImageFacts {
        id: format!("sha256:{id}"),
        tags: vec![name.to_owned()],
        digests: Vec::new(),
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        size: 1,
        created: None,
        layers: Vec::new(),
    }
}

/// Returns a data volume of a Compose project.
pub(crate) fn volume(project: &str, name: &str) -> VolumeFacts {
    VolumeFacts {
        name: name.to_owned(),
        labels: [("com.docker.compose.project".to_owned(), project.to_owned())].into(),
    }
}

/// Returns a running container of a Compose service.
pub(crate) fn container(project: &str, service: &str) -> ContainerFacts {
    ContainerFacts {
        id: format!("{project}-{service}"),
        name: format!("{project}-{service}-1"),
        image: "x:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        labels: [
            ("com.docker.compose.project".to_owned(), project.to_owned()),
            ("com.docker.compose.service".to_owned(), service.to_owned()),
            ("com.docker.compose.config-hash".to_owned(), "h".to_owned()),
        ]
        .into(),
        state: "running".to_owned(),
        health: None,
        exit_code: None,
        restarts: 0,
        started_at: Some("2020-01-01T00:00:00Z".to_owned()),
        oom_killed: false,
        published: Vec::new(),
        health_check: Vec::new(),
    }
}

impl Docker for Engine {
    fn engine(&self) -> Result<EngineFacts, TransportError> {
        Ok(EngineFacts {
            version: "26.1.5".to_owned(),
            root: "/var/lib/docker".to_owned(),
            storage_driver: "overlay2".to_owned(),
            containerd_store: false,
            proxies: BTreeMap::new(),
        })
    }

    fn images(&self) -> Result<Vec<ImageFacts>, TransportError> {
        Ok(self.world().images.clone())
    }

    fn image(&self, reference: &ImageRef) -> Result<Option<ImageFacts>, TransportError> {
        let name = reference.to_string();
        let world = self.world();
        let found = world.images.iter().find(|image| image.tags.contains(&name));
        Ok(found.cloned())
    }

    fn containers(&self, filter: &ContainerFilter) -> Result<Vec<ContainerFacts>, TransportError> {
        let fits = |container: &&ContainerFacts| {
            filter
                .labels
                .iter()
                .all(|label| match label.split_once('=') {
                    Some((name, value)) => container.labels.get(name).is_some_and(|v| v == value),
                    None => container.labels.contains_key(label),
                })
        };
        Ok(self
            .world()
            .containers
            .iter()
            .filter(fits)
            .cloned()
            .collect())
    }

    fn usage(&self, containers: &[String]) -> Result<Vec<ContainerUsage>, TransportError> {
        let known = &self.world().usage;
        let asked = containers.iter().filter_map(|id| known.get(id));
        Ok(asked.cloned().collect())
    }

    fn read_logs(
        &self,
        wanted: &[LogWanted],
        _: Until,
        sink: &mut dyn FnMut(LogNews<'_>) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        let logs = self.world().logs.clone();
        let unreadable = self.world().unreadable.clone();
        for (at, log) in wanted.iter().enumerate() {
            if let Some(why) = unreadable.get(&log.container) {
                let _ = sink(LogNews::Unreadable(at, why));
            }
            for line in logs.get(&log.container).map_or("", String::as_str).lines() {
                let piece = format!("{line}\n");
                if sink(LogNews::Piece(at, Stream::Out, piece.as_bytes())).is_break() {
                    return Ok(());
                }
            }
            let _ = sink(LogNews::Ended(at));
        }
        Ok(())
    }

    fn networks(&self) -> Result<Vec<NetworkFacts>, TransportError> {
        Ok(Vec::new())
    }

    fn volumes(&self) -> Result<Vec<VolumeFacts>, TransportError> {
        Ok(self.world().volumes.clone())
    }

    fn pull(
        &self,
        reference: &ImageRef,
        login: Option<&RegistryLogin>,
        progress: &mut dyn FnMut(LayerProgress),
    ) -> Result<(), TransportError> {
        let name = reference.to_string();
        let mut world = self.world();
        let user = login.map(|login| login.username.clone());
        world.pulls.push((name.clone(), user));
        let found = world
            .registry
            .iter()
            .find(|image| image.tags.contains(&name))
            .cloned();
        let Some(found) = found else {
            return Err(TransportError::Docker {
                action: format!("pull {name}"),
                detail: "manifest unknown".to_owned(),
                status: Some(404),
            });
        };
        for (status, done) in [
            ("Pulling fs layer", None),
            ("Downloading", Some(5)),
            ("Pull complete", None),
        ] {
            progress(LayerProgress {
                layer: "a1".to_owned(),
                status: status.to_owned(),
                done,
                total: done.map(|_| 10),
            });
        }
        world.images.push(found);
        Ok(())
    }

    fn tag(&self, image: &str, name: &ImageRef) -> Result<(), TransportError> {
        let mut world = self.world();
        let named = |found: &&mut ImageFacts| {
            found.id == image || found.tags.iter().any(|tag| tag == image)
        };
        if let Some(found) = world.images.iter_mut().find(named) {
            found.tags.push(name.to_string());
        }
        Ok(())
    }

    fn untag(&self, name: &ImageRef) -> Result<(), TransportError> {
        let name = name.to_string();
        for image in &mut self.world().images {
            image.tags.retain(|tag| *tag != name);
        }
        Ok(())
    }

    fn load(&self, mut archive: Box<dyn std::io::Read + Send>) -> Result<(), TransportError> {
        let mut bytes = Vec::new();
        let read = archive.read_to_end(&mut bytes);
        read.map_err(|error| TransportError::Docker {
            action: "load an archive".to_owned(),
            detail: error.to_string(),
            status: None,
        })?;
        self.world().loads.push(bytes);
        Ok(())
    }

    fn logs(&self, container: &str, tail: usize) -> Result<String, TransportError> {
        let world = self.world();
        let lines: Vec<&str> = world
            .logs
            .get(container)
            .map_or("", String::as_str)
            .lines()
            .collect();
        Ok(lines[lines.len().saturating_sub(tail)..].join("\n"))
    }

    fn copy_out(
        &self,
        container: &str,
        path: &str,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        let archives = self.world().archives.clone();
        let Some(archive) = archives.get(&(container.to_owned(), path.to_owned())) else {
            return Err(TransportError::Docker {
                action: format!("copy {path} out of {container}"),
                detail: "no such path".to_owned(),
                status: Some(404),
            });
        };
        let _ = archive.chunks(7).try_for_each(sink);
        Ok(())
    }

    fn exec(
        &self,
        _container: &str,
        _arguments: &[String],
        _input: &Input,
        _limit: Duration,
    ) -> Result<Output, TransportError> {
        let (code, stdout) = self.world().exec.clone().unwrap_or_default();
        Ok(Output {
            exit: Exit::Code(code),
            stdout: stdout.into_bytes(),
            stderr: Vec::new(),
        })
    }
}
