use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

use super::*;
use crate::images::blobs::LIMIT;
use crate::transport::fake::{FakeHost, Reply};

/// A door whose connections the test makes.
struct Wicket {
    port: u16,
    streams: Mutex<Receiver<UnixStream>>,
}

impl Forward for Wicket {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&self, limit: Duration) -> Result<Option<UnixStream>, TransportError> {
        match self.streams.lock().unwrap().recv_timeout(limit) {
            Ok(stream) => Ok(Some(stream)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(TransportError::Lost {
                detail: "scripted".to_owned(),
            }),
        }
    }
}

/// A host that listens where it is asked to.
#[derive(Debug)]
struct Town {
    shell: FakeHost,
    doors: Mutex<Vec<(u16, Sender<UnixStream>)>>,
    taken: Mutex<u32>,
    refuses: bool,
}

impl Town {
    fn new() -> Self {
        let shell = FakeHost::new("ui".parse().unwrap()).on("/comm", Reply::ok("4711\n"));
        Self {
            shell,
            doors: Mutex::default(),
            taken: Mutex::new(0),
            refuses: false,
        }
    }

    fn asked(&self) -> Vec<u16> {
        self.doors
            .lock()
            .unwrap()
            .iter()
            .map(|(port, _)| *port)
            .collect()
    }

    /// Breaks every connection.
    fn cut(&self) {
        for door in self.doors.lock().unwrap().iter_mut() {
            door.1 = channel().0;
        }
    }
}

impl Host for Town {
    fn name(&self) -> &HostName {
        self.shell.name()
    }

    fn describe(&self) -> String {
        self.shell.describe()
    }

    fn root_access(&self) -> crate::model::facts::RootAccess {
        self.shell.root_access()
    }

    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(crate::transport::Stream, &[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<crate::transport::Exit, TransportError> {
        self.shell.stream(command, sink)
    }

    fn docker(&self) -> Result<Arc<dyn crate::transport::Docker>, TransportError> {
        self.shell.docker()
    }

    fn forward(&self, port: u16) -> Result<Box<dyn Forward>, TransportError> {
        let mut taken = self.taken.lock().unwrap();
        if self.refuses || *taken > 0 && port != 0 {
            *taken = taken.saturating_sub(1);
            return Err(TransportError::Refused {
                what: "scripted".to_owned(),
            });
        }
        let (sender, streams) = channel();
        let port = if port == 0 { 40_000 } else { port };
        self.doors.lock().unwrap().push((port, sender));
        Ok(Box::new(Wicket {
            port,
            streams: Mutex::new(streams),
        }))
    }
}

fn delivery() -> (Delivery, tempfile::TempDir) {
    let keep = tempfile::tempdir().unwrap();
    let root = camino::Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap();
    let store = BlobStore::open(root, LIMIT).unwrap();
    (Delivery::new(Arc::new(store)), keep)
}

fn answers(town: &Town) -> bool {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let sender = town.doors.lock().unwrap().last().unwrap().1.clone();
    sender.send(theirs).unwrap();
    ours.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    text.starts_with("HTTP/1.1 200")
}

fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < deadline);
        thread::yield_now();
    }
}

#[test]
fn a_counter_opens_once_and_again_on_the_same_port_when_the_way_broke() {
    let (delivery, _keep) = delivery();
    let town = Town::new();
    let counter = delivery.counter(town.name());
    assert!(!counter.is_open());
    let (registry, port) = counter.open(&town, None).unwrap();
    assert!(answers(&town));
    assert_eq!(counter.open(&town, None).unwrap().1, port);
    assert_eq!(town.asked(), [40_000]);
    town.cut();
    until(|| !counter.is_open());
    *town.taken.lock().unwrap() = 2;
    let (again, same) = counter.open(&town, None).unwrap();
    assert_eq!((same, again.token()), (port, registry.token()));
    assert!(counter.is_open() && answers(&town));
    // What was left of the old connection held the port and was asked to leave.
    let killed = |command: &Command| command.script.contains("kill 4711");
    assert!(town.shell.ran().iter().any(killed));
}

#[test]
fn what_an_earlier_run_began_is_opened_in_its_place() {
    let (delivery, _keep) = delivery();
    let town = Town::new();
    let place = Place {
        port: 41_234,
        token: "a".repeat(32),
    };
    let counter = delivery.counter(town.name());
    let (registry, port) = counter.open(&town, Some(&place)).unwrap();
    assert_eq!((registry.token(), port), (place.token.as_str(), 41_234));
}

#[test]
fn a_host_that_refuses_says_so_at_once() {
    let (delivery, _keep) = delivery();
    let town = Town {
        refuses: true,
        ..Town::new()
    };
    let refused = delivery.counter(town.name()).open(&town, None).unwrap_err();
    assert!(
        matches!(refused, TransportError::Refused { .. }),
        "{refused}"
    );
}

#[test]
fn nothing_is_served_behind_the_end_of_a_run() {
    let (delivery, _keep) = delivery();
    let town = Town::new();
    delivery.counter(town.name()).open(&town, None).unwrap();
    drop(delivery);
    let sender = town.doors.lock().unwrap().remove(0).1;
    // The thread drops its end of the port within moments.
    until(|| {
        let (_, stream) = UnixStream::pair().unwrap();
        sender.send(stream).is_err()
    });
}
