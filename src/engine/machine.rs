//! A machine for the engine's tests: commands run for real in a shell on a folder of their own, with a stand-in for `docker` that keeps containers in memory.
//!
//! File work is the real thing. Of Compose only what actions rely on is imitated: `config`, `config --hash`, `up` and `down`.

mod docker;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use crate::engine::action::{Context, Material, Materials, Progress};
use crate::engine::delivery::Delivery;
use crate::engine::runner::Links;
use crate::model::bundle::BundledImage;
use crate::model::docker::LayerProgress;
use crate::model::ids::{HostName, StackId};
use crate::model::image::ImageRef;
use crate::transport::fake::{FakeHost, Reply};
use crate::transport::{Command, Host, RegistryLogin, TransportError};

pub(crate) use docker::{Engine, container, image, volume};

/// A machine with its folder, its Docker and the materials of one stack.
pub(crate) struct Machine {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) host: Arc<FakeHost>,
    pub(crate) engine: Engine,
    pub(crate) materials: Cupboard,
    pub(crate) voice: Quiet,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::named("ui")
    }

    pub(crate) fn named(name: &str) -> Self {
        let engine = Engine::default();
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join("bin")).unwrap();
        let shim = dir.path().join("bin/docker");
        fs_err::write(&shim, SHIM).unwrap();
        fs_err::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        engine.0.lock().unwrap().calls = dir.path().join("calls");
        let (world, folder) = (engine.clone(), dir.path().to_owned());
        let host = FakeHost::new(name.parse().unwrap())
            .with_docker(Arc::new(engine.clone()))
            .respond(move |command| Some(answer(&world, &folder, command)));
        Self {
            dir,
            host: Arc::new(host),
            engine,
            materials: Cupboard::default(),
            voice: Quiet::default(),
        }
    }

    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.dir.path().display())
    }

    pub(crate) fn cx(&self) -> Context<'_> {
        Context {
            host: self.host.as_ref(),
            materials: &self.materials,
            progress: &self.voice,
            peers: self,
        }
    }
}

/// Every other host is the same machine.
impl Links for Machine {
    fn host(&self, _name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        Ok(self.host.clone())
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.host(name)
    }
}

/// Runs a command: what Compose would only say comes from memory, everything else runs in a shell where `docker` is a stand-in that keeps a list.
fn answer(engine: &Engine, folder: &std::path::Path, command: &Command) -> Reply {
    if command.script.contains(" compose ") && command.script.contains(" config ") {
        return config(engine, command);
    }
    let mut child = Process::new("sh")
        .args(["-c", &command.script])
        .env(
            "PATH",
            format!(
                "{}:{}",
                folder.join("bin").display(),
                std::env::var("PATH").unwrap()
            ),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that reads nothing may end first.
    let _ = child.stdin.take().unwrap().write_all(command.input.bytes());
    let output = child.wait_with_output().unwrap();
    Reply {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or(-1),
        lost: false,
    }
}

/// The stand-in for `docker`: waits while it is held, notes its arguments, prints a line and ends as it is told.
const SHIM: &str = r#"#!/bin/sh
here=$(dirname "$(dirname "$0")")
while [ -e "$here/hold" ]; do sleep 0.05; done
status=$(cat "$here/up-status" 2>/dev/null || echo 0)
echo "Container x Started"
echo "$status $*" >> "$here/calls"
exit "$status"
"#;

fn config(engine: &Engine, command: &Command) -> Reply {
    let script = &command.script;
    let folder = shlex::split(script)
        .unwrap_or_default()
        .get(1)
        .cloned()
        .unwrap_or_default();
    let world = engine.world();
    if script.contains("config --hash") {
        return Reply::ok("x h\n");
    }
    if script.contains("config --quiet") {
        return if std::path::Path::new(&folder).join(".env").is_file() {
            Reply::default()
        } else {
            Reply::failed(14, "env file not found")
        };
    }
    Reply::ok(read_env(&folder, world.misread.as_ref()))
}

/// Returns what Compose would print of the values in single quotes of `.env`.
fn read_env(folder: &str, misread: Option<&(String, String)>) -> String {
    let text = fs_err::read_to_string(format!("{folder}/.env")).unwrap_or_default();
    let values: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            let value = value.trim_matches('\'').replace('$', "$$");
            let value = match misread {
                Some((from, to)) => value.replace(from.as_str(), to),
                None => value,
            };
            (name.to_owned(), value)
        })
        .collect();
    serde_json::json!({ "services": { "proof": { "environment": values } } }).to_string()
}

/// Materials by path.
#[derive(Default)]
pub(crate) struct Cupboard {
    pub(crate) files: BTreeMap<String, Material>,
    pub(crate) environment: Vec<(String, SecretString)>,
    pub(crate) login: Option<RegistryLogin>,
    pub(crate) bundled: Vec<BundledImage>,
    pub(crate) delivery: Option<Arc<Delivery>>,
}

impl Materials for Cupboard {
    fn file(&self, _host: &HostName, _stack: &StackId, path: &str) -> Option<Material> {
        self.files.get(path).cloned()
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        self.login.clone()
    }

    fn bundled(&self, reference: &ImageRef, architecture: &str) -> Option<BundledImage> {
        crate::images::matching::find(&self.bundled, reference, Some(architecture)).cloned()
    }

    fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_deref()
    }

    fn environment(
        &self,
        _host: &HostName,
        _stack: &StackId,
    ) -> Option<Vec<(String, SecretString)>> {
        Some(self.environment.clone())
    }
}

/// A progress that remembers lines and does not wait.
#[derive(Default)]
pub(crate) struct Quiet {
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) last: Mutex<Option<(u64, Option<u64>)>>,
    pub(crate) stop: std::sync::atomic::AtomicBool,
}

impl Progress for Quiet {
    fn at(&self, done: u64, total: Option<u64>) {
        *self.last.lock().unwrap() = Some((done, total));
    }

    fn layer(&self, _layer: LayerProgress) {}

    fn line(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }

    fn cancelled(&self) -> bool {
        self.stop.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn wait(&self, _time: Duration) -> bool {
        std::thread::yield_now();
        self.cancelled()
    }
}
