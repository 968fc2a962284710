//! The Docker API against real engines: the rehearsal's, and the machine's own when it is another that holds the same base image.
#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use secrecy::SecretString;
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal;
use syntho_installer::transport::docker::EngineClient;
use syntho_installer::transport::{
    ContainerFilter, Dial, Docker, Exit, Input, RegistryLogin, TransportError,
};

const IMAGE: &str = "syntho-rehearsal/debian:bookworm";
const OWN_SOCKET: &str = "/var/run/docker.sock";

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shell(script: &str, input: &str) {
    let mut child = Process::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}

/// Waits up to 20 seconds for a script to come to an end.
fn wait_for(script: &str) {
    let status = Process::new("timeout")
        .args(["20", "sh", "-c", script])
        .status();
    assert!(status.unwrap().success(), "{script}");
}

struct Socket(String);

impl Dial for Socket {
    fn dial(&self) -> Result<UnixStream, TransportError> {
        UnixStream::connect(&self.0).map_err(|error| TransportError::Lost {
            detail: error.to_string(),
        })
    }
}

/// An engine to test against, with the CLI that prepares and cleans up.
struct Engine {
    address: String,
    api: Arc<dyn Docker>,
}

impl Engine {
    fn cli(&self, arguments: &[&str]) -> String {
        let output = Process::new("docker")
            .arg("-H")
            .arg(&self.address)
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            lossy(&output.stderr)
        );
        lossy(&output.stdout).trim().to_owned()
    }

    fn start(&self, arguments: &[&str]) -> Container<'_> {
        // The host's network: it needs no bridge, which a nested engine may not have.
        let id = self.cli(&[&["run", "-d", "--network", "host"], arguments].concat());
        Container { engine: self, id }
    }
}

struct Container<'a> {
    engine: &'a Engine,
    id: String,
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.engine.cli(&["rm", "-fv", &self.id]);
    }
}

/// Returns the address of the rehearsal's engine, which holds the image; `None` when that is the machine's own.
fn rehearsal() -> Option<String> {
    let quiet = |_: &str| {};
    let cache = rehearsal::Engine::default_cache().unwrap();
    let engine = rehearsal::Engine::find_or_start(&cache, &quiet).unwrap();
    engine.ensure_base(&quiet).unwrap();
    engine.docker().host().map(str::to_owned)
}

/// Returns the rehearsal's engine, and the machine's own too when it is another one that holds the image.
fn engines() -> Vec<Engine> {
    let own = format!("unix://{OWN_SOCKET}");
    let mut addresses = vec![rehearsal().unwrap_or_else(|| own.clone())];
    if !addresses.contains(&own) {
        addresses.push(own);
    }
    let image = ImageRef::parse(IMAGE).unwrap();
    let engines: Vec<Engine> = addresses
        .into_iter()
        .map(|address| {
            let socket = address.trim_start_matches("unix://").to_owned();
            let api: Arc<dyn Docker> = Arc::new(EngineClient::new(Arc::new(Socket(socket))));
            Engine { address, api }
        })
        .filter(|engine| matches!(engine.api.image(&image), Ok(Some(_))))
        .collect();
    assert!(!engines.is_empty(), "no engine holds `{IMAGE}`");
    engines
}

mod docker {
    use super::*;

    #[test]
    fn an_engine_describes_itself_and_its_images() {
        for engine in engines() {
            let facts = engine.api.engine().unwrap();
            let version = engine.cli(&["version", "--format", "{{.Server.Version}}"]);
            assert_eq!(facts.version, version);
            assert!(facts.root.starts_with('/'), "{facts:?}");
            assert!(!facts.storage_driver.is_empty());
            let images = engine.api.images().unwrap();
            let image = images
                .iter()
                .find(|image| image.tags.iter().any(|tag| tag == IMAGE))
                .unwrap();
            assert_eq!(
                (image.architecture.as_str(), image.os.as_str()),
                ("amd64", "linux")
            );
            assert!(image.size > 1_000_000 && !image.layers.is_empty());
            let absent = ImageRef::parse("nowhere.example/none:1").unwrap();
            assert_eq!(engine.api.image(&absent).unwrap(), None);
        }
    }

