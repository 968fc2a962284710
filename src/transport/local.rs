//! This machine as a host: commands as processes, root's rights by sudo, Docker over its socket. No SSH is involved.
//!
//! Every command runs in a session of its own, so that sudo finds no terminal to change and Ctrl-C reaches only us.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::docker::EngineClient;
use super::sudo::Root;
use super::{
    Command, ConnectSpec, Dial, Docker, Exit, Host, Output, Privilege, Stream, TransportError,
};
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::model::operator::Operator;

mod dial;
pub(super) mod process;

use process::Environment;

/// The address that means this machine.
pub const ADDRESS: &str = "local";

/// This machine.
#[derive(Debug)]
pub struct LocalHost {
    name: HostName,
    user: String,
    environment: Arc<Environment>,
    root: Root,
}

impl LocalHost {
    /// Returns this machine, its root access found out; a missing sudo password is asked for.
    ///
    /// # Errors
    /// Fails when this machine cannot even run a shell.
    pub fn connect(spec: &ConnectSpec, operator: &dyn Operator) -> Result<Self, TransportError> {
        let environment = Arc::new(Environment::of_this_process());
        let mut run = |command: &Command| run_as_user(&environment, command);
        let user = run(&Command::sh("exec id -un"))?.text();
        let root = Root::find(&mut run, spec, &user, operator)?;
        Ok(Self {
            name: spec.host.clone(),
            user,
            environment,
            root,
        })
    }

    /// Returns whether a command needs sudo on the way to root's rights.
    fn by_sudo(&self, privilege: Privilege) -> bool {
        privilege == Privilege::Root && self.root.access != RootAccess::IsRoot
    }
}

impl Host for LocalHost {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn describe(&self) -> String {
        format!("{} on this machine", self.user)
    }

    fn root_access(&self) -> RootAccess {
        self.root.access
    }

    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        let wrapped = self.root.wrap(command, &nonce())?;
        let end = process::run(&self.environment, &wrapped, command, sink);
        if let Err(process::Broken {
            group: Some(group), ..
        }) = &end
            && self.by_sudo(command.privilege)
        {
            // A login may not signal root's processes; what is left of them ends by sudo.
            let kill = Command::sh(format!("kill -s KILL -- -{group}"))
                .with_privilege(Privilege::Root)
                .within(std::time::Duration::from_secs(10));
            let wrapped = self.root.wrap(&kill, &nonce())?;
            let ended = process::run(&self.environment, &wrapped, &kill, &mut |_, _| {
                ControlFlow::Continue(())
            });
            tracing::debug!(host = %self.name, group, killed = ended.is_ok(), "ended root's processes by sudo");
        }
        end.or_else(process::Broken::into_result)
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        let socket = dial::socket(self.environment.get("DOCKER_HOST"))?;
        let dial: Arc<dyn Dial> = match dial::reach(&socket) {
            Ok(()) => Arc::new(dial::Direct { socket }),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                dial::check_by_sudo(self, &socket)?;
                Arc::new(dial::BySudo::new(
                    Arc::clone(&self.environment),
                    self.root.clone(),
                    socket,
                ))
            }
            Err(error) => return Err(dial::unreachable(&socket, &error)),
        };
        Ok(Arc::new(EngineClient::new(dial)))
    }
}

/// Runs a command with the login's own rights, before it is known whether there are others.
fn run_as_user(environment: &Environment, command: &Command) -> Result<Output, TransportError> {
    let wrapped = super::sudo::wrap(command, RootAccess::None, None, &nonce())?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let end = process::run(environment, &wrapped, command, &mut |stream, bytes| {
        match stream {
            Stream::Out => stdout.extend_from_slice(bytes),
            Stream::Err => stderr.extend_from_slice(bytes),
        }
        ControlFlow::Continue(())
    });
    Ok(Output {
        exit: end.or_else(process::Broken::into_result)?,
        stdout,
        stderr,
    })
}

/// Returns a mark that no input holds by chance.
fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Returns this machine with the login's own rights only, for tests that need a real shell.
#[cfg(test)]
pub(super) fn here() -> LocalHost {
    use crate::model::answers::{SshSection, SudoUse};
    use crate::model::operator::Nobody;

    let spec = ConnectSpec {
        host: "here".parse().unwrap(),
        address: ADDRESS.to_owned(),
        login: SshSection {
            sudo: Some(SudoUse::Never),
            ..SshSection::default()
        },
        host_key: None,
        password: None,
        passphrase: None,
        sudo_password: None,
        ssh_folder: None,
        limit: std::time::Duration::from_secs(10),
    };
    LocalHost::connect(&spec, &Nobody).unwrap()
}
