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
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use secrecy::SecretString;
use syntho_installer::logs::{Collector, Go, Hands, Heard, Reach};
use syntho_installer::model::docker::ContainerUsage;
use syntho_installer::model::image::ImageRef;
use syntho_installer::model::log::{LogRecord, LogSource, Voice};
use syntho_installer::rehearsal;
use syntho_installer::transport::docker::EngineClient;
use syntho_installer::transport::{
    ContainerFilter, Dial, Docker, Exit, Input, RegistryLogin, TransportError, Until,
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
    rehearsal::images::ensure_registry(&engine, &quiet).unwrap();
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
    fn containers_tell_what_they_take() {
        for engine in engines() {
            let busy = engine.start(&[IMAGE, "sh", "-c", "while :; do :; done"]);
            let idle = engine.start(&["--memory", "64m", IMAGE, "sleep", "60"]);
            let ended = engine.start(&[IMAGE, "true"]);
            engine.cli(&["wait", &ended.id]);
            let ids = [&busy.id, &idle.id, &ended.id, "no-such-container"].map(str::to_owned);
            let look = || engine.api.usage(&ids).unwrap();
            let of =
                |usage: &[ContainerUsage], id: &str| usage.iter().find(|u| u.id == id).cloned();
            let first = look();
            wait_for("sleep 1");
            let second = look();
            assert_eq!(second.len(), 2, "{second:?}");
            let share = |id: &str| {
                let (a, b) = (of(&first, id).unwrap(), of(&second, id).unwrap());
                let machine = u128::from(b.system - a.system);
                u128::from(b.cpu - a.cpu) * 100 * u128::from(b.cpus) / machine
            };
            // How much a busy one gets depends on who else works on this machine.
            let (busy, resting) = (share(&busy.id), share(&idle.id));
            assert!(busy >= 5 && busy > 4 * resting, "{busy} {resting}");
            let idle = of(&second, &idle.id).unwrap();
            assert!(idle.memory > 0 && idle.memory < 64 << 20, "{idle:?}");
            assert_eq!(idle.memory_limit, 64 << 20);
        }
    }

    /// Collects until so many lines have come, or there are no more.
    fn collected(
        engine: &Engine,
        collector: &mut Collector,
        sources: &[Arc<LogSource>],
        until: Until,
        enough: usize,
    ) -> Vec<LogRecord> {
        let mut ear = Ear {
            lines: Vec::new(),
            enough,
            began: Instant::now(),
        };
        let docker = engine.api.as_ref();
        collector.collect(docker, sources, until, &mut ear).unwrap();
        ear.lines
    }

    /// Keeps lines until there are enough.
    struct Ear {
        lines: Vec<LogRecord>,
        enough: usize,
        began: Instant,
    }

    impl Hands for Ear {
        fn take(&mut self, heard: Heard<'_>) -> Go {
            self.lines.push(LogRecord {
                time: heard.time,
                source: Arc::clone(heard.source),
                voice: heard.voice,
                text: heard.text.replace("pa55word", "***"),
            });
            if self.lines.len() < self.enough {
                Go::On
            } else {
                Go::Off
            }
        }

        fn unreadable(&mut self, source: &LogSource, _: &str) {
            assert_eq!(source.container, "no-such-container");
        }

        fn go_on(&mut self) -> Go {
            let took = self.began.elapsed();
            assert!(took < Duration::from_secs(20), "lines do not come");
            Go::On
        }
    }

    fn source(container: &Container<'_>, service: &str) -> Arc<LogSource> {
        Arc::new(LogSource {
            host: "ui".parse().unwrap(),
            stack: "application".to_owned(),
            service: service.to_owned(),
            container: container.id.clone(),
        })
    }

    fn texts(lines: &[LogRecord]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn lines_come_as_they_are_printed_and_once_only() {
        for engine in engines() {
            // Prints what is written into its pipe.
            let script = "mkfifo /pipe; exec 3<>/pipe; echo one; echo two >&2; while read -r line <&3; do echo \"$line\"; done";
            let talker = engine.start(&[IMAGE, "sh", "-c", script]);
            let ended = engine.start(&[IMAGE, "sh", "-c", "printf 'no end: pa55word'"]);
            engine.cli(&["wait", &ended.id]);
            wait_for(&format!(
                "until docker -H {} logs {} 2>&1 | grep -q two; do :; done",
                engine.address, talker.id
            ));
            let say = |line: &str| {
                engine.cli(&[
                    "exec",
                    &talker.id,
                    "sh",
                    "-c",
                    &format!("echo {line} >/pipe"),
                ]);
            };
            let sources = [source(&talker, "talker"), source(&ended, "ended")];
            let mut collector = Collector::new(Reach::default());
            let first = collected(&engine, &mut collector, &sources, Until::Ended, 3);
            let mut told = texts(&first);
            told.sort_unstable();
            assert_eq!(told, ["no end: ***", "one", "two"]);
            let two = first.iter().find(|line| line.text == "two").unwrap();
            assert_eq!(
                (two.voice, two.source.service.as_str()),
                (Voice::Err, "talker")
            );
            assert!(two.time.duration_since(Timestamp::now()).abs() < SignedDuration::from_mins(1));
            // What was read is not read again; what came meanwhile is.
            say("three");
            let second = collected(&engine, &mut collector, &sources, Until::Ended, 1);
            assert_eq!(texts(&second), ["three"]);
            say("four");
            wait_for(&format!(
                "until docker -H {} logs {} 2>&1 | grep -q four; do :; done",
                engine.address, talker.id
            ));
            let third = collected(&engine, &mut collector, &sources, Until::Now, 9);
            assert_eq!(texts(&third), ["four"]);
            // Somebody else reads only the end, and a container that is not there ends nothing.
            let gone = LogSource {
                container: "no-such-container".to_owned(),
                ..(*sources[0]).clone()
            };
            let sources = [Arc::new(gone), Arc::clone(&sources[0])];
            let reach = Reach {
                tail: Some(1),
                ..Reach::default()
            };
            let last = collected(
                &engine,
                &mut Collector::new(reach),
                &sources,
                Until::Ended,
                1,
            );
            assert_eq!(texts(&last), ["four"]);
        }
    }

    #[test]
    fn a_very_long_line_comes_whole() {
        for engine in engines() {
            // The engine itself cuts lines at 16 KiB; the word stands on the cut.
            let script = "head -c 16380 /dev/zero | tr '\\0' x; echo pa55word; echo next";
            let talker = engine.start(&[IMAGE, "sh", "-c", script]);
            engine.cli(&["wait", &talker.id]);
            let sources = [source(&talker, "talker")];
            let mut collector = Collector::new(Reach::default());
            let lines = collected(&engine, &mut collector, &sources, Until::Now, 9);
            assert_eq!(
                lines.len(),
                2,
                "{:?}",
                lines.iter().map(|l| l.text.len()).collect::<Vec<_>>()
            );
            assert!(lines[0].text.ends_with("xxx***"));
            assert_eq!(
                (lines[0].text.len(), lines[1].text.as_str()),
                (16383, "next")
            );
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
