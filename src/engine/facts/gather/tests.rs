//! Gathering against scripted hosts, and the real script on this machine.

use std::ops::ControlFlow;
use std::sync::Mutex;

use super::*;
use crate::engine::local_shell::LocalShell;
use crate::model::docker::LayerProgress;
use crate::model::docker::{
    ContainerFacts, ContainerUsage, EngineFacts, ImageFacts, NetworkFacts, VolumeFacts,
};
use crate::model::facts::DockerProblem;
use crate::model::image::ImageRef;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::{
    Command, Input, LogNews, LogWanted, Output, Privilege, RegistryLogin, Until,
};

const TOLD: &str = "clock\t1.0\nuname\tLinux ray-1 6.1.0 x86_64\nos\tID=debian\ncpus\t8\nmem\tMemTotal: 33554432 kB\nmem\tMemAvailable: 1024 kB\n\
    disk\t/var/lib/docker\t4096 100 50 10 5\t/\ndisk\t/opt/syntho\t4096 100 50 10 5\t/\nuid\t1000\nuser\tdeploy\ngroups\tdeploy\n\
    addr\t2: eth0 inet 10.0.0.5/24 scope global eth0\ndocker-binary\tdockerd\ndocker-socket\tdenied\nengine-process\tdockerd\t1024\t0\n\
    ss\tLISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n";

/// An engine that keeps its data on a disk of its own.
struct Engine;

