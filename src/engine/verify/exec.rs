//! Runs a program in a service's container and compares its last line.

use std::time::Duration;

use super::{Finding, Probing, unreachable};
use crate::engine::compose::PROJECT_LABEL;
use crate::model::resolved::PlacedProbe;
use crate::model::text::visible_lines;
use crate::transport::{ContainerFilter, Exit, Input, Output, TransportError};

/// Limit for one try.
const LIMIT: Duration = Duration::from_mins(1);
/// Lines of its words kept.
const LINES: usize = 5;

pub(super) fn run(probing: Probing<'_>, probe: &PlacedProbe) -> Finding {
    let PlacedProbe::Exec { equals, .. } = probe else {
        return Finding::fail("is not a program").certainly();
    };
    match output(probing, probe) {
        Ok(Some(output)) => judge(&output, equals.as_deref()),
        Ok(None) => Finding::fail("its container does not run"),
        Err(error) => unreachable(&error),
    }
}

fn output(probing: Probing<'_>, probe: &PlacedProbe) -> Result<Option<Output>, TransportError> {
    let PlacedProbe::Exec {
        host,
        project,
        service,
        run,
        input,
        ..
    } = probe
    else {
        return Ok(None);
    };
    let docker = probing.links.host(host)?.docker()?;
    let containers = docker.containers(&ContainerFilter {
        labels: vec![
            format!("{PROJECT_LABEL}={project}"),
            format!("com.docker.compose.service={service}"),
        ],
    })?;
    let running = containers
        .iter()
        .find(|container| container.state == "running");
    match running {
        Some(container) => docker
            .exec(&container.id, run, &Input::Secret(input.clone()), LIMIT)
            .map(Some),
        None => Ok(None),
    }
}

fn judge(output: &Output, equals: Option<&str>) -> Finding {
    let text = output.text();
    let last = text.lines().last().unwrap_or_default().trim();
    if output.exit != Exit::Code(0) {
        let how = match &output.exit {
            Exit::Code(code) => format!("status {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        };
        return Finding::fail(format!("ended with {how}")).because(words(output));
    }
    match equals {
        Some(wanted) if wanted.trim() != last => {
            Finding::fail(format!("says `{last}` instead of `{}`", wanted.trim()))
                .because(output.complaint().lines().last().unwrap_or_default())
        }
        Some(_) => Finding::pass(format!("says `{last}`")),
        None => Finding::pass("ended well"),
    }
}

/// Returns the last lines of its complaint, or of its output when it did not complain.
pub(super) fn words(output: &Output) -> String {
    let complaint = output.complaint();
    let text = if complaint.is_empty() {
        output.text()
    } else {
        complaint
    };
    let lines: Vec<_> = visible_lines(&text).collect();
    lines[lines.len().saturating_sub(LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::Verdict;
    use rstest::rstest;

    #[rstest]
    #[case(0, "warming up\n3\n", Some("3"), Verdict::Pass, "says `3`")]
    #[case(0, "2\n", Some("3"), Verdict::Fail, "says `2` instead of `3`")]
    #[case(0, "", None, Verdict::Pass, "ended well")]
    #[case(1, "3\n", Some("3"), Verdict::Fail, "ended with status 1")]
    fn the_last_line_and_the_status_count(
        #[case] code: i32,
        #[case] stdout: &str,
        #[case] equals: Option<&str>,
        #[case] verdict: Verdict,
        #[case] found: &str,
    ) {
        let output = Output {
            exit: Exit::Code(code),
            stdout: stdout.as_bytes().to_vec(),
            stderr: Vec::new(),
        };
        let finding = judge(&output, equals);
        assert_eq!((finding.verdict, finding.found.as_str()), (verdict, found));
    }
}
