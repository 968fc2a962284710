//! The second engine: fetched beside the machine's software, started with its own everything, ended by its pid file.

use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Docker, Tell, as_root};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::recipes::Recipe;

/// How long the engine may take to answer after its start.
const START: Duration = Duration::from_mins(1);
/// A connection that a local engine does not answer within this is not one.
const PING: Duration = Duration::from_secs(10);

/// Where the second engine lives.
#[derive(Debug)]
pub(crate) struct OwnEngine {
    recipe: Utf8PathBuf,
    software: Utf8PathBuf,
    state: Utf8PathBuf,
}

impl OwnEngine {
    /// Names its folders below `cache`; starts nothing.
    pub(crate) fn new(cache: &Utf8Path) -> Result<Self, RehearsalError> {
        let recipe = Recipe::write_out(cache, "engine")?.folder;
        let engine = cache.join("engine");
        Ok(Self {
            recipe,
            software: engine.join("software"),
            state: engine.join("state"),
        })
    }

    /// Returns how to call Docker on it; the command line is the one that was fetched with it.
    pub(crate) fn docker(&self) -> Docker {
        Docker {
            program: self.software.join("root/usr/bin/docker").into_string(),
            host: Some(format!("unix://{}", self.state.join("docker.sock"))),
        }
    }

    /// Returns whether it runs and answers.
    pub(crate) fn is_running(&self) -> bool {
        self.state.join("docker.pid").exists() && self.answers()
    }

    fn answers(&self) -> bool {
        let version = self
            .docker()
            .call(["version", "--format", "{{.Server.Version}}"])
            .limit(PING)
            .run();
        version.is_ok_and(|output| output.ok())
    }

    /// Fetches it when it is not there yet, starts it and waits until it answers.
    pub(crate) fn start(&self, tell: Tell<'_>) -> Result<(), RehearsalError> {
        if !self.software.join("complete").exists() {
            tell("fetching Docker Engine from this machine's package mirror");
        }
        let (fetch, start) = (self.recipe.join("fetch.sh"), self.recipe.join("start.sh"));
        let limit = Duration::from_mins(10);
        as_root("sh")
            .args([fetch.as_str(), self.software.as_str()])
            .limit(limit)
            .output()?;
        let group = rustix::process::getegid().as_raw().to_string();
        as_root("sh")
            .args([
                start.as_str(),
                self.software.as_str(),
                self.state.as_str(),
                &group,
            ])
            .output()?;
        let deadline = Instant::now() + START;
        while !self.answers() {
            if Instant::now() > deadline {
                return Err(RehearsalError::TimedOut {
                    what: format!(
                        "the start of the second engine ({}: {})",
                        self.log(),
                        self.last_words()
                    ),
                    seconds: START.as_secs(),
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Ends it by its pid file and waits until it is gone.
    pub(crate) fn stop(&self) -> Result<(), RehearsalError> {
        as_root("sh")
            .args([self.recipe.join("stop.sh").as_str(), self.state.as_str()])
            .output()
            .map(drop)
    }

    fn log(&self) -> Utf8PathBuf {
        self.state.join("docker.log")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().last().unwrap_or("it wrote nothing").to_owned()
    }
}