impl Docker for Engine {
    fn engine(&self) -> Result<EngineFacts, TransportError> {
        Ok(EngineFacts {
            version: "26.1.5".into(),
            root: "/data/docker".into(),
            storage_driver: "overlay2".into(),
            containerd_store: false,
            proxies: BTreeMap::new(),
        })
    }
    fn usage(&self, _: &[String]) -> Result<Vec<ContainerUsage>, TransportError> {
        Ok(Vec::new())
    }
    fn read_logs(
        &self,
        _: &[LogWanted],
        _: Until,
        _: &mut dyn FnMut(LogNews<'_>) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        Ok(())
    }
    fn images(&self) -> Result<Vec<ImageFacts>, TransportError> {
        Ok(Vec::new())
    }
    fn image(&self, _: &ImageRef) -> Result<Option<ImageFacts>, TransportError> {
        Ok(None)
    }
    fn containers(&self, _: &ContainerFilter) -> Result<Vec<ContainerFacts>, TransportError> {
        Ok(Vec::new())
    }
    fn networks(&self) -> Result<Vec<NetworkFacts>, TransportError> {
        Ok(Vec::new())
    }
    fn volumes(&self) -> Result<Vec<VolumeFacts>, TransportError> {
        Ok(Vec::new())
    }
    fn pull(
        &self,
        _: &ImageRef,
        _: Option<&RegistryLogin>,
        _: &mut dyn FnMut(LayerProgress),
    ) -> Result<(), TransportError> {
        Ok(())
    }
    fn tag(&self, _: &str, _: &ImageRef) -> Result<(), TransportError> {
        Ok(())
    }
    fn untag(&self, _: &ImageRef) -> Result<(), TransportError> {
        Ok(())
    }
    fn load(&self, _: Box<dyn std::io::Read + Send>) -> Result<(), TransportError> {
        Ok(())
    }
    fn logs(&self, _: &str, _: usize) -> Result<String, TransportError> {
        Ok(String::new())
    }
    fn copy_out(
        &self,
        _: &str,
        _: &str,
        _: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), TransportError> {
        Ok(())
    }
    fn exec(
        &self,
        _: &str,
        _: &[String],
        _: &Input,
        _: std::time::Duration,
    ) -> Result<Output, TransportError> {
        Err(TransportError::Unquotable)
    }
}

fn host(name: &str) -> FakeHost {
    let root =
        format!("{TOLD}ss\tLISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=1,fd=3))\n");
    FakeHost::new(name.parse().unwrap())
        .with_root(RootAccess::Passwordless)
        .on(
            "want=disk",
            Reply::ok("clock\t1\ndisk\t/data/docker\t4096 900 800 10 5\t/data\n"),
        )
        .respond(move |command: &Command| {
            (command.privilege == Privilege::Root)
                .then(|| Reply::ok(root.replace("ss\tLISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n", "")))
        })
        .on("want=login", Reply::ok(TOLD))
}

#[test]
fn root_sees_who_listens_and_the_engine_says_where_its_data_is() {
    let host = host("ray-1").with_docker(Arc::new(Engine));
    let facts = gather(&host, "/opt/syntho").unwrap();
    assert_eq!(facts.listeners[0].process.as_deref(), Some("sshd"));
    assert_eq!(facts.disks[0].path, "/data/docker");
    assert_eq!(facts.disks[0].free, 4096 * 800);
    assert!(!facts.docker.unwrap().as_user);
    assert_eq!(facts.cpus, 8);
}

#[test]
fn a_docker_that_does_not_answer_is_a_fact() {
    let facts = gather(&host("ray-1").with_root(RootAccess::None), "/opt/syntho").unwrap();
    assert_eq!(facts.docker, None);
    assert!(matches!(
        facts.docker_problem,
        Some(DockerProblem::Forbidden { .. })
    ));
    assert_eq!(facts.listeners[0].process, None);
}

#[test]
fn a_base_folder_is_quoted() {
    let host = host("ray-1");
    gather(&host, "/opt/it's").unwrap();
    assert!(
        host.ran()
            .iter()
            .all(|command| command.script.contains("base=\"/opt/it's\"\n"))
    );
}

#[test]
fn one_lost_host_stops_no_other() {
    let lost = FakeHost::new("ray-2".parse().unwrap()).on("want=", Reply::lost());
    let hosts: BTreeMap<HostName, Arc<dyn Host>> = [host("ray-1"), lost, host("ray-3")]
        .into_iter()
        .map(|host| (host.name().clone(), Arc::new(host) as Arc<dyn Host>))
        .collect();
    let heard = Mutex::new(Vec::new());
    let listener = |event: Event| {
        heard.lock().unwrap().push(match event {
            Event::FactsGathered { facts } => format!("facts {}", facts.host),
            Event::HostLost { host, failure } => format!("lost {host}: {}", failure.message),
            other => format!("{other:?}"),
        });
    };
    let gathered = gather_all(&hosts, "/opt/syntho", 2, &listener);
    let mut heard = heard.into_inner().unwrap();
    heard.sort();
    assert_eq!(
        heard,
        [
            "facts ray-1",
            "facts ray-3",
            "lost ray-2: lost the connection: scripted"
        ]
    );
    assert_eq!((gathered.facts.len(), gathered.lost.len()), (2, 1));
}

#[rstest::rstest]
#[case(&["sh"])]
#[case(&["bash"])]
fn the_script_tells_everything_of_this_machine(#[case] shell: &'static [&'static str]) {
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listening.local_addr().unwrap().port();
    let facts = gather(&LocalShell::new("here", shell), "/opt/syntho").unwrap();
    assert!(facts.clock_skew.abs() < 5.0, "{}", facts.clock_skew);
    assert!(facts.cpus > 0 && facts.memory > 0 && !facts.hostname.is_empty());
    assert!(facts.kernel.contains('.') && facts.os.len() > 3);
    assert!(
        facts
            .listeners
            .iter()
            .any(|l| l.port == port && l.address == "127.0.0.1")
    );
    assert_eq!(facts.disks.last().unwrap().path, "/opt/syntho");
    assert!(
        facts
            .disks
            .iter()
            .all(|disk| disk.total > 0 && disk.mount.starts_with('/'))
    );
    assert_eq!(facts.tools.get("timeout"), Some(&true));
    assert_eq!(facts.tools.get("sha256sum"), Some(&true));
}
