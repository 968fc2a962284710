//! The checks that a preset declares, made by the probes that also judge what was deployed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draft::Draft;
use super::scene::Scene;
use crate::engine::fan_out::fan_out;
use crate::engine::redact::Redactor;
use crate::engine::runner::Links;
use crate::engine::verify::{Probing, weigh};
use crate::model::check::{CheckResult, Verdict};
use crate::model::ids::HostName;
use crate::model::resolved::{PlacedHealth, PlacedProbe};
use crate::transport::{Host, TransportError};

/// The hosts that are connected, and no others.
struct Connected<'a>(&'a BTreeMap<HostName, Arc<dyn Host>>);

impl Links for Connected<'_> {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.0
            .get(name)
            .cloned()
            .ok_or_else(|| TransportError::Lost {
                detail: "it is not connected".to_owned(),
            })
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        self.host(name)
    }
}

/// Makes every declared check, all at once.
pub(super) fn declared(
    scene: Scene<'_>,
    hosts: &BTreeMap<HostName, Arc<dyn Host>>,
    concurrency: usize,
) -> Vec<CheckResult> {
    let links = Connected(hosts);
    let probing = Probing {
        links: &links,
        hosts: &scene.resolved.hosts,
    };
    let redactor = Redactor::new(&scene.resolved.secrets);
    let checks: Vec<&PlacedHealth> = scene.resolved.checks.iter().collect();
    fan_out(checks, concurrency, |check| {
        let mut result = result(check, probing);
        redactor.check(&mut result);
        result
    })
}

fn result(check: &PlacedHealth, probing: Probing<'_>) -> CheckResult {
    let finding = weigh(probing, check);
    let mut draft = Draft::new(&check.id, &check.title, asked_from(&check.probe));
    if let Some(cause) = finding.cause {
        draft = draft.because(cause);
    }
    if finding.verdict != Verdict::Pass {
        if let Some(remedy) = finding.remedy.as_ref().or(check.remedy.as_ref()) {
            draft = draft.remedy(remedy);
        }
        if let Some(command) = &check.command {
            draft = draft.command(command);
        }
    }
    draft.end(finding.verdict, finding.found)
}

fn asked_from(probe: &PlacedProbe) -> Option<&HostName> {
    match probe {
        PlacedProbe::Exec { host, .. } | PlacedProbe::Program { from: host, .. } => Some(host),
        PlacedProbe::Http { from, .. } | PlacedProbe::Port { from, .. } => from.as_ref(),
        PlacedProbe::Tls { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, name};
    use super::*;
    use crate::engine::local_shell::LocalShell;

    fn made(run: &[&str], input: &str) -> CheckResult {
        let mut sample = Sample::three();
        let secret = ("bind-password".parse().unwrap(), "sesame-open".into());
        sample.resolved.secrets.insert(secret.0, secret.1);
        sample.resolved.checks.push(PlacedHealth {
            id: "directory".to_owned(),
            title: "Directory".to_owned(),
            probe: PlacedProbe::Program {
                from: name("ui"),
                run: run.iter().map(|word| (*word).to_owned()).collect(),
                input: input.into(),
            },
            within: 0,
            warns: false,
            remedy: Some("ask its administrator".to_owned()),
            command: Some("ldapwhoami -x".to_owned()),
        });
        let here: Arc<dyn Host> = Arc::new(LocalShell::new("ui", &["sh"]));
        let hosts = BTreeMap::from([(name("ui"), here)]);
        declared(sample.scene(), &hosts, 4).remove(0)
    }

    #[test]
    fn what_a_program_on_the_host_finds_is_the_result_and_no_secret_is_told() {
        let check = made(&["sh", "-c", "read -r x; echo \"takes $x\""], "it's $5\n");
        assert_eq!(check.verdict, Verdict::Pass);
        assert_eq!(check.found, "takes it's $5");
        assert_eq!((check.remedy, check.command), (None, None));

        let check = made(&["sh", "-c", "cat; exit 1"], "refuses sesame-open\n");
        assert_eq!(check.verdict, Verdict::Fail);
        assert_eq!(check.found, "refuses ‹bind-password›");
        assert_eq!(check.host, Some(name("ui")));
        assert_eq!(check.command.as_deref(), Some("ldapwhoami -x"));

        let check = made(&["no-such-program-here"], "");
        assert_eq!(check.verdict, Verdict::Warn);
        assert_eq!(check.found, "nothing on the host can try it");
    }
}
