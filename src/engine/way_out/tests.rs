use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::sync::Mutex;

use secrecy::ExposeSecret as _;

use super::*;
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::transport::{Command, Docker, Exit, Stream, TransportError};

/// A host behind which a service answers `pong` to whatever comes; every other place is refused.
#[derive(Debug, Default)]
struct Gate {
    name: Option<HostName>,
    asked: Mutex<Vec<String>>,
}

impl Host for Gate {
    fn name(&self) -> &HostName {
        self.name.as_ref().unwrap()
    }

    fn describe(&self) -> String {
        "gate".to_owned()
    }

    fn root_access(&self) -> RootAccess {
        RootAccess::None
    }

    fn stream(
        &self,
        _: &Command,
        _: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        Ok(Exit::Code(0))
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        Err(TransportError::Refused {
            what: "Docker".to_owned(),
        })
    }

    fn dial(&self, address: &str, port: u16) -> Result<UnixStream, TransportError> {
        self.asked.lock().unwrap().push(format!("{address} {port}"));
        if port != 443 {
            return Err(TransportError::Refused {
                what: address.to_owned(),
            });
        }
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut heard = String::new();
            theirs.read_to_string(&mut heard).unwrap();
            theirs
                .write_all(format!("pong to {heard}").as_bytes())
                .unwrap();
        });
        Ok(ours)
    }
}

/// Says something to the proxy and returns what comes back.
fn told(way: &WayOut, words: &str) -> String {
    let mut caller = TcpStream::connect(way.address).unwrap();
    caller.write_all(words.as_bytes()).unwrap();
    // Whoever says too much is cut off, perhaps before he is done, so the answer may not reach him.
    let _ = caller.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = caller.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn pass(way: &WayOut) -> String {
    let login = format!("{USER}:{}", way.password);
    format!("Proxy-Authorization: Basic {}", STANDARD.encode(login))
}

#[test]
fn it_leads_where_the_host_leads_and_nowhere_without_the_password() {
    let gate = Arc::new(Gate::default());
    let way = WayOut::through(gate.clone()).unwrap();
    let pass = pass(&way);
    for (stranger, status) in [
        ("GET http://r.example/ HTTP/1.1\r\n\r\n".to_owned(), "405"),
        ("CONNECT r.example:443 HTTP/1.1\r\n\r\n".to_owned(), "407"),
        (
            "CONNECT r.example:443 HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\n\r\n".to_owned(),
            "407",
        ),
        ("CONNECT r.example HTTP/1.1\r\n\r\n".to_owned(), "405"),
    ] {
        let answer = told(&way, &stranger);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    told(
        &way,
        &format!("CONNECT r.example:443 HTTP/1.1\r\n{}", "a".repeat(20_000)),
    );
    assert!(gate.asked.lock().unwrap().is_empty());

    let answer = told(
        &way,
        &format!("CONNECT r.example:9 HTTP/1.1\r\n{pass}\r\n\r\n"),
    );
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let mut caller = TcpStream::connect(way.address).unwrap();
    let wish = format!("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n{pass}\r\n\r\n");
    caller.write_all(wish.as_bytes()).unwrap();
    let mut answer = [0; 39];
    caller.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 Connection Established\r\n\r\n");
    caller.write_all(b"ping").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "pong to ping");
    assert_eq!(*gate.asked.lock().unwrap(), ["r.example 9", "::1 443"]);
}

#[test]
fn it_is_closed_with_its_value_and_its_password_is_no_word_for_a_log() {
    let way = WayOut::through(Arc::new(Gate::default())).unwrap();
    let address = way.address;
    assert!(!format!("{:?}", way.proxy()).contains(&way.password));
    assert!(way.proxy().expose_secret().contains(&way.password));
    drop(way);
    for _ in 0..100 {
        if TcpStream::connect(address).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it still listens");
}
