//! Runs a program on a host; what it prints last is what was found.

use std::time::Duration;

use super::exec::words;
use super::{Finding, Probing, unreachable};
use crate::model::resolved::PlacedProbe;
use crate::model::text::visible_lines;
use crate::transport::{Command, Exit, Input, Output, TransportError};

/// Limit for one try.
const LIMIT: Duration = Duration::from_mins(1);
/// How a shell ends whose program is not there.
const NO_SUCH_PROGRAM: i32 = 127;

pub(super) fn run(probing: Probing<'_>, probe: &PlacedProbe) -> Finding {
    match output(probing, probe) {
        Ok(Some(output)) => judge(&output),
        Ok(None) => Finding::fail("is not a program").certainly(),
        Err(error) => unreachable(&error),
    }
}

fn output(probing: Probing<'_>, probe: &PlacedProbe) -> Result<Option<Output>, TransportError> {
    let PlacedProbe::Program { from, run, input } = probe else {
        return Ok(None);
    };
    let script =
        shlex::try_join(run.iter().map(String::as_str)).map_err(|_| TransportError::Unquotable)?;
    let command = Command::sh(script)
        .with_input(Input::Secret(input.clone()))
        .within(LIMIT);
    probing.links.host(from)?.run(&command).map(Some)
}

fn judge(output: &Output) -> Finding {
    let text = output.text();
    let last = visible_lines(&text).last().unwrap_or_default();
    match (&output.exit, last.is_empty()) {
        (Exit::Code(0), false) => Finding::pass(last),
        (Exit::Code(0), true) => Finding::pass("ended well"),
        (Exit::Code(NO_SUCH_PROGRAM), _) => {
            Finding::untried("nothing on the host can try it").because(words(output))
        }
        (_, false) => Finding::fail(last).because(output.complaint()),
        (Exit::Code(code), true) => {
            Finding::fail(format!("ended with status {code}")).because(words(output))
        }
        (Exit::Signal(signal), true) => {
            Finding::fail(format!("ended with signal {signal}")).because(words(output))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::Verdict;
    use rstest::rstest;

    #[rstest]
    #[case(0, "one\nit answers\n", "", Verdict::Pass, "it answers", None)]
    #[case(
        1,
        "it refuses\n",
        "code 49\n",
        Verdict::Fail,
        "it refuses",
        Some("code 49")
    )]
    #[case(3, "", "lost\n", Verdict::Fail, "ended with status 3", Some("lost"))]
    #[case(
        127,
        "",
        "sh: python3: not found\n",
        Verdict::Warn,
        "nothing on the host can try it",
        Some("sh: python3: not found")
    )]
    fn the_last_line_is_what_was_found(
        #[case] code: i32,
        #[case] stdout: &str,
        #[case] stderr: &str,
        #[case] verdict: Verdict,
        #[case] found: &str,
        #[case] cause: Option<&str>,
    ) {
        let output = Output {
            exit: Exit::Code(code),
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.as_bytes().to_vec(),
        };
        let finding = judge(&output);
        assert_eq!(finding.verdict, verdict);
        assert_eq!(finding.found, found);
        assert_eq!(finding.cause.as_deref(), cause);
    }
}
