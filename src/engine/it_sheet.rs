//! The sheet for the customer's IT: which network paths the deployment needs, which of them are closed, and exactly what to do about every failed check.
//!
//! Markdown, so that it can be mailed, printed or pasted into a ticket as it is. It decides nothing; `check` writes it from a preflight report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::preflight::{Firewall, Report, sampled_ports, written_ports};
use crate::model::check::{CheckResult, ReachOutcome, Verdict};
use crate::model::ids::{HostName, RoleId};
use crate::model::resolved::{ReachNeed, Resolved, ResolvedHost};

/// One line of the table: the same ports for the same purpose from several machines to one.
#[derive(Debug)]
struct Row<'a> {
    from: Vec<Option<&'a ResolvedHost>>,
    to: &'a ResolvedHost,
    ports: (u16, u16),
    why: &'a str,
    state: State,
}

/// What came of trying a row, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Open,
    Untried,
    Closed,
}

/// Writes the sheet.
#[must_use]
pub fn it_sheet(resolved: &Resolved, report: &Report) -> String {
    let rows = rows(resolved, report);
    let mut sheet = format!("# Network and machines for {}\n\n", resolved.title);
    let _ = writeln!(
        sheet,
        "Deployment `{}`. All paths are TCP.\n",
        resolved.deployment
    );
    hosts(&mut sheet, resolved);
    needed(&mut sheet, &rows);
    closed(&mut sheet, &rows);
    failed(&mut sheet, report);
    sheet
}

fn hosts(sheet: &mut String, resolved: &Resolved) {
    sheet.push_str("## Machines\n\n| name | address | what it is for |\n| --- | --- | --- |\n");
    for host in &resolved.hosts {
        let roles: Vec<&str> = host.roles.iter().map(RoleId::as_str).collect();
        let _ = writeln!(
            sheet,
            "| {} | {} | {} |",
            host.name,
            host.private_address,
            roles.join(", ")
        );
    }
    sheet.push('\n');
}

fn needed(sheet: &mut String, rows: &[Row<'_>]) {
    sheet.push_str("## Every path that must be open\n\n| from | to | port | why | now |\n| --- | --- | --- | --- | --- |\n");
    for row in rows {
        let _ = writeln!(
            sheet,
            "| {} | {} | {} | {} | {} |",
            row.from
                .iter()
                .map(|from| label(*from))
                .collect::<Vec<_>>()
                .join(", "),
            label(Some(row.to)),
            written_ports(row.ports),
            cell(row.why),
            match row.state {
                State::Open => "open",
                State::Untried => "not tried",
                State::Closed => "**closed**",
            }
        );
    }
    sheet.push('\n');
}

/// The commands for what is closed, grouped by the machine on which they are run.
fn closed(sheet: &mut String, rows: &[Row<'_>]) {
    let mut by_host: BTreeMap<&HostName, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == State::Closed) {
        by_host.entry(&row.to.name).or_default().push(row);
    }
    if by_host.is_empty() {
        sheet.push_str("No path was found closed.\n\n");
        return;
    }
    sheet.push_str("## Paths to open\n\nOn each machine the commands of the one firewall that it has; in the cloud the same rules in its security group. Firewalls on the way need them, too.\n\n");
    for (host, rows) in by_host {
        let _ = writeln!(sheet, "### On {host}\n");
        for row in &rows {
            let _ = writeln!(
                sheet,
                "- port {} from {}: {}",
                written_ports(row.ports),
                row.from
                    .iter()
                    .map(|from| label(*from))
                    .collect::<Vec<_>>()
                    .join(", "),
                row.why
            );
        }
        for firewall in Firewall::ALL {
            let _ = writeln!(sheet, "\n{}:\n\n```sh", firewall.name());
            for row in &rows {
                for source in sources(row) {
                    let _ = writeln!(sheet, "{}", firewall.open(source, row.ports));
                }
            }
            sheet.push_str("```\n");
        }
        sheet.push('\n');
    }
}

/// Returns the addresses to let in; the operator's machine and browsers come from anywhere.
fn sources(row: &Row<'_>) -> Vec<Option<IpAddr>> {
    row.from
        .iter()
        .map(|from| from.map(|host| host.private_address))
        .collect()
}

fn failed(sheet: &mut String, report: &Report) {
    let others: Vec<&CheckResult> = report
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass && check.opening.is_none())
        .collect();
    for (verdict, title) in [
        (Verdict::Fail, "## What else must be mended"),
        (Verdict::Warn, "## What should be known"),
    ] {
        let checks: Vec<&&CheckResult> = others
            .iter()
            .filter(|check| check.verdict == verdict)
            .collect();
        if checks.is_empty() {
            continue;
        }
        let _ = writeln!(sheet, "{title}\n");
        for check in checks {
            entry(sheet, check);
        }
    }
}

