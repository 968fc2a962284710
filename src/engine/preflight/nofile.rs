//! The number of open files that stacks ask for, against what Docker can give.

use super::collisions::compose_text;
use super::scene::Seat;
use crate::model::check::CheckResult;

/// Judges the limit of open files.
pub(super) fn nofile(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(wanted) = seat
        .stacks()
        .filter_map(|stack| hard_limit(compose_text(stack)))
        .max()
    else {
        return Vec::new();
    };
    if seat.docker().is_none() {
        return Vec::new();
    }
    let draft = seat.draft("nofile", "Open files");
    vec![match seat.facts.nofile_limit {
        Some(limit) if limit >= wanted => {
            draft.pass(format!("Docker can give {limit}, {wanted} are asked for"))
        }
        Some(limit) => draft
            .because(format!("containers ask for {wanted}, and one that may not have them does not start"))
            .remedy("raise the limit of Docker's service and restart it")
            .command(format!(
                "sudo systemctl edit docker containerd  # add [Service] and LimitNOFILE={wanted}, then: sudo systemctl restart containerd docker"
            ))
            .fail(format!("Docker can give {limit} open files at most")),
        None => draft
            .because("something stands in front of the container runtime, or its processes are hidden")
            .remedy("if a container does not start, look for `nofile` in its error")
            .warn(format!("whether Docker can give {wanted} open files could not be told")),
    }]
}

/// Returns the greatest hard limit of open files in a Compose file, in either of its two forms.
fn hard_limit(compose: &str) -> Option<u64> {
    let mut greatest = None;
    let mut lines = compose.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(value) = line.trim().strip_prefix("nofile:") else {
            continue;
        };
        let depth = indent(line);
        if let Ok(single) = value.trim().parse::<u64>() {
            greatest = greatest.max(Some(single));
        }
        while let Some(inner) = lines.next_if(|inner| indent(inner) > depth) {
            let hard = inner
                .trim()
                .strip_prefix("hard:")
                .and_then(|v| v.trim().parse().ok());
            greatest = greatest.max(hard);
        }
    }
    greatest
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        Some(1_048_576),
        "pass nofile: Docker can give 1048576, 65536 are asked for"
    )]
    #[case(
        None,
        "warn nofile: whether Docker can give 65536 open files could not be told"
    )]
    #[case(Some(20_000), "fail nofile: Docker can give 20000 open files at most")]
    fn limits(#[case] limit: Option<u64>, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ray-1").nofile_limit = limit;
        assert_eq!(told(&nofile(sample.seat("ray-1"))), [expected]);
    }

    #[rstest]
    #[case("ulimits:\n  nofile: 4096\n", Some(4096))]
    #[case(
        "    nofile:\n      soft: 1\n      hard: 65536\n  other:\n    hard: 99999\n",
        Some(65536)
    )]
    #[case("services: {}\n", None)]
    fn both_forms(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(hard_limit(text), expected);
    }
}
