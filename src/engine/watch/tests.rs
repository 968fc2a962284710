//! Watching hosts that stand side by side: one that is well, one that is gone, one that does not let us in.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::RecvTimeoutError;

use super::*;
use crate::engine::machine::{Engine, container};
use crate::model::docker::ContainerUsage;
use crate::model::operator::Nobody;
use crate::model::sample;
use crate::model::watch::{Fitness, HostReading};
use crate::presets::Presets;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::{Host, TransportError};

/// What a machine tells of itself.
const TOLD: &str = "clock\t1577840400.5\nload\t0.42\nMemTotal:\t16000\nMemAvailable:\t12000\ncpus\t4\ndisk\t1000 400 500\n";

/// A password that the hosts' `.env` files hold.
const KEPT: &str = "kept-on-the-host";

/// Hosts by name, and how often each was reached.
#[derive(Default)]
struct Town {
    engine: Engine,
    tries: Mutex<BTreeMap<HostName, usize>>,
    connected: AtomicUsize,
}

impl Town {
    fn tries(&self, name: &str) -> usize {
        let tries = self.tries.lock().unwrap();
        tries.get(&name.parse().unwrap()).copied().unwrap_or(0)
    }
}

/// The deployment that is watched: three hosts of one role.
fn deployment() -> Deployment {
    let presets = Presets::new(None);
    let preset = presets.load(&presets.ids().remove(0)).unwrap();
    let mut deployment = sample::deployment(&preset, &BTreeMap::new()).unwrap();
    deployment.secrets = crate::model::secret::Secrets::default();
    let one = deployment.hosts[0].clone();
    deployment.hosts = ["well", "gone", "closed"]
        .map(|name| {
            let mut host = one.clone();
            host.name = name.parse().unwrap();
            host
        })
        .to_vec();
    deployment
}

impl Connector for Town {
    fn connect(
        &self,
        spec: &ConnectSpec,
        _: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        *self
            .tries
            .lock()
            .unwrap()
            .entry(spec.host.clone())
            .or_default() += 1;
        match spec.host.as_str() {
            "gone" => Err(TransportError::TimedOut {
                what: "a connection".to_owned(),
                limit: Duration::from_secs(1),
            }),
            "closed" => Err(TransportError::Login {
                address: "a:22".to_owned(),
                user: "deploy".to_owned(),
                tried: Vec::new(),
            }),
            _ => {
                self.connected.fetch_add(1, Ordering::SeqCst);
                let host = FakeHost::new(spec.host.clone())
                    .on("/proc/loadavg", Reply::ok(TOLD))
                    .on(".env", Reply::ok(format!("DATABASE_PASSWORD='{KEPT}'\n")))
                    .with_docker(Arc::new(self.engine.clone()));
                Ok(Arc::new(host))
            }
        }
    }
}

/// A watch of the town with what it tells.
struct Look {
    town: Arc<Town>,
    watch: Watch,
    seen: Receiver<Watched>,
}

fn look(prepare: impl FnOnce(&Engine, &ExpectedStack)) -> Look {
    let deployment = deployment();
    let town = Arc::new(Town::default());
    prepare(&town.engine, &expected(&deployment)[0]);
    let (watch, seen) = Watch::begin(&Watching {
        deployment,
        connector: Arc::clone(&town) as Arc<dyn Connector>,
        operator: Arc::new(Nobody),
        ssh_folder: None,
        every: Duration::from_millis(20),
    });
    Look { town, watch, seen }
}

impl Look {
    /// Waits for something that is seen.
    fn until<T>(&self, mut wanted: impl FnMut(&Watched) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let watched = self
                .seen
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap();
            if let Some(found) = wanted(&watched) {
                return found;
            }
        }
    }

    fn reading(&self) -> HostReading {
        self.until(|watched| match watched {
            Watched::Read { reading, .. } => Some(reading.as_ref().clone()),
            _ => None,
        })
    }

    fn lost(&self, name: &str) -> (crate::model::failure::Failure, bool) {
        self.until(|watched| match watched {
            Watched::Lost {
                host,
                failure,
                again,
            } if host.as_str() == name => Some((failure.clone(), again.is_some())),
            _ => None,
        })
    }
}

/// Gives the engine a container for each service of a stack, with these changes to the first.
fn with_containers(
    engine: &Engine,
    stack: &ExpectedStack,
    change: impl FnOnce(&mut crate::model::docker::ContainerFacts),
) {
    let mut containers: Vec<_> = stack
        .services
        .iter()
        .map(|service| container(&stack.project, &service.name))
        .collect();
    change(&mut containers[0]);
    engine.0.lock().unwrap().containers = containers;
}