    #[test]
    fn containers_tell_how_they_fare() {
        for engine in engines() {
            let label = format!("test.syntho={}", std::process::id());
            let well = engine.start(&[
                "--label",
                &label,
                "--name",
                &format!("well-{}", std::process::id()),
                "--health-cmd",
                "true",
                "--health-interval",
                "1s",
                IMAGE,
                "sh",
                "-c",
                "echo hello; echo world >&2; exec sleep 60",
            ]);
            let failed = engine.start(&["--label", &label, IMAGE, "sh", "-c", "exit 9"]);
            engine.cli(&["wait", &failed.id]);
            let healthy = format!(
                "until docker -H {} inspect -f '{{{{.State.Health.Status}}}}' {} | grep -q healthy; do :; done",
                engine.address, well.id
            );
            wait_for(&healthy);
            let filter = ContainerFilter {
                labels: vec![label],
            };
            let all = engine.api.containers(&filter).unwrap();
            assert_eq!(all.len(), 2);
            let by = |id: &str| all.iter().find(|container| container.id == id).unwrap();
            let (well_facts, failed_facts) = (by(&well.id), by(&failed.id));
            assert_eq!(well_facts.state, "running");
            assert_eq!(well_facts.health.as_deref(), Some("healthy"));
            assert_eq!(well_facts.exit_code, None);
            assert!(well_facts.name.starts_with("well-"));
            assert_eq!(well_facts.image, IMAGE);
            assert_eq!(
                (failed_facts.state.as_str(), failed_facts.exit_code),
                ("exited", Some(9))
            );
            let logs = engine.api.logs(&well.id, 10).unwrap();
            assert!(
                logs.contains("hello\n") && logs.contains("world\n"),
                "{logs}"
            );
            let last = engine.api.logs(&well.id, 1).unwrap();
            assert_eq!(last.lines().count(), 1);
        }
    }

    #[test]
    fn programs_in_containers_get_input_and_give_their_end() {
        for engine in engines() {
            let container = engine.start(&[IMAGE, "sleep", "60"]);
            let run = |script: &str, input: Input, limit: Duration| {
                let arguments = ["sh", "-c", script].map(str::to_owned);
                engine.api.exec(&container.id, &arguments, &input, limit)
            };
            let minute = Duration::from_mins(1);
            let sent = vec![b'y'; 3 << 20];
            let output = run(
                "tee /dev/stderr; exit 5",
                Input::Bytes(sent.clone()),
                minute,
            )
            .unwrap();
            assert_eq!(output.exit, Exit::Code(5));
            assert!(output.stdout == sent && output.stderr == sent);
            let secret = Input::Secret(SecretString::from("hunter2"));
            assert_eq!(run("cat", secret, minute).unwrap().text(), "hunter2");
            assert!(run("exit 0", Input::Bytes(sent), minute).unwrap().ok());
            let error = run("sleep 50", Input::Empty, Duration::from_secs(1)).unwrap_err();
            assert!(matches!(error, TransportError::TimedOut { .. }), "{error}");
            let gone = engine.api.exec(
                "no-such-container",
                &["true".to_owned()],
                &Input::Empty,
                minute,
            );
            assert!(
                matches!(
                    gone,
                    Err(TransportError::Docker {
                        status: Some(404),
                        ..
                    })
                ),
                "{gone:?}"
            );
        }
    }

    #[test]
    fn networks_and_volumes() {
        for engine in engines() {
            let name = format!("test-{}", std::process::id());
            engine.cli(&["volume", "create", "--label", "a=b", &name]);
            let volumes = engine.api.volumes();
            engine.cli(&["volume", "rm", &name]);
            let volumes = volumes.unwrap();
            let volume = volumes.iter().find(|volume| volume.name == name).unwrap();
            assert_eq!(volume.labels["a"], "b");
            assert!(
                engine
                    .api
                    .networks()
                    .unwrap()
                    .iter()
                    .any(|network| network.name == "host")
            );
        }
    }

    #[test]
    fn thirty_calls_at_once() {
        for engine in engines() {
            std::thread::scope(|scope| {
                let calls: Vec<_> = (0..30)
                    .map(|_| scope.spawn(|| engine.api.engine().is_ok()))
                    .collect();
                assert!(calls.into_iter().all(|call| call.join().unwrap()));
            });
        }
    }

    #[test]
    fn an_engine_that_is_not_there_is_a_fault_of_the_link() {
        let client = EngineClient::new(Arc::new(Socket("/nowhere/docker.sock".to_owned())));
        let error = client.engine().unwrap_err();
        assert!(error.is_link_fault(), "{error}");
    }
}

