//! A real host for the end-to-end tests of this folder: a container with sudo, reached by `docker exec`.
//!
//! It has no sshd; tests of SSH have their own. It runs on the rehearsal's engine, from the rehearsal's VM image.
//! `SYNTHO_TEST_SUDO` names another sudo to try instead of the image's own, such as one of sudo-rs.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::local::process::{self, Environment};
use super::sudo::{self, Root, Wrapped};
use super::{Command, ConnectSpec, Docker, Exit, Host, Output, Stream, TransportError};
use crate::model::answers::SshSection;
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::model::operator::Nobody;
use crate::rehearsal::{Engine, InnerEngine};

/// The login of a container; may use sudo with its password unless a test says otherwise.
pub(crate) const USER: &str = "engineer";
/// Its password, with characters that shells and encodings like to change.
pub(crate) const PASSWORD: &str = "pä ss'w$0\\rd\"";

/// Returns the command line of the rehearsal's engine, and its VM image; both are made when they are missing.
fn ground() -> (String, String) {
    let quiet = |_: &str| {};
    let cache = Engine::default_cache().expect("a home folder");
    let engine = Engine::find_or_start(&cache, &quiet).expect("a Docker Engine");
    let image = engine
        .ensure_vm_image(InnerEngine::Current, &quiet)
        .expect("the image of the VMs");
    let host = engine
        .docker()
        .host()
        .map(|host| format!(" -H {host}"))
        .unwrap_or_default();
    (format!("docker{host}"), image)
}

/// A container that ends with the test.
pub(crate) struct Machine {
    environment: Environment,
    /// The command line of the engine.
    docker: String,
    pub(crate) id: String,
}

impl Machine {
    /// Starts a container with the login and these lines in its sudoers.
    pub(crate) fn start(sudoers: &str) -> Self {
        let (docker, image) = ground();
        let mut machine = Self {
            environment: Environment::of_this_process(),
            docker: docker.clone(),
            id: String::new(),
        };
        machine.id = machine.outside(
            &format!("{docker} run -d --rm --init --tmpfs /small:size=256k,mode=777 --entrypoint sleep {image} 900"),
            "",
        );
        machine.inside(&format!("useradd -m {USER} && cat > /etc/sudoers.d/00-test && chmod 440 /etc/sudoers.d/00-test && visudo -cq; echo \"127.0.0.1 $(hostname)\" >> /etc/hosts"), sudoers);
        machine.inside("chpasswd", &format!("{USER}:{PASSWORD}"));
        if let Ok(sudo) = std::env::var("SYNTHO_TEST_SUDO") {
            machine.outside(
                &format!("{docker} cp {sudo} {}:/usr/bin/sudo", machine.id),
                "",
            );
            machine.inside("chown root:root /usr/bin/sudo && chmod 4755 /usr/bin/sudo && ln -sf /etc/sudoers /etc/sudoers-rs", "");
        }
        machine
    }

    fn outside(&self, script: &str, input: &str) -> String {
        let command = Command::sh(script).with_input(super::Input::Bytes(input.into()));
        let plain = Wrapped {
            script: script.to_owned(),
            prefix: None,
        };
        let output = self.collect(&plain, &command).unwrap();
        assert!(output.ok(), "{script}: {}", output.complaint());
        output.text()
    }

    /// Runs a script in the container as root, outside of what is tested.
    pub(crate) fn inside(&self, script: &str, input: &str) -> String {
        let script = shlex::try_quote(script).unwrap();
        self.outside(
            &format!("{} exec -i {} sh -c {script}", self.docker, self.id),
            input,
        )
    }

    fn collect(&self, wrapped: &Wrapped, command: &Command) -> Result<Output, TransportError> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = self.stream(wrapped, command, &mut |stream, bytes| {
            match stream {
                Stream::Out => stdout.extend_from_slice(bytes),
                Stream::Err => stderr.extend_from_slice(bytes),
            }
            ControlFlow::Continue(())
        })?;
        Ok(Output {
            exit,
            stdout,
            stderr,
        })
    }

    fn stream(
        &self,
        wrapped: &Wrapped,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        process::run(&self.environment, wrapped, command, sink)
            .or_else(process::Broken::into_result)
    }

    /// Runs a command as the login, with the login's own rights.
    pub(crate) fn as_user(&self, command: &Command) -> Result<Output, TransportError> {
        let wrapped = sudo::wrap(command, RootAccess::None, None, "none")?;
        self.collect(&self.through_exec(wrapped), command)
    }

    fn through_exec(&self, wrapped: Wrapped) -> Wrapped {
        let line = shlex::try_quote(&wrapped.script).unwrap();
        Wrapped {
            script: format!(
                "exec {} exec -i -u {USER} {} sh -c {line}",
                self.docker, self.id
            ),
            prefix: wrapped.prefix,
        }
    }

    /// Connects as the login, with this sudo password.
    pub(crate) fn connect(self: &Arc<Self>, password: Option<&str>) -> Rehearsed {
        let spec = ConnectSpec {
            host: "rehearsed".parse().unwrap(),
            address: String::new(),
            login: SshSection::default(),
            host_key: None,
            password: None,
            passphrase: None,
            sudo_password: password.map(SecretString::from),
            ssh_folder: None,
            limit: Duration::from_secs(10),
        };
        let mut run = |command: &Command| self.as_user(command);
        Rehearsed {
            root: Root::find(&mut run, &spec, USER, &Nobody).unwrap(),
            name: spec.host,
            machine: Arc::clone(self),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if !self.id.is_empty() {
            self.outside(&format!("{} rm -f {}", self.docker, self.id), "");
        }
    }
}

/// The container as a host.
pub(crate) struct Rehearsed {
    pub(crate) machine: Arc<Machine>,
    pub(crate) root: Root,
    name: HostName,
}

impl std::fmt::Debug for Rehearsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rehearsed")
    }
}

impl Host for Rehearsed {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn describe(&self) -> String {
        self.machine.id.clone()
    }

    fn root_access(&self) -> RootAccess {
        self.root.access
    }

    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        let nonce = format!("{:032x}", rand::random::<u128>());
        let wrapped = self.machine.through_exec(self.root.wrap(command, &nonce)?);
        self.machine.stream(&wrapped, command, sink)
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        Err(TransportError::Refused {
            what: "Docker in a test container".to_owned(),
        })
    }
}
