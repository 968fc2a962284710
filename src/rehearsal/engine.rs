//! The Docker Engine that the fleet runs on: the machine's own when it can start a privileged container, else a second one.
//!
//! The machine's engine is tried with a real privileged container, because nothing that it says about itself tells. The second
//! engine is a newer one from the machine's own package mirror, unpacked beside, with its own socket, data, state and pid file.

mod build;
mod lock;
mod own;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

pub(crate) use self::lock::Lock;
use self::own::OwnEngine;
use super::call::Call;
use super::error::RehearsalError;

/// Hears what is being done, one line at a time; there may be several threads telling.
pub type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// How the Docker command line reaches one engine.
#[derive(Debug, Clone)]
pub struct Docker {
    program: String,
    host: Option<String>,
}

impl Docker {
    /// Starts describing a call of the Docker command line.
    pub(crate) fn call<I>(&self, args: I) -> Call
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let call = Call::new(&self.program).args(args);
        match &self.host {
            // An empty context stands back behind the host.
            Some(host) => call.env("DOCKER_HOST", host).env("DOCKER_CONTEXT", ""),
            None => call,
        }
    }

    /// Returns whether it leads to the second engine.
    pub(crate) fn is_own(&self) -> bool {
        self.host.is_some()
    }

    /// Returns the value of `DOCKER_HOST` that leads to this engine, or `None` for the machine's default.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}

/// An engine that can run the fleet.
#[derive(Debug)]
pub struct Engine {
    cache: Utf8PathBuf,
    docker: Docker,
    own: Option<OwnEngine>,
}

impl Engine {
    /// Finds an engine that can start privileged containers, or starts a second one; `cache` keeps what should survive a run.
    ///
    /// # Errors
    /// When neither the machine's engine nor a second one can be used.
    pub fn find_or_start(cache: &Utf8Path, tell: Tell<'_>) -> Result<Self, RehearsalError> {
        fs::create_dir_all(cache)?;
        let cache = Utf8PathBuf::try_from(fs::canonicalize(cache)?).map_err(|error| {
            RehearsalError::Spec {
                reason: error.to_string(),
            }
        })?;
        let _lock = Lock::take(&cache.join("engine.lock"))?;
        let own = OwnEngine::new(&cache)?;
        if own.is_running() {
            return Ok(Self {
                docker: own.docker(),
                own: Some(own),
                cache,
            });
        }
        let machine = Docker {
            program: "docker".to_owned(),
            host: None,
        };
        let reason = match try_privileged(&machine) {
            Ok(()) => {
                return Ok(Self {
                    docker: machine,
                    own: None,
                    cache,
                });
            }
            Err(error) => error.to_string(),
        };
        tell(
            "this machine's Docker Engine cannot start virtual machines; starting a second one beside it",
        );
        match own.start(tell) {
            Ok(()) => Ok(Self {
                docker: own.docker(),
                own: Some(own),
                cache,
            }),
            Err(error) => Err(RehearsalError::NoEngine {
                machine: reason,
                second: error.to_string(),
            }),
        }
    }

    /// Returns where the rehearsal keeps its files when nobody says otherwise.
    #[must_use]
    pub fn default_cache() -> Option<Utf8PathBuf> {
        let folders = directories::ProjectDirs::from("", "", "syntho-installer")?;
        Utf8PathBuf::from_path_buf(folders.cache_dir().join("rehearsal")).ok()
    }

    /// Returns how to call Docker on this engine.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Returns the folder that survives a run.
    #[must_use]
    pub fn cache(&self) -> &Utf8Path {
        &self.cache
    }

    /// Returns whether this is the second engine, which has no firewall rules and no way to the internet for its containers.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends the second engine, when it is one and no container runs on it any more; images and caches stay.
    ///
    /// # Errors
    /// When the engine does not end.
    pub fn stop_when_unused(&self) -> Result<(), RehearsalError> {
        let Some(own) = &self.own else { return Ok(()) };
        let _lock = Lock::take(&self.cache.join("engine.lock"))?;
        if self.docker.call(["ps", "--quiet"]).output()?.is_empty() {
            own.stop()
        } else {
            Ok(())
        }
    }
}

/// Really starts a privileged container: an empty image with the machine's own programs mounted into it.
fn try_privileged(docker: &Docker) -> Result<(), RehearsalError> {
    const IMAGE: &str = "syntho-rehearsal/empty:latest";
    if !docker.call(["image", "inspect", IMAGE]).run()?.ok() {
        // Two blocks of zeros are an empty tar archive.
        docker
            .call(["import", "-", IMAGE])
            .input(vec![0; 1024])
            .output()?;
    }
    let mounts = ["/usr", "/lib", "/lib64", "/bin"]
        .into_iter()
        .filter(|path| Utf8Path::new(path).exists());
    docker
        .call(["run", "--rm", "--privileged", "--network", "none"])
        .args(mounts.flat_map(|path| ["--volume".to_owned(), format!("{path}:{path}:ro")]))
        .args([IMAGE, "/usr/bin/true"])
        .output()
        .map(drop)
}

/// Returns a call of `program` with root's rights: by sudo where we are somebody else.
pub(crate) fn as_root(program: &str) -> Call {
    if !rustix::process::geteuid().is_root() {
        return Call::new("sudo").arg(program);
    }
    // A root shell may have come by `su` without the folders for root's programs.
    let path = std::env::var("PATH").unwrap_or_default();
    Call::new(program).env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"))
}
