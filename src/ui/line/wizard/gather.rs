//! Hosts from elsewhere, and what they answer: a pasted list, `~/.ssh/config`, and all of them tried.

use std::time::{Duration, Instant};

use super::asker::{Asker, Reply};
use super::{Answered, ask};
use crate::engine::trial::{Question, Tried};
use crate::model::text::visible;
use crate::report::Paint;
use crate::ui::channel::Ask;
use crate::ui::desk::words::standing;
use crate::ui::desk::{Attempt, Desk};
use crate::ui::grid;
use crate::wizard::{Pasted, read_list};

/// Longest time that trying all hosts may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Takes a list, one host a line.
pub(super) fn paste(desk: &mut Desk, asker: &mut dyn Asker) -> Answered {
    asker.say("One host a line: name address user. An empty line ends the list.");
    let mut text = String::new();
    loop {
        match asker.text("Host", None) {
            Reply::Text(line) if line.trim().is_empty() => break,
            Reply::Text(line) => {
                text.push_str(&line);
                text.push('\n');
            }
            Reply::Back => return Answered::Next,
            Reply::Leave => return Answered::Leave,
        }
    }
    let (hosts, unread) = read_list(&text);
    for line in unread {
        asker.say(&format!("  line {}: {}", line.line, visible(&line.why)));
    }
    let added = desk.wizard.add_hosts(hosts);
    asker.say(&format!("  {added} added"));
    Answered::Next
}

/// Offers the hosts of `~/.ssh/config`.
pub(super) fn import(desk: &mut Desk, asker: &mut dyn Asker) -> Answered {
    let hosts = match desk.ssh_hosts() {
        Ok(hosts) => hosts,
        Err(failure) => {
            asker.say(&format!("  {}", visible(&failure.message)));
            return Answered::Next;
        }
    };
    if hosts.is_empty() {
        asker.say("  ~/.ssh/config names no host");
        return Answered::Next;
    }
    for (number, found) in hosts.iter().enumerate() {
        asker.say(&format!(
            "  {}) {} leads to {}",
            number + 1,
            visible(&found.host.address),
            visible(&found.leads_to)
        ));
    }
    match asker.text("Numbers, parted by commas", None) {
        Reply::Text(text) => {
            let words = text.split([',', ' ']);
            let chosen: Vec<Pasted> = words
                .filter_map(|word| ask::numbered(word, hosts.len()))
                .map(|number| hosts[number].host.clone())
                .collect();
            let added = desk.wizard.add_hosts(chosen);
            asker.say(&format!("  {added} added"));
            Answered::Next
        }
        Reply::Back => Answered::Next,
        Reply::Leave => Answered::Leave,
    }
}

/// Tries every host and says of each what came of it.
pub(super) fn try_all(desk: &mut Desk, asker: &mut dyn Asker) -> Answered {
    let slots: Vec<u64> = desk
        .wizard
        .draft()
        .hosts
        .iter()
        .map(|host| host.slot)
        .collect();
    for number in 0..slots.len() {
        desk.try_now(number);
    }
    let began = Instant::now();
    let mut told: Vec<u64> = Vec::new();
    while told.len() < slots.len() && began.elapsed() < PATIENCE {
        if let Some((_, question)) = desk.hear_within(Duration::from_millis(200)) {
            asker.put(&match question {
                Question::HostKey(key, reply) => Ask::HostKey(key, reply),
                Question::Secret(request, reply) => Ask::Secret(request, reply),
            });
        }
        for slot in &slots {
            let over = matches!(
                desk.attempts.get(slot),
                Some(Attempt::Known { .. } | Attempt::Failed(_))
            );
            if over && !told.contains(slot) {
                told.push(*slot);
                let number = desk.number_of(*slot).unwrap_or_default();
                let name = desk.wizard.draft().hosts[number].name.clone();
                let standing = standing(desk, *slot).unwrap_or_default();
                asker.say(&format!("  {name}: {standing}"));
            }
        }
        if !desk.is_trying() && desk.attempts.is_empty() && began.elapsed() > Duration::from_secs(2)
        {
            asker.say("  no host can be tried as it stands");
            break;
        }
    }
    Answered::Next
}

/// Lets the hosts try each other, and says who reaches whom.
pub(super) fn try_paths(desk: &mut Desk, asker: &mut dyn Asker) -> Answered {
    if !desk.try_paths() {
        asker.say("  first every host must be known: choose \"try all hosts\"");
        return Answered::Next;
    }
    asker.say("  every host tries the others, on the ports that will be used");
    let began = Instant::now();
    while !desk.hear_paths() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    match desk.paths() {
        Tried::Known(report) => {
            for line in grid::lines(&report.reach, Paint::PLAIN) {
                asker.say(&line);
            }
            for check in report.failed() {
                let command = check.command.as_deref().unwrap_or_default();
                asker.say(&format!("  {}: {command}", visible(&check.found)));
            }
        }
        Tried::Failed(failure) => asker.say(&format!("  {}", visible(&failure.message))),
        Tried::AtWork | Tried::Nothing => {
            asker.say("  it takes too long: look at the hosts with `check`");
        }
    }
    Answered::Next
}