mod pull {
    use super::*;

    /// `puller` with a password whose encoding differs between base64's two alphabets.
    const PASSWORD: &str = "pw?>~~~???";
    const HTPASSWD: &str = "puller:$2y$05$abcdefghijklmnopqrstuu2235D44uqg6fB8oMJgUX1Mo1slIiaYy";

    fn pull(
        engine: &Engine,
        reference: &str,
        password: Option<&str>,
    ) -> (Result<(), TransportError>, Vec<String>) {
        let reference = ImageRef::parse(reference).unwrap();
        let login = password.map(|password| RegistryLogin {
            registry: reference.registry().unwrap_or_default().to_owned(),
            username: "puller".to_owned(),
            password: SecretString::from(password),
        });
        let mut told = Vec::new();
        let outcome = engine.api.pull(&reference, login.as_ref(), &mut |layer| {
            told.push(layer.status);
        });
        (outcome, told)
    }

    fn detail(outcome: Result<(), TransportError>) -> String {
        match outcome {
            Err(TransportError::Docker { detail, .. }) => detail,
            other => panic!("{other:?}"),
        }
    }

    /// Returns an address on which nobody listens.
    fn free_address() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    }

    /// Starts a registry with a login and returns it with its address.
    fn registry(engine: &Engine) -> (Container<'_>, String) {
        let address = free_address();
        let listens = format!("REGISTRY_HTTP_ADDR={address}");
        let script = format!(
            "echo '{HTPASSWD}' > /htpasswd; exec $(command -v registry || command -v docker-registry) serve /etc/docker/registry/config.yml"
        );
        let mut arguments = vec!["--entrypoint", "sh"];
        for setting in [
            listens.as_str(),
            "REGISTRY_AUTH=htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM=test",
            "REGISTRY_AUTH_HTPASSWD_PATH=/htpasswd",
        ] {
            arguments.extend(["-e", setting]);
        }
        arguments.extend(["registry:2.8.2", "-c", &script]);
        let container = engine.start(&arguments);
        wait_for(&format!(
            "until curl -s -o /dev/null http://{address}/v2/; do :; done"
        ));
        (container, address)
    }

    /// Pushes an image with one layer of its own and removes it from the engine.
    fn push(engine: &Engine, address: &str, reference: &str) {
        let config = tempfile::tempdir().unwrap();
        let docker = |arguments: String| {
            let config = config.path().display();
            let command = format!("docker --config {config} -H {} {arguments}", engine.address);
            shell(&command, PASSWORD);
        };
        docker(format!("login -u puller --password-stdin {address}"));
        let changed = engine.start(&[IMAGE, "sh", "-c", "hostname > /changed"]);
        engine.cli(&["wait", &changed.id]);
        engine.cli(&["commit", &changed.id, reference]);
        docker(format!("push {reference}"));
        engine.cli(&["rmi", reference]);
    }

    #[test]
    fn a_registry_with_a_login() {
        for engine in engines() {
            let (_registry, address) = registry(&engine);
            let reference = format!("{address}/team/app:1");
            push(&engine, &address, &reference);

            let refused = "the registry refuses the login: ";
            assert!(detail(pull(&engine, &reference, None).0).starts_with(refused));
            assert!(detail(pull(&engine, &reference, Some("wrong")).0).starts_with(refused));
            let absent = format!("{address}/team/app:2");
            let absent = detail(pull(&engine, &absent, Some(PASSWORD)).0);
            assert!(
                absent.starts_with("the registry has no such image: "),
                "{absent}"
            );
            let (outcome, told) = pull(&engine, &reference, Some(PASSWORD));
            outcome.unwrap();
            for status in ["Already exists", "Pull complete"] {
                assert!(told.iter().any(|told| told == status), "{told:?}");
            }
            assert!(
                engine
                    .api
                    .image(&ImageRef::parse(&reference).unwrap())
                    .unwrap()
                    .is_some()
            );
            engine.cli(&["rmi", &reference]);
        }
    }

    #[rstest]
    #[case("127.0.0.1:1/a:1", "the host cannot reach the registry: ")]
    #[case("registry.invalid/a:1", "the host cannot reach the registry: ")]
    fn a_registry_that_is_not_there(#[case] reference: &str, #[case] begins: &str) {
        for engine in engines() {
            let detail = detail(pull(&engine, reference, None).0);
            assert!(detail.starts_with(begins), "{detail}");
        }
    }
}