fn entry(sheet: &mut String, check: &CheckResult) {
    let place = check
        .host
        .as_ref()
        .map_or_else(|| "all machines".to_owned(), ToString::to_string);
    let _ = writeln!(sheet, "- **{place}: {}**: {}", check.title, check.found);
    for text in [&check.cause, &check.remedy].into_iter().flatten() {
        let _ = writeln!(sheet, "  - {text}");
    }
    if let Some(command) = &check.command {
        let _ = writeln!(sheet, "\n  ```sh\n  {command}\n  ```\n");
    }
}

fn rows<'a>(resolved: &'a Resolved, report: &Report) -> Vec<Row<'a>> {
    let find = |name: &HostName| resolved.hosts.iter().find(|host| host.name == *name);
    let mut rows: Vec<Row<'a>> = Vec::new();
    for need in resolved
        .reach
        .iter()
        .filter(|need| need.from.as_ref() != Some(&need.to))
    {
        let Some(to) = find(&need.to) else { continue };
        let from = need.from.as_ref().and_then(find);
        let state = state(need, report);
        // What is closed from one machine and open from another stands in two rows.
        let same = rows.iter_mut().find(|row| {
            row.to.name == to.name
                && row.ports == need.ports
                && row.why == need.why
                && row.state == state
                && row.from[0].is_none() == from.is_none()
        });
        match same {
            Some(row) => row.from.push(from),
            None => rows.push(Row {
                from: vec![from],
                to,
                ports: need.ports,
                why: &need.why,
                state,
            }),
        }
    }
    rows
}

/// Returns the worst of what came of a need's ports.
fn state(need: &ReachNeed, report: &Report) -> State {
    let from = need.from.as_ref().map_or("operator", HostName::as_str);
    sampled_ports(need.ports)
        .into_iter()
        .map(|port| {
            let cell = report
                .reach
                .iter()
                .find(|cell| cell.from.as_str() == from && cell.to == need.to && cell.port == port);
            match cell.map(|cell| cell.outcome) {
                Some(ReachOutcome::Open) => State::Open,
                None | Some(ReachOutcome::Untried) => State::Untried,
                Some(_) => State::Closed,
            }
        })
        .max()
        .unwrap_or(State::Untried)
}

fn label(host: Option<&ResolvedHost>) -> String {
    match host {
        Some(host) => format!("{} ({})", host.name, host.private_address),
        None => "the operator's machine and browsers".to_owned(),
    }
}

/// Keeps a text inside its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::preflight::tests::{Sample, name, reach as need};
    use crate::model::check::Reach;

    fn told(from: &str, to: &str, port: u16, outcome: ReachOutcome) -> Reach {
        Reach {
            from: name(from),
            to: name(to),
            port,
            outcome,
        }
    }

    #[test]
    fn the_whole_sheet() {
        let mut sample = Sample::three();
        sample.resolved.reach.push(need(
            Some("ui"),
            "ray-1",
            (6379, 6379),
            "Ray's address book",
        ));
        let reach = vec![
            told("ray-2", "ray-1", 6379, ReachOutcome::TimedOut),
            told("ui", "ray-1", 6379, ReachOutcome::TimedOut),
            told("ray-1", "ray-2", 11000, ReachOutcome::Open),
            told("ray-1", "ray-2", 11499, ReachOutcome::Open),
            told("ray-1", "ray-2", 11999, ReachOutcome::Refused),
            told("operator", "ui", 3000, ReachOutcome::Open),
        ];
        let checks = vec![CheckResult {
            id: "compose".into(),
            host: Some(name("ui")),
            title: "Docker Compose".into(),
            verdict: Verdict::Fail,
            found: "not installed".into(),
            cause: Some("the stacks are Compose projects".into()),
            remedy: Some("install it".into()),
            command: Some("sudo apt-get install -y docker-compose-v2".into()),
            opening: None,
            mends: false,
        }];
        let report = Report { checks, reach };
        insta::assert_snapshot!(it_sheet(&sample.resolved, &report));
    }

    #[test]
    fn nothing_closed_is_said() {
        let mut sample = Sample::three();
        sample.resolved.reach.clear();
        let sheet = it_sheet(&sample.resolved, &Report::default());
        assert!(sheet.contains("No path was found closed."));
        assert!(!sheet.contains("must be mended"));
    }
}
