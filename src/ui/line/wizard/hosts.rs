//! The list of hosts as a numbered menu: added, edited, pasted, imported, tried.

use super::asker::{Asker, Reply};
use super::gather::{import, paste, try_all, try_paths};
use super::{Answered, Ending, Step, ask, asked_singly};
use crate::model::failure::Failure;
use crate::model::preset::Page;
use crate::ui::desk::Desk;
use crate::ui::desk::words::standing;
use crate::wizard::{HostPart, Key};

/// What can be done with the list, in the order of its numbers.
const DEEDS: [&str; 10] = [
    "go on",
    "add a host",
    "edit a host",
    "duplicate a host",
    "remove a host",
    "paste a list",
    "import from ~/.ssh/config",
    "try all hosts",
    "change how to log in",
    "see who reaches whom",
];

/// Where the operator is while the list is shown.
const LIST: &str = "hosts";

/// The parts that every host is asked for.
const COMMON: [HostPart; 3] = [HostPart::Name, HostPart::Address, HostPart::User];

/// Asks for the hosts.
pub(super) fn page(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Step, Failure> {
    if let Some(step) = resume(desk, asker)? {
        return Ok(step);
    }
    loop {
        desk.wizard.stand_at(&Key::new(LIST));
        desk.save()?;
        list(desk, asker);
        for (number, deed) in DEEDS.iter().enumerate() {
            asker.say(&format!("  {}) {deed}", number + 1));
        }
        let settled = desk.look().roles.iter().all(|role| role.settled);
        let default = if settled && !desk.wizard.draft().hosts.is_empty() {
            "1"
        } else {
            "2"
        };
        let typed = match asker.text("Number", Some(default)) {
            Reply::Text(text) => text,
            Reply::Back => return Ok(Step::Back),
            Reply::Leave => return Ok(Step::End(Ending::Left)),
        };
        let deed = match typed.trim() {
            "<" => return Ok(Step::Back),
            ">" => 0,
            text => ask::numbered(text, DEEDS.len()).unwrap_or(usize::MAX),
        };
        if deed == 0 {
            return Ok(Step::Next);
        }
        if let Answered::Leave = act(desk, asker, deed)? {
            return Ok(Step::End(Ending::Left));
        }
        desk.save()?;
    }
}

/// Goes on at the field where the operator left; without one, asks how to log in before there is any host.
fn resume(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Option<Step>, Failure> {
    let field = desk.wizard.place().field.clone();
    let left = match field.as_ref().map(Key::as_str) {
        Some(LIST) => return Ok(None),
        Some(key) if key.starts_with("hosts[") => field,
        Some(_) => return login(desk, asker),
        None if desk.wizard.draft().hosts.is_empty() => return login(desk, asker),
        None => return Ok(None),
    };
    let Some((number, part)) = left.as_ref().and_then(Key::host_part) else {
        return Ok(None);
    };
    Ok(match edit(desk, asker, number, part)? {
        Answered::Leave => Some(Step::End(Ending::Left)),
        _ => None,
    })
}

/// Does one thing with the list.
fn act(desk: &mut Desk, asker: &mut dyn Asker, deed: usize) -> Result<Answered, Failure> {
    match deed {
        1 => {
            let number = desk.wizard.add_host();
            edit(desk, asker, number, HostPart::Name)
        }
        2..=4 => {
            let Some(number) = which(desk, asker) else {
                return Ok(Answered::Next);
            };
            match deed {
                2 => edit(desk, asker, number, HostPart::Name),
                3 => match desk.wizard.duplicate_host(number) {
                    Some(copy) => edit(desk, asker, copy, HostPart::Name),
                    None => Ok(Answered::Next),
                },
                _ => {
                    desk.drop_host(number);
                    Ok(Answered::Next)
                }
            }
        }
        5 => Ok(paste(desk, asker)),
        6 => Ok(import(desk, asker)),
        7 => Ok(try_all(desk, asker)),
        8 => Ok(match login(desk, asker)? {
            Some(Step::End(_)) => Answered::Leave,
            _ => Answered::Next,
        }),
        9 => Ok(try_paths(desk, asker)),
        _ => {
            asker.say(&format!("  it is a number from 1 to {}", DEEDS.len()));
            Ok(Answered::Next)
        }
    }
}

/// Asks how to log in to every host; `None` when the list comes next.
fn login(desk: &mut Desk, asker: &mut dyn Asker) -> Result<Option<Step>, Failure> {
    asker.say("How to log in to every host that says nothing else:");
    let fields = asked_singly(desk, Page::Hosts);
    let at = desk.wizard.place().field.clone();
    let mut number = fields
        .iter()
        .position(|field| Some(&field.key) == at.as_ref())
        .unwrap_or(0);
    while let Some(key) = fields.get(number).map(|field| field.key.clone()) {
        let now = asked_singly(desk, Page::Hosts);
        let Some(field) = now.iter().find(|field| field.key == key) else {
            break;
        };
        desk.wizard.stand_at(&key);
        let answered = ask::field(desk, asker, field);
        desk.save()?;
        match answered {
            Answered::Next => number += 1,
            Answered::NextPage => break,
            Answered::Back if number == 0 => return Ok(Some(Step::Back)),
            Answered::Back => number -= 1,
            Answered::Leave => return Ok(Some(Step::End(Ending::Left))),
        }
    }
    Ok(None)
}

/// Says the hosts, what is known of each, and how many each role has.
fn list(desk: &Desk, asker: &mut dyn Asker) {
    let look = desk.look();
    for (number, host) in desk.wizard.draft().hosts.iter().enumerate() {
        let name = if host.name.is_empty() {
            "(no name)"
        } else {
            &host.name
        };
        let roles = if host.roles.is_empty() {
            "no role".to_owned()
        } else {
            host.roles.join(", ")
        };
        asker.say(&format!(
            "  {}. {name}, {}, {roles}",
            number + 1,
            host.address
        ));
        if let Some(standing) = standing(desk, host.slot) {
            asker.say(&format!("     {standing}"));
        }
    }
    for role in &look.roles {
        let mark = if role.settled { "" } else { ", not right yet" };
        asker.say(&format!(
            "  role {} ({}): {} of {}{mark}",
            role.id, role.title, role.has, role.wants
        ));
    }
    let troubles = look.page(Page::Hosts);
    let troubles = troubles.iter().flat_map(|page| page.troubles_in_all());
    for trouble in troubles.filter(|trouble| trouble.at.as_str() != "hosts") {
        asker.say(&format!("  {}: {}", trouble.at, trouble.rule));
    }
}

/// Asks for a host's number.
fn which(desk: &Desk, asker: &mut dyn Asker) -> Option<usize> {
    let count = desk.wizard.draft().hosts.len();
    if count == 0 {
        asker.say("  there is no host yet");
        return None;
    }
    match asker.text("Which host, by its number", Some("1")) {
        Reply::Text(text) => ask::numbered(&text, count),
        Reply::Back | Reply::Leave => None,
    }
}

/// Asks for a host's parts from `first` on, and for its roles; the rare parts only when wanted.
fn edit(
    desk: &mut Desk,
    asker: &mut dyn Asker,
    number: usize,
    first: HostPart,
) -> Result<Answered, Failure> {
    let rare = !COMMON.contains(&first);
    if !rare {
        match parts(desk, asker, number, &COMMON, first)? {
            Answered::Next => {}
            Answered::Leave => return Ok(Answered::Leave),
            Answered::Back | Answered::NextPage => return Ok(Answered::Next),
        }
        if let Answered::Leave = roles(desk, asker, number) {
            return Ok(Answered::Leave);
        }
        desk.save()?;
        asker.say("More of this host (private address, port, key file, jump host, root's rights, fingerprint)?");
        asker.say("  1) no");
        asker.say("  2) yes");
        match asker.text("Number", Some("1")) {
            Reply::Text(text) if text.trim() == "2" => {}
            Reply::Leave => return Ok(Answered::Leave),
            _ => return Ok(Answered::Next),
        }
    }
    let first = if rare {
        first
    } else {
        HostPart::ALL[COMMON.len()]
    };
    match parts(desk, asker, number, &HostPart::ALL[COMMON.len()..], first)? {
        Answered::Leave => Ok(Answered::Leave),
        _ => Ok(Answered::Next),
    }
}

/// Asks for some parts of a host, from `first` on.
fn parts(
    desk: &mut Desk,
    asker: &mut dyn Asker,
    number: usize,
    parts: &[HostPart],
    first: HostPart,
) -> Result<Answered, Failure> {
    let mut at = parts.iter().position(|part| *part == first).unwrap_or(0);
    while let Some(part) = parts.get(at) {
        match part_of(desk, asker, number, *part)? {
            Answered::Next => at += 1,
            Answered::Back if at > 0 => at -= 1,
            other => return Ok(other),
        }
    }
    Ok(Answered::Next)
}

fn part_of(
    desk: &mut Desk,
    asker: &mut dyn Asker,
    number: usize,
    part: HostPart,
) -> Result<Answered, Failure> {
    let key = Key::host(number, part);
    let look = desk.look();
    let Some(field) = look.field(&key) else {
        return Ok(Answered::Next);
    };
    desk.wizard.stand_at(&key);
    let answered = ask::field(desk, asker, field);
    desk.save()?;
    Ok(answered)
}

/// Asks for a host's roles, by their numbers.
fn roles(desk: &mut Desk, asker: &mut dyn Asker, number: usize) -> Answered {
    let roles = desk.look().roles;
    asker.say("Roles of this host:");
    for (at, role) in roles.iter().enumerate() {
        asker.say(&format!("  {}) {}: {}", at + 1, role.title, role.help));
    }
    let own: Vec<String> = desk.wizard.draft().hosts[number].roles.clone();
    let own_numbers: Vec<String> = roles
        .iter()
        .enumerate()
        .filter(|(_, role)| own.iter().any(|own| own == role.id.as_str()))
        .map(|(at, _)| (at + 1).to_string())
        .collect();
    // The first role that still wants a host is the likely one.
    let next = roles
        .iter()
        .position(|role| !role.settled)
        .map(|at| (at + 1).to_string());
    let default = Some(own_numbers.join(", "))
        .filter(|own| !own.is_empty())
        .or(next);
    loop {
        let text = match asker.text("Numbers, parted by commas", default.as_deref()) {
            Reply::Text(text) => text,
            Reply::Back => return Answered::Next,
            Reply::Leave => return Answered::Leave,
        };
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let chosen: Option<Vec<usize>> =
            words.map(|word| ask::numbered(word, roles.len())).collect();
        let Some(chosen) = chosen else {
            asker.say(&format!("  they are numbers from 1 to {}", roles.len()));
            continue;
        };
        for (at, role) in roles.iter().enumerate() {
            let has = own.iter().any(|own| own == role.id.as_str());
            if has != chosen.contains(&at) {
                desk.toggle_role(number, role.id.as_str());
            }
        }
        return Answered::Next;
    }
}
