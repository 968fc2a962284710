//! Who reaches whom, as a table: rows connect to columns.

use std::collections::BTreeMap;

use crate::model::check::{Reach, ReachOutcome};
use crate::model::ids::HostName;
use crate::report::{Paint, Tone};

/// A line of pieces, each in its tone; `None` is plain.
pub(super) type Toned = Vec<(Option<Tone>, String)>;

/// Returns the grid with what is shut spelled out below it, painted.
pub(super) fn lines(cells: &[Reach], paint: Paint) -> Vec<String> {
    let painted = |(tone, text): (Option<Tone>, String)| match tone {
        Some(tone) => paint.tone(tone, &text),
        None => text,
    };
    toned(cells)
        .into_iter()
        .map(|line| line.into_iter().map(painted).collect())
        .collect()
}

/// Returns the grid with what is shut spelled out below it.
pub(super) fn toned(cells: &[Reach]) -> Vec<Toned> {
    let mut hosts: Vec<&HostName> = Vec::new();
    for host in cells.iter().flat_map(|cell| [&cell.from, &cell.to]) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let width = hosts.iter().map(|host| host.as_str().len()).max();
    let width = width.unwrap_or_default().max(7);
    let title = "Who reaches whom (rows connect to columns; ports open of ports needed)";
    let mut lines = vec![vec![(Some(Tone::Strong), title.to_owned())]];
    let names: Vec<String> = hosts
        .iter()
        .map(|h| format!("{:width$}", h.as_str()))
        .collect();
    let names = format!("  {:width$}  {}", "", names.join("  ").trim_end());
    lines.push(vec![(None, names)]);
    for from in &hosts {
        let mut row = vec![(None, format!("  {:width$}", from.as_str()))];
        let mut gap = 2;
        for to in &hosts {
            let (tone, text) = cell(cells, from, to);
            row.push((None, " ".repeat(gap)));
            gap = 2 + width.saturating_sub(text.chars().count());
            row.push((Some(tone), text));
        }
        lines.push(row);
    }
    lines.extend(shut(cells));
    lines
}

/// Returns one cell: how many ports are open, with a sign when not all are.
fn cell(cells: &[Reach], from: &HostName, to: &HostName) -> (Tone, String) {
    let own: Vec<&Reach> = cells
        .iter()
        .filter(|cell| cell.from == *from && cell.to == *to)
        .collect();
    let open = own.iter().filter(|cell| is_open(cell)).count();
    match own.len() {
        0 => (Tone::Faint, "-".to_owned()),
        all if open == all => (Tone::Good, format!("✔ {open}/{all}")),
        all => (Tone::Bad, format!("✖ {open}/{all}")),
    }
}

fn is_open(cell: &Reach) -> bool {
    cell.outcome == ReachOutcome::Open
}

/// Returns the ports that are shut, by pair of hosts and by how they are shut.
fn shut(cells: &[Reach]) -> Vec<Toned> {
    let mut ports: BTreeMap<(&HostName, &HostName, &str), Vec<u16>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !is_open(cell)) {
        let key = (&cell.from, &cell.to, said(cell.outcome));
        ports.entry(key).or_default().push(cell.port);
    }
    ports
        .into_iter()
        .map(|((from, to, how), ports)| {
            let text = format!(" {from} → {to}: {} {how}", ranges(ports));
            vec![(Some(Tone::Bad), "  ✖".to_owned()), (None, text)]
        })
        .collect()
}

/// Returns how a port is shut, in words.
fn said(outcome: ReachOutcome) -> &'static str {
    match outcome {
        ReachOutcome::Open => "open",
        ReachOutcome::Refused => "refused",
        ReachOutcome::TimedOut => "no answer (a firewall drops it, most often)",
        ReachOutcome::Unreachable => "no route",
        ReachOutcome::Untried => "could not be tried",
    }
}

/// Returns ports with neighbours drawn together, `6379, 8076-8077`.
fn ranges(mut ports: Vec<u16>) -> String {
    ports.sort_unstable();
    ports.dedup();
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => runs.push((port, port)),
        }
    }
    let texts: Vec<String> = runs
        .iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(from: &str, to: &str, port: u16, outcome: ReachOutcome) -> Reach {
        Reach {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            port,
            outcome,
        }
    }

    #[test]
    fn the_grid_says_who_cannot_reach_whom_and_how() {
        let cells = [
            reach("ui", "head", 6379, ReachOutcome::Open),
            reach("ui", "head", 10001, ReachOutcome::Open),
            reach("worker-1", "head", 6379, ReachOutcome::Open),
            reach("worker-1", "head", 8077, ReachOutcome::TimedOut),
            reach("worker-1", "head", 8076, ReachOutcome::TimedOut),
            reach("head", "worker-1", 11000, ReachOutcome::Refused),
            reach("head", "worker-1", 65535, ReachOutcome::Refused),
        ];
        insta::assert_snapshot!(lines(&cells, Paint::PLAIN).join("\n"), @r"
        Who reaches whom (rows connect to columns; ports open of ports needed)
                    ui        head      worker-1
          ui        -         ✔ 2/2     -
          head      -         -         ✖ 0/2
          worker-1  -         ✖ 1/3     -
          ✖ head → worker-1: 11000, 65535 refused
          ✖ worker-1 → head: 8076-8077 no answer (a firewall drops it, most often)
        ");
    }
}
