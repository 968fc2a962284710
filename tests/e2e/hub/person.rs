//! A person at a browser: `fixtures/hub/person.py` in a container of the notebook image, beside the fleet.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::NOTEBOOK;
use crate::site::engine;

/// Who opens the hub, and from where.
pub struct Person<'a> {
    pub url: &'a str,
    /// The authority that their browser trusts beside the usual ones, in PEM.
    pub ca: Option<&'a str>,
    pub name: &'a str,
    pub password: &'a str,
}

impl Person<'_> {
    /// Does these steps in one session of a browser, and returns what each gave.
    #[track_caller]
    pub fn does(&self, steps: &[Value]) -> Vec<Value> {
        self.session(steps).0
    }

    /// Does so, and returns what the pages said, too.
    #[track_caller]
    fn session(&self, steps: &[Value]) -> (Vec<Value>, String) {
        let said = json!({
            "url": self.url,
            "ca": self.ca,
            "name": self.name,
            "password": self.password,
            "steps": steps,
        });
        let mut docker = Command::new("docker");
        if let Some(host) = engine().docker().host() {
            docker.env("DOCKER_HOST", host);
        }
        let script = include_str!("../../fixtures/hub/person.py");
        let mut child = docker
            .args(["run", "--rm", "--interactive", "--network", "host"])
            .args([NOTEBOOK, "python", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(said.to_string().as_bytes()).unwrap();
        drop(stdin);
        let ended = child.wait_with_output().unwrap();
        let gave = String::from_utf8(ended.stdout).unwrap();
        assert!(
            ended.status.success(),
            "{} did {gave}, and then:\n{}",
            self.name,
            String::from_utf8_lossy(&ended.stderr)
        );
        let gave = gave.lines().map(|line| serde_json::from_str(line).unwrap());
        let saw = String::from_utf8_lossy(&ended.stderr).into_owned();
        (gave.collect(), saw)
    }

    /// Ends the test unless these steps give these values.
    #[track_caller]
    pub fn expect(&self, steps: &[(Value, Value)]) {
        let (does, wanted): (Vec<Value>, Vec<Value>) = steps.iter().cloned().unzip();
        let (gave, saw) = self.session(&does);
        for ((step, wanted), gave) in does.iter().zip(wanted).zip(gave) {
            assert_eq!(gave, wanted, "{} at {step}; saw: {saw}", self.name);
        }
    }
}
