//! What the wizard's keys do, page by page: the tables that handling, key bar and help come from.

mod hosts;

use ratatui::crossterm::event::KeyCode;

use crate::ui::tui::keys::{Binding, Key};
pub(super) use hosts::{HOSTS, IMPORT, PATHS, ROLES, needs_host};

/// What a key of the wizard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// The row below.
    Down,
    /// The row above.
    Up,
    /// Accepts and goes on.
    Enter,
    /// Back, losing nothing.
    Back,
    /// The next page.
    NextPage,
    /// The page before.
    PreviousPage,
    /// Tells everything of a field.
    Explain,
    /// Takes what is proposed.
    Propose,
    /// The next way to give a secret.
    Source,
    /// Shows a secret while the key is held.
    Show,
    /// Completes a path, or goes on where there is nothing to complete.
    Tab,
    /// The next choice.
    Right,
    /// The choice before.
    Left,
    /// Adds a host.
    Add,
    /// Adds a copy of a host.
    Duplicate,
    /// Asks whether to remove a host.
    Remove,
    /// Removes a host.
    ReallyRemove,
    /// Tells how to paste a list.
    Paste,
    /// Offers the hosts of `~/.ssh/config`.
    Import,
    /// Chooses a host to import, or not.
    Toggle,
    /// Tries a host now.
    Try,
    /// Tries all hosts now.
    TryAll,
    /// Shows who reaches whom, and tries it.
    Paths,
    /// Opens how to log in.
    Login,
    /// Gives a role or takes it away.
    Role(u8),
    /// Opens the question that waits.
    Answer,
    /// Says that a host key is the host's own.
    Trust,
    /// Says that it is not.
    Distrust,
    /// Writes the answers file.
    Write,
    /// Writes it and checks the hosts.
    Check,
    /// Writes it and shows the plan.
    Plan,
    /// Writes it and deploys.
    Deploy,
    /// Writes over the file that is there.
    Overwrite,
    /// Leaves; the draft is kept.
    Leave,
    /// Leaves and throws the draft away.
    Discard,
}

const UP: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Up), Key::of(KeyCode::BackTab)],
    Do::Up,
    "field",
    "The field above; what was typed is kept",
);
const DOWN: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Down)],
    Do::Down,
    "field",
    "The field below; what was typed is kept",
);
const TAB: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Tab)],
    Do::Tab,
    "complete",
    "Completes the path of a file; elsewhere the field below",
)
.quiet();
const ENTER: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Enter)],
    Do::Enter,
    "accept",
    "Accepts the field and goes to the next; behind the last one the next page",
);
const NEXT: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::PageDown), Key::ctrl('n')],
    Do::NextPage,
    "page",
    "The next page; this one may be left unfinished",
);
const PREVIOUS: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::PageUp), Key::ctrl('p')],
    Do::PreviousPage,
    "page",
    "The page before",
);
const BACK: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Esc)],
    Do::Back,
    "back",
    "Back; nothing is lost",
);
const EXPLAIN: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::F(2))],
    Do::Explain,
    "explain",
    "Tells everything of this field",
);
const PROPOSE: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::F(3))],
    Do::Propose,
    "take proposal",
    "Takes the value that is proposed from what the hosts are",
);
const ANSWER: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::F(4))],
    Do::Answer,
    "answer the host",
    "Opens the question that came up while a host is tried",
);
const SOURCE: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::F(5))],
    Do::Source,
    "other source",
    "Gives the secret another way: typed, from the environment, a file or a command",
);
const SHOW: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::F(8)), Key::ctrl('r')],
    Do::Show,
    "show",
    "Shows what was typed as long as the key is held",
);
const LEFT: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Left)],
    Do::Left,
    "choose",
    "The choice before",
);
const RIGHT: Binding<Do> = Binding::new(
    &[Key::of(KeyCode::Right), Key::char(' ')],
    Do::Right,
    "choose",
    "The next choice",
);

/// What a form has beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// A text.
    Text,
    /// A text with a proposal.
    Proposed,
    /// A choice.
    Choice,
    /// A secret.
    Secret,
    /// Nothing at all.
    Nothing,
}

/// Returns the keys of a form whose focus is on such a field.
pub(super) fn form(on: On) -> Vec<Binding<Do>> {
    let mut keys = vec![UP, DOWN];
    match on {
        On::Choice => keys.extend([LEFT, RIGHT]),
        On::Secret => keys.extend([SOURCE, SHOW]),
        On::Proposed => keys.push(PROPOSE),
        On::Text | On::Nothing => {}
    }
    keys.extend([ENTER, NEXT, PREVIOUS, EXPLAIN, BACK, TAB]);
    keys
}

/// The keys of the cards.
pub(super) const CARDS: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "choose",
        "The card above",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "choose",
        "The card below; behind the last one the name",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter), Key::char(' ')],
        Do::Enter,
        "take it",
        "Takes this and goes to the name",
    ),
    NEXT,
    Binding::new(
        &[Key::of(KeyCode::Esc)],
        Do::Back,
        "leave",
        "Asks whether to leave; every answer is kept",
    ),
    TAB,
];

/// Returns the key that opens the question that waits.
pub(super) fn answer() -> Binding<Do> {
    ANSWER
}

/// The keys while one line is asked for above the page.
pub(super) const LINE: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::Enter,
        "accept",
        "Accepts what was typed",
    ),
    Binding::new(
        &[Key::of(KeyCode::F(8)), Key::ctrl('r')],
        Do::Show,
        "show",
        "Shows what was typed as long as the key is held",
    )
    .quiet(),
    BACK,
];

/// The keys of the review while something is wrong or missing.
pub(super) const UNFINISHED: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "entry",
        "The entry above",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "entry",
        "The entry below",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::Enter,
        "go there",
        "Goes to the field that the entry is about",
    ),
    Binding::new(
        &[Key::of(KeyCode::PageUp), Key::of(KeyCode::Esc)],
        Do::PreviousPage,
        "page before",
        "The page before",
    ),
];

/// The keys of the review when all is said.
pub(super) const WHOLE: &[Binding<Do>] = &[
    Binding::new(
        &[Key::char('c')],
        Do::Check,
        "check",
        "Writes the answers file and checks the hosts; nothing is changed there, and a sheet for the customer's IT is written",
    ),
    Binding::new(
        &[Key::char('p')],
        Do::Plan,
        "plan",
        "Writes the answers file and shows what would be changed",
    ),
    Binding::new(
        &[Key::char('d'), Key::of(KeyCode::Enter)],
        Do::Deploy,
        "deploy",
        "Writes the answers file, shows the plan, and deploys once you accept it",
    ),
    Binding::new(
        &[Key::char('w')],
        Do::Write,
        "write",
        "Writes the answers file and leaves",
    ),
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "scroll",
        "Scrolls the answers up",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "scroll",
        "Scrolls the answers down",
    ),
    Binding::new(
        &[Key::of(KeyCode::PageUp), Key::of(KeyCode::Esc)],
        Do::PreviousPage,
        "page before",
        "The page before",
    ),
];
