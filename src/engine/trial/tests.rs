//! Attempts at hosts that answer from a script.

use super::*;
use crate::model::answers::SshSection;
use crate::transport::fake::{FakeHost, Reply};

const TOLD: &str = "clock\t1.0\nuname\tLinux app-1 6.1.0 x86_64\nos\tID=debian\ncpus\t8\nmem\tMemTotal: 33554432 kB\nmem\tMemAvailable: 1024 kB\n\
    disk\t/var/lib/docker\t4096 100 50 10 5\t/\ndisk\t/opt/syntho\t4096 100 50 10 5\t/\nuid\t0\nuser\troot\ngroups\troot\n\
    addr\t2: eth0 inet 10.0.0.5/24 scope global eth0\n";

/// How long anything may take.
const LONG: Duration = Duration::from_secs(20);

/// Shows an unknown key, wants a password, and refuses everything that is not right.
struct Careful;

impl Connector for Careful {
    fn connect(
        &self,
        spec: &ConnectSpec,
        operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        use secrecy::ExposeSecret;
        let key = UnknownHostKey {
            host: spec.host.clone(),
            address: spec.address.clone(),
            algorithm: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:abc".to_owned(),
        };
        let lost = |detail: &str| TransportError::Lost {
            detail: detail.to_owned(),
        };
        if !operator.accept_host_key(&key) {
            return Err(lost("nobody vouches for the key"));
        }
        let request = SecretRequest::SshPassword {
            host: spec.host.clone(),
            user: "deploy".to_owned(),
        };
        let given = spec.password.clone().or_else(|| operator.secret(&request));
        match given {
            Some(password) if password.expose_secret() == "right" => Ok(Arc::new(
                FakeHost::new(spec.host.clone()).on("want=", Reply::ok(TOLD)),
            )),
            _ => Err(lost("no login")),
        }
    }
}

fn settings(address: &str) -> HostSettings {
    HostSettings {
        name: "app-1".parse().unwrap(),
        address: address.to_owned(),
        private_address: None,
        roles: Vec::new(),
        host_key: None,
        login: SshSection::default(),
    }
}

fn trials() -> (Trials, Receiver<Report>) {
    Trials::new(Arc::new(Careful), None)
}

/// Answers whatever is asked and returns what was heard, until the attempt is over.
fn hear(reports: &Receiver<Report>, trust: bool, password: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let report = reports.recv_timeout(LONG).unwrap();
        match report.news {
            News::Connecting => heard.push("connecting".to_owned()),
            News::Asked(Question::HostKey(key, reply)) => {
                heard.push(format!("key {} of {}", key.fingerprint, key.address));
                reply.send(trust).unwrap();
            }
            News::Asked(Question::Secret(_, reply)) => {
                heard.push("password".to_owned());
                reply.send(Some(password.into())).unwrap();
            }
            News::Connected { root, .. } => heard.push(format!("connected {root:?}")),
            News::Facts(facts) => {
                heard.push(format!("{} CPUs", facts.cpus));
                return heard;
            }
            News::Failed(failure) => {
                heard.push(failure.message);
                return heard;
            }
        }
    }
}

#[test]
fn an_attempt_tells_its_story() {
    let (mut trials, reports) = trials();
    trials.start(
        7,
        &settings("10.0.0.5"),
        &Secrets::default(),
        Duration::ZERO,
    );
    assert_eq!(
        hear(&reports, true, "right"),
        [
            "connecting",
            "key SHA256:abc of 10.0.0.5",
            "password",
            "connected IsRoot",
            "8 CPUs"
        ]
    );
}

#[test]
fn a_password_that_is_known_is_not_asked_for() {
    let (mut trials, reports) = trials();
    let mut secrets = Secrets::default();
    secrets.insert("ssh-password".parse().unwrap(), "right".into());
    trials.start(7, &settings("10.0.0.5"), &secrets, Duration::ZERO);
    let heard = hear(&reports, true, "unused");
    assert!(!heard.contains(&"password".to_owned()), "{heard:?}");
}

#[test]
fn a_key_that_nobody_vouches_for_ends_it() {
    let (mut trials, reports) = trials();
    trials.start(
        7,
        &settings("10.0.0.5"),
        &Secrets::default(),
        Duration::ZERO,
    );
    let heard = hear(&reports, false, "right");
    assert!(
        heard.last().unwrap().contains("nobody vouches"),
        "{heard:?}"
    );
}

#[test]
fn a_changed_address_calls_off_the_attempt_before() {
    let (mut trials, reports) = trials();
    trials.start(
        7,
        &settings("10.0.0.5"),
        &Secrets::default(),
        Duration::ZERO,
    );
    let asked = loop {
        let report = reports.recv_timeout(LONG).unwrap();
        if let News::Asked(Question::HostKey(key, reply)) = report.news {
            break (key, reply);
        }
    };
    assert_eq!(asked.0.address, "10.0.0.5");
    trials.start(
        7,
        &settings("10.0.0.6"),
        &Secrets::default(),
        Duration::ZERO,
    );
    // The answer comes too late, and nothing more is heard of the old address.
    let _ = asked.1.send(true);
    let heard = hear(&reports, true, "right");
    assert_eq!(heard.last().unwrap(), "8 CPUs");
    assert!(
        heard.iter().all(|line| !line.contains("10.0.0.5")),
        "{heard:?}"
    );
}

#[test]
fn what_is_called_off_in_time_is_never_begun() {
    let (mut trials, reports) = trials();
    trials.start(7, &settings("10.0.0.5"), &Secrets::default(), LONG);
    trials.stop(7);
    drop(trials);
    assert!(matches!(
        reports.recv_timeout(LONG),
        Err(RecvTimeoutError::Disconnected)
    ));
}
