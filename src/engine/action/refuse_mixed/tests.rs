use std::sync::Arc;

use super::*;
use crate::engine::machine::{Cupboard, Engine, Quiet, image};
use crate::engine::runner::Links;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::{Host, TransportError};

/// Hosts, each with one image whose container says something.
struct Hosts(Vec<Arc<FakeHost>>);

impl Hosts {
    fn of(hosts: &[(&'static str, &str, Reply)]) -> Self {
        let hosts = hosts.iter().map(|(name, id, reply)| {
            let engine = Engine::default();
            engine.0.lock().unwrap().images = vec![image("ray:latest", id)];
            let host = FakeHost::new(name.parse().unwrap())
                .with_docker(Arc::new(engine))
                .on("docker run", reply.clone());
            Arc::new(host)
        });
        Self(hosts.collect())
    }

    fn asked(&self) -> usize {
        self.0.iter().map(|host| host.ran().len()).sum()
    }

    fn compare(&self) -> Result<(), ActionError> {
        let asked = self.0.iter().map(|host| Asked {
            host: host.name().clone(),
            image: ImageRef::parse("ray:latest").unwrap(),
            rights: Rights::Login,
        });
        let mut action = RefuseMixed {
            alike: Alike {
                title: "The release of Ray".to_owned(),
                images: vec!["ray".parse().unwrap()],
                run: ["python", "-c", "import ray"].map(str::to_owned).into(),
                remedy: "take one release".to_owned(),
            },
            asked: asked.collect(),
        };
        action.execute(&Context {
            host: self.0[0].as_ref(),
            materials: &Cupboard::default(),
            progress: &Quiet::default(),
            peers: self,
        })
    }
}

impl Links for Hosts {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        let found = self.0.iter().find(|host| host.name() == name);
        Ok(Arc::clone(found.unwrap()) as Arc<dyn Host>)
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.host(name)
    }
}

#[test]
fn what_differs_between_hosts_is_refused_with_who_has_what() {
    let hosts = Hosts::of(&[
        ("ray-1", "one", Reply::ok("a warning\nRay 2.47.1\n")),
        ("ray-2", "two", Reply::ok("Ray 2.60.0\n")),
    ]);
    let refused = hosts.compare().unwrap_err();
    let ActionError::Situation {
        message, evidence, ..
    } = refused
    else {
        panic!("{refused:?}");
    };
    assert!(
        message.contains("The release of Ray: Ray 2.47.1 and Ray 2.60.0"),
        "{message}"
    );
    assert_eq!(
        evidence,
        [
            "ray:latest on ray-1: Ray 2.47.1",
            "ray:latest on ray-2: Ray 2.60.0"
        ]
    );
    let script = &hosts.0[0].ran()[0].script;
    assert!(
        script.contains("--network none --entrypoint python ray:latest -c 'import ray'"),
        "{script}"
    );
}

#[test]
fn what_is_the_same_or_cannot_tell_is_no_ground_to_refuse() {
    let same = Hosts::of(&[
        ("ray-1", "one", Reply::ok("Ray 2.47.1\n")),
        ("ray-2", "one", Reply::ok("Ray 2.60.0\n")),
    ]);
    same.compare().unwrap();
    assert_eq!(same.asked(), 1, "the same image is asked once");
    let silent = Hosts::of(&[
        ("ray-1", "one", Reply::ok("Ray 2.47.1\n")),
        ("ray-2", "two", Reply::failed(1, "no module named ray")),
    ]);
    silent.compare().unwrap();
}
