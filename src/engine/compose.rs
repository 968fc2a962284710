//! Docker Compose on a host, always the same way: in the stack's folder, by project name, with a clean environment.
//!
//! The process environment wins over `.env`, so nothing of the login's may reach Compose but what it needs to find its programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::{ActionError, Rights};
use crate::model::text::shell_quoted;
use crate::transport::{Command, Host, Input, Output, TransportError};

/// The label under which Compose keeps a container's project.
pub const PROJECT_LABEL: &str = "com.docker.compose.project";
/// The label under which Compose keeps what a container was made from.
pub const HASH_LABEL: &str = "com.docker.compose.config-hash";

/// The label by which containers, networks and volumes of a deployment are known; its value is the deployment's name.
pub const DEPLOYMENT_LABEL: &str = "io.syntho.installer.deployment";
/// The label that names the stack of a deployment.
pub const STACK_LABEL: &str = "io.syntho.installer.stack";

/// One Compose project on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compose {
    /// Project name.
    pub project: String,
    /// The folder with `docker-compose.yaml` and `.env`.
    pub folder: String,
    /// The program, `docker compose` or `docker-compose`.
    pub command: Vec<String>,
    /// Whose rights it needs.
    pub rights: Rights,
}

impl Compose {
    /// Returns the filter that finds the project's containers.
    #[must_use]
    pub fn filter(&self) -> crate::transport::ContainerFilter {
        crate::transport::ContainerFilter {
            labels: vec![format!("{PROJECT_LABEL}={}", self.project)],
        }
    }

    /// Returns the script that runs Compose with `arguments` in the stack's folder.
    ///
    /// # Errors
    /// Fails when an argument cannot be quoted.
    pub fn script(&self, arguments: &[&str]) -> Result<String, TransportError> {
        let words: Vec<&str> = self.words().chain(arguments.iter().copied()).collect();
        self.in_folder(&quoted(&words)?)
    }

    /// The words by which Compose is called for this project.
    fn words(&self) -> impl Iterator<Item = &str> {
        let project = ["--ansi", "never", "--project-name", self.project.as_str()];
        self.command.iter().map(String::as_str).chain(project)
    }

    /// Returns the script that runs a command line in the stack's folder with a clean environment.
    fn in_folder(&self, line: &str) -> Result<String, TransportError> {
        Ok(format!(
            "cd {} && exec env -i PATH=\"$PATH\" HOME=\"${{HOME:-/}}\" LC_ALL=C \
             ${{DOCKER_HOST:+DOCKER_HOST=\"$DOCKER_HOST\"}} \
             ${{XDG_RUNTIME_DIR:+XDG_RUNTIME_DIR=\"$XDG_RUNTIME_DIR\"}} {line}",
            quoted(&[&self.folder])?,
        ))
    }

    /// Runs a program of the stack's own in its folder; `COMPOSE` tells it how Compose is called for this project.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_beside(
        &self,
        host: &dyn Host,
        program: &[&str],
        limit: Duration,
    ) -> Result<Output, TransportError> {
        host.run(
            &Command::sh(self.beside(program)?)
                .with_input(Input::Empty)
                .with_privilege(self.rights.privilege())
                .within(limit),
        )
    }

    /// Returns the script that [`Self::run_beside`] runs.
    ///
    /// # Errors
    /// Fails when a word cannot be quoted.
    pub fn beside(&self, program: &[&str]) -> Result<String, TransportError> {
        let words: Vec<&str> = self.words().collect();
        let compose = quoted(&[&format!("COMPOSE={}", words.join(" "))])?;
        self.in_folder(&format!("{compose} {}", quoted(program)?))
    }

    /// Returns what is typed by hand to run Compose with `arguments` in the stack's folder.
    #[must_use]
    pub fn typed(&self, arguments: &str) -> String {
        format!(
            "cd {} && {}{} --project-name {} {arguments}",
            shell_quoted(&self.folder),
            self.rights.typed(),
            self.command.join(" "),
            shell_quoted(&self.project)
        )
    }

    /// Runs Compose with `arguments` and this standard input.
    ///
    /// # Errors
    /// Fails when it could not be run; a non-zero end is not an error here.
    pub fn run(
        &self,
        host: &dyn Host,
        arguments: &[&str],
        input: Input,
        limit: Duration,
    ) -> Result<Output, TransportError> {
        host.run(
            &Command::sh(self.script(arguments)?)
                .with_input(input)
                .with_privilege(self.rights.privilege())
                .within(limit),
        )
    }

    /// Returns the hash of each service as Compose would write it on a container made now; `None` when the files do not make a project.
    ///
    /// # Errors
    /// Fails when Compose could not be run.
    pub fn hashes(&self, host: &dyn Host) -> Result<Option<BTreeMap<String, String>>, ActionError> {
        let limit = Duration::from_secs(30);
        let output = self.run(host, &["config", "--hash", "*"], Input::Empty, limit)?;
        if !output.ok() {
            return Ok(None);
        }
        let text = output.text();
        Ok(Some(
            text.lines()
                .filter_map(|line| line.split_once(char::is_whitespace))
                .map(|(service, hash)| (service.to_owned(), hash.trim().to_owned()))
                .collect(),
        ))
    }
}

/// Returns words as a shell reads them back.
fn quoted(words: &[&str]) -> Result<String, TransportError> {
    shlex::try_join(words.iter().copied()).map_err(|_| TransportError::Unquotable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_clean_and_arguments_are_quoted() {
        let compose = Compose {
            project: "acme-ui".to_owned(),
            folder: "/opt/syntho/acme's/ui".to_owned(),
            command: vec!["docker".to_owned(), "compose".to_owned()],
            rights: Rights::Login,
        };
        let script = compose.script(&["config", "--hash", "*"]).unwrap();
        assert!(script.starts_with("cd \"/opt/syntho/acme's/ui\" && exec env -i PATH="));
        assert!(
            script
                .ends_with("docker compose --ansi never --project-name acme-ui config --hash '*'"),
            "{script}"
        );
    }
}