#[test]
fn a_host_that_is_gone_holds_up_nobody_and_is_tried_again() {
    let look = look(|engine, stack| with_containers(engine, stack, |_| ()));
    let reading = look.reading();
    assert_eq!(reading.machine.load, Some(42));
    assert_eq!(reading.machine.disk.unwrap().percent(), 50);
    let (failure, again) = look.lost("gone");
    assert_eq!(failure.host.unwrap().as_str(), "gone");
    assert!(
        failure.message.contains("a connection") && again,
        "{}",
        failure.message
    );
    look.lost("gone");
    assert!(look.town.tries("gone") >= 2);
    assert_eq!(look.town.connected.load(Ordering::SeqCst), 1);
}

#[test]
fn who_is_not_let_in_does_not_try_again_by_itself() {
    let look = look(|engine, stack| with_containers(engine, stack, |_| ()));
    let (failure, again) = look.lost("closed");
    assert!(!again && failure.hint.is_some());
    for _ in 0..20 {
        look.reading();
    }
    assert_eq!(look.town.tries("closed"), 1);
    look.watch.refresh();
    look.lost("closed");
    assert_eq!(look.town.tries("closed"), 2);
}

#[test]
fn services_are_judged_and_what_lacks_is_named() {
    let look = look(|engine, stack| {
        with_containers(engine, stack, |first| {
            first.health = Some("unhealthy".to_owned());
        });
        let mut world = engine.0.lock().unwrap();
        world.containers.pop();
        world
            .containers
            .push(container(&stack.project, "somebody-elses"));
        let id = world.containers[0].id.clone();
        let usage = ContainerUsage {
            id: id.clone(),
            cpu: 5,
            system: 9,
            cpus: 4,
            memory: 100,
            memory_limit: 1000,
        };
        world.usage.insert(id, usage);
    });
    let services = look.reading().services.unwrap();
    let first = &services[0];
    assert!(matches!(&first.fitness, Fitness::Bad(why) if why.contains("unhealthy")));
    let its = first.container.as_ref().unwrap();
    assert_eq!(its.memory.unwrap().percent(), 10);
    // It began at midnight of 2020 and the host's clock says one o'clock.
    assert_eq!(its.age, Some(3600));
    let lacking = services
        .iter()
        .find(|service| service.container.is_none())
        .unwrap();
    assert!(matches!(&lacking.fitness, Fitness::Bad(why) if why.contains("has no container")));
    let other = services.last().unwrap();
    assert_eq!(
        (other.service.as_str(), &other.fitness),
        ("somebody-elses", &Fitness::Good)
    );
}

#[test]
fn lines_are_followed_without_the_secrets_of_the_hosts() {
    let look = look(|engine, stack| {
        with_containers(engine, stack, |_| ());
        let mut world = engine.0.lock().unwrap();
        let id = world.containers[0].id.clone();
        world
            .logs
            .insert(id, format!("2020-01-01T00:00:00Z with {KEPT}\n"));
    });
    look.watch.follow(&LogScope::default(), 10);
    let line = look.until(|watched| match watched {
        Watched::Logged(record) => Some(record.clone()),
        _ => None,
    });
    assert_eq!(line.text, "with ‹database-password›");
    // The same line does not come again, and none comes any more once nobody wants them.
    look.watch.unfollow();
    let end = Instant::now() + Duration::from_millis(300);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match look.seen.recv_timeout(left) {
            Ok(watched) => assert!(!matches!(watched, Watched::Logged(_)), "{watched:?}"),
            Err(RecvTimeoutError::Timeout) => break,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn it_rests_and_ends_when_told_so() {
    let look = look(|engine, stack| with_containers(engine, stack, |_| ()));
    look.reading();
    look.watch.rest(true);
    let quiet = |seen: &Receiver<Watched>| {
        while seen.recv_timeout(Duration::from_millis(300)).is_ok() {}
    };
    quiet(&look.seen);
    look.watch.rest(false);
    look.reading();
    let Look { watch, seen, .. } = look;
    drop(watch);
    // Every thread lets go of its end.
    let end = Instant::now() + Duration::from_secs(10);
    while seen.recv_timeout(Duration::from_secs(5)) != Err(RecvTimeoutError::Disconnected) {
        assert!(Instant::now() < end, "somebody watches on");
    }
}
