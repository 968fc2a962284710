//! One VM of a fleet, as its tests and `demo` see it: an address to log in at, and a way in behind its back for assertions.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use super::call::Output;
use super::engine::Docker;
use super::error::RehearsalError;
use super::spec::VmSpec;

/// How long a VM may take from its start until SSH and Docker answer.
pub(crate) const BOOT: Duration = Duration::from_secs(90);
/// How long one command behind the VM's back may take.
const COMMAND: Duration = Duration::from_mins(5);
/// The pause between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// A running VM.
#[derive(Debug, Clone)]
pub struct Vm {
    pub(crate) docker: Docker,
    pub(crate) container: String,
    pub(crate) image: String,
    pub(crate) spec: VmSpec,
    pub(crate) address: Ipv4Addr,
    pub(crate) host_key: String,
}

impl Vm {
    /// Returns its host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Returns its address; sshd listens on port 22.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Returns what was asked for.
    #[must_use]
    pub fn spec(&self) -> &VmSpec {
        &self.spec
    }

    /// Returns its Ed25519 host key as in `known_hosts`: algorithm and key.
    #[must_use]
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// Runs a shell script as root behind the VM's back: no SSH, no login.
    ///
    /// # Errors
    /// When the VM does not run or the script takes more than five minutes; its own failure is in the output.
    pub fn exec(&self, script: &str) -> Result<Output, RehearsalError> {
        self.call(script).run()
    }

    /// Runs a shell script as [`Vm::exec`] does and returns what it printed.
    ///
    /// # Errors
    /// Also when the script fails.
    pub fn exec_ok(&self, script: &str) -> Result<String, RehearsalError> {
        self.call(script).output()
    }

    /// Runs a shell script that reads `input`.
    ///
    /// # Errors
    /// As [`Vm::exec_ok`].
    pub fn exec_with(&self, script: &str, input: &[u8]) -> Result<String, RehearsalError> {
        self.docker
            .call(["exec", "--interactive", &self.container, "sh", "-c", script])
            .input(input)
            .limit(COMMAND)
            .output()
    }

    fn call(&self, script: &str) -> super::call::Call {
        self.docker
            .call(["exec", &self.container, "sh", "-c", script])
            .limit(COMMAND)
    }

    /// Waits until `script` succeeds; `what` names the event in the error.
    ///
    /// # Errors
    /// When it has not come about within `limit`.
    pub fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        script: &str,
    ) -> Result<(), RehearsalError> {
        wait(&format!("{what} on {}", self.name()), limit, || {
            let call = self
                .docker
                .call(["exec", &self.container, "sh", "-c", script])
                .limit(limit);
            Ok(call.run().is_ok_and(|output| output.ok()))
        })
    }

    /// Waits until sshd and the inner Docker answer.
    ///
    /// # Errors
    /// When they do not in time.
    pub fn wait_ready(&self) -> Result<(), RehearsalError> {
        // One command that waits inside is much cheaper than many that look.
        let script = "timeout 30 sh -c 'until [ -e /run/vm-ready ]; do sleep 0.05; done'";
        self.wait_until("the boot", BOOT, script)
    }

    /// Returns every path below `folder`, sorted; folders end with a slash. Nothing when the folder is not there.
    ///
    /// # Errors
    /// When the VM does not run.
    pub fn files_under(&self, folder: &str) -> Result<Vec<String>, RehearsalError> {
        let script = format!(
            "[ -e {folder} ] || exit 0; find {folder} -mindepth 1 \\( -type d -printf '%p/\\n' -o -printf '%p\\n' \\) | sort",
            folder = shlex::try_quote(folder).unwrap_or_default()
        );
        Ok(self.exec_ok(&script)?.lines().map(str::to_owned).collect())
    }

    /// Loads an image archive of the machine below into the inner Docker.
    ///
    /// # Errors
    /// When the archive cannot be read or loaded.
    pub fn load_archive(&self, archive: &camino::Utf8Path) -> Result<(), RehearsalError> {
        let load = self.docker.call([
            "exec",
            "--interactive",
            &self.container,
            "docker",
            "load",
            "--quiet",
        ]);
        super::call::Call::new("cat")
            .arg(archive.as_str())
            .limit(COMMAND)
            .pipe_into(&load.limit(COMMAND))
            .map(drop)
    }

    /// Loads images of the rehearsal's engine into the inner Docker.
    ///
    /// # Errors
    /// When the engine does not hold them, or the VM's Docker does not take them.
    pub fn load_images(&self, images: &[String]) -> Result<(), RehearsalError> {
        let save = self.docker.call(["save"]).args(images).limit(COMMAND);
        let load = self.docker.call([
            "exec",
            "--interactive",
            &self.container,
            "docker",
            "load",
            "--quiet",
        ]);
        save.pipe_into(&load.limit(COMMAND)).map(drop)
    }

    /// Reboots it as its own root would, and waits until it is back.
    ///
    /// # Errors
    /// When it does not come back in time.
    pub fn reboot(&self) -> Result<(), RehearsalError> {
        let before = self.state("{{.State.StartedAt}}")?;
        self.exec("systemctl reboot")?;
        wait(&format!("the reboot of {}", self.name()), BOOT, || {
            Ok(self
                .state("{{.State.Running}} {{.State.StartedAt}}")?
                .strip_prefix("true ")
                .is_some_and(|at| at != before))
        })?;
        self.wait_ready()
    }

    /// Shuts it down as its own root would, and waits until it is off.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn power_off(&self) -> Result<(), RehearsalError> {
        self.exec("systemctl poweroff")?;
        wait(&format!("the power off of {}", self.name()), BOOT, || {
            Ok(self.state("{{.State.Status}} {{.State.ExitCode}}")? == "exited 0")
        })
    }

    /// Cuts its power: everything in it ends at once, nothing is written out.
    ///
    /// # Errors
    /// When it was not running.
    pub fn cut_power(&self) -> Result<(), RehearsalError> {
        self.docker
            .call(["kill", &self.container])
            .output()
            .map(drop)
    }

    /// Starts it when it is off, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not boot.
    pub fn power_on(&self) -> Result<(), RehearsalError> {
        self.docker.call(["start", &self.container]).output()?;
        self.wait_ready()
    }

    /// Returns a field of the container's state, given as a Go template.
    pub(crate) fn state(&self, format: &str) -> Result<String, RehearsalError> {
        self.docker
            .call(["inspect", "--format", format, &self.container])
            .output()
    }
}

/// Looks again and again until `done`, at most for `limit`.
pub(crate) fn wait(
    what: &str,
    limit: Duration,
    mut done: impl FnMut() -> Result<bool, RehearsalError>,
) -> Result<(), RehearsalError> {
    let deadline = Instant::now() + limit;
    while !done()? {
        if Instant::now() > deadline {
            return Err(RehearsalError::TimedOut {
                what: what.to_owned(),
                seconds: limit.as_secs(),
            });
        }
        thread::sleep(LOOK);
    }
    Ok(())
}
