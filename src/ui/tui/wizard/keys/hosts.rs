//! The keys of the page of hosts.

use ratatui::crossterm::event::KeyCode;

use super::{BACK, Do};
use crate::ui::tui::keys::{Binding, Key};

/// The keys of the list of hosts.
pub(in crate::ui::tui::wizard) const HOSTS: &[Binding<Do>] = &[
    Binding::new(
        &[Key::char('a'), Key::of(KeyCode::Insert)],
        Do::Add,
        "add",
        "Adds a host",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter), Key::char('e')],
        Do::Enter,
        "edit",
        "Edits the chosen host",
    ),
    Binding::new(
        &[
            Key::of(KeyCode::PageDown),
            Key::ctrl('n'),
            Key::of(KeyCode::Tab),
        ],
        Do::NextPage,
        "next page",
        "The next page; this one may be left unfinished",
    ),
    Binding::new(
        &[Key::char('t')],
        Do::Try,
        "try",
        "Connects to the chosen host and looks at it; nothing is changed there",
    ),
    Binding::new(
        &[Key::char('i')],
        Do::Import,
        "import",
        "Imports hosts from ~/.ssh/config",
    ),
    Binding::new(
        &[Key::char('x'), Key::of(KeyCode::Delete)],
        Do::Remove,
        "remove",
        "Removes the chosen host, after asking",
    ),
    Binding::new(
        &[Key::char('d')],
        Do::Duplicate,
        "copy",
        "Adds a copy of the chosen host, without its address",
    ),
    Binding::new(
        &[Key::char('g')],
        Do::Paths,
        "reach",
        "Shows who reaches whom: the hosts try each other on the ports that will be used; nothing is written there",
    ),
    Binding::new(
        &[Key::char('l')],
        Do::Login,
        "login",
        "How to log in to every host that says nothing else",
    ),
    Binding::new(
        &[Key::char('T')],
        Do::TryAll,
        "try all",
        "Connects to all hosts",
    )
    .quiet(),
    Binding::new(
        &[Key::char('p')],
        Do::Paste,
        "paste",
        "Paste a list right here, one host a line: name address user",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "host",
        "The host above",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "host",
        "The host below",
    )
    .quiet(),
    Binding::new(
        &[
            Key::of(KeyCode::PageUp),
            Key::ctrl('p'),
            Key::of(KeyCode::BackTab),
            Key::of(KeyCode::Esc),
        ],
        Do::PreviousPage,
        "page before",
        "The page before",
    )
    .quiet(),
];

/// Returns whether an action works on the chosen host.
pub(in crate::ui::tui::wizard) fn needs_host(action: Do) -> bool {
    matches!(
        action,
        Do::Enter
            | Do::Try
            | Do::TryAll
            | Do::Paths
            | Do::Remove
            | Do::Duplicate
            | Do::Up
            | Do::Down
    )
}

/// The keys that give roles, by the number of the role.
pub(in crate::ui::tui::wizard) const ROLES: [Binding<Do>; 9] = [
    role(&[Key::char('1')], 0),
    role(&[Key::char('2')], 1),
    role(&[Key::char('3')], 2),
    role(&[Key::char('4')], 3),
    role(&[Key::char('5')], 4),
    role(&[Key::char('6')], 5),
    role(&[Key::char('7')], 6),
    role(&[Key::char('8')], 7),
    role(&[Key::char('9')], 8),
];

const fn role(keys: &'static [Key], number: u8) -> Binding<Do> {
    Binding::new(
        keys,
        Do::Role(number),
        "role",
        "Gives the chosen host this role, or takes it away",
    )
}

/// The keys of the list of hosts to import.
pub(in crate::ui::tui::wizard) const IMPORT: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "host",
        "The host above",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "host",
        "The host below",
    ),
    Binding::new(
        &[Key::char(' ')],
        Do::Toggle,
        "choose",
        "Chooses the host, or not",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::Enter,
        "import",
        "Imports the chosen hosts",
    ),
    BACK,
];

/// The keys while it is shown who reaches whom.
pub(in crate::ui::tui::wizard) const PATHS: &[Binding<Do>] = &[
    Binding::new(
        &[Key::char('g'), Key::of(KeyCode::Enter)],
        Do::Paths,
        "try again",
        "Lets the hosts try each other again",
    ),
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "scroll",
        "Scrolls up",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "scroll",
        "Scrolls down",
    ),
    BACK,
];
