//! The keys of a dashboard: one table, of which each page uses what makes sense there.
//!
//! What else can be done with a deployment by a command is one more row here and one more [`super::Order`].

use ratatui::crossterm::event::KeyCode;

use super::Order;
use crate::ui::tui::keys::{Binding, Key};

/// What keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// Accept a host key.
    Yes,
    /// Refuse it.
    No,
    /// Give what was typed.
    Give,
    /// Go on without what was asked for.
    Without,
    /// Show a secret for a moment.
    Show,
    /// End typing what is searched for, or what lines must hold.
    Typed,
    /// Forget what is being typed.
    NotTyped,
    /// The entry above.
    Up,
    /// The entry below.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// The first entry.
    First,
    /// The last entry, or the newest line.
    Last,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// The host above.
    HostBefore,
    /// The host below.
    NextHost,
    /// The log of the chosen service or host.
    Log,
    /// The log of everything.
    AllLogs,
    /// Begin to search.
    Search,
    /// The next place.
    NextHit,
    /// The place before.
    HitBefore,
    /// Follow the newest line, or stand still.
    Follow,
    /// Begin to type what lines must hold.
    Filter,
    /// Only the lines of one service, then of the next.
    OneService,
    /// Read every host now.
    Refresh,
    /// Judge everything.
    Verify,
    /// Deploy again.
    Deploy,
    /// Another command.
    Order(Order),
    /// Where it can be used, and the record.
    Access,
    /// A shell on the chosen host.
    Shell,
    /// Copy to the clipboard.
    Copy,
    /// Save to a file.
    Save,
    /// Back to where one came from.
    Back,
    /// Leave the program.
    Leave,
}

const UP: Key = Key::of(KeyCode::Up);
const DOWN: Key = Key::of(KeyCode::Down);
const ENTER: Key = Key::of(KeyCode::Enter);
const ESC: Key = Key::of(KeyCode::Esc);

/// All keys, the most important first.
pub(super) const TABLE: &[Binding<Do>] = &[
    Binding::new(&[Key::char('y')], Do::Yes, "yes", "It is the host's key"),
    Binding::new(
        &[Key::char('n')],
        Do::No,
        "no",
        "It is not, or nobody knows: the host is left alone",
    ),
    Binding::new(&[ENTER], Do::Give, "give", "Gives what was typed"),
    Binding::new(&[ESC], Do::Without, "without", "Goes on without it"),
    Binding::new(
        &[Key::ctrl('r')],
        Do::Show,
        "show",
        "Shows the secret while the key is held",
    ),
    Binding::new(
        &[ENTER],
        Do::Typed,
        "done",
        "Searches, or filters, for what was typed",
    ),
    Binding::new(&[ESC], Do::NotTyped, "back", "Leaves it as it was"),
    Binding::new(&[UP, Key::char('k')], Do::Up, "move", "Up"),
    Binding::new(&[DOWN, Key::char('j')], Do::Down, "move", "Down"),
    Binding::new(&[Key::of(KeyCode::PageUp)], Do::PageUp, "", "A page up").quiet(),
    Binding::new(
        &[Key::of(KeyCode::PageDown)],
        Do::PageDown,
        "",
        "A page down",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::Home), Key::char('g')],
        Do::First,
        "",
        "To the beginning",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::End), Key::char('G')],
        Do::Last,
        "",
        "To the end",
    )
    .quiet(),
    Binding::new(&[Key::of(KeyCode::Left)], Do::Left, "", "To the left").quiet(),
    Binding::new(&[Key::of(KeyCode::Right)], Do::Right, "", "To the right").quiet(),
    Binding::new(&[Key::of(KeyCode::Tab)], Do::NextHost, "", "The next host").quiet(),
    Binding::new(
        &[Key::of(KeyCode::BackTab)],
        Do::HostBefore,
        "",
        "The host before",
    )
    .quiet(),
    Binding::new(
        &[ENTER],
        Do::Log,
        "log",
        "What the chosen service prints, or every service of the chosen host",
    ),
    Binding::new(
        &[Key::char('a')],
        Do::AllLogs,
        "all logs",
        "What every service prints",
    ),
    Binding::new(
        &[Key::char('f')],
        Do::Follow,
        "follow",
        "Stands still, or follows the newest line again",
    ),
    Binding::new(
        &[Key::char('/')],
        Do::Search,
        "search",
        "Searches the log; in lower case it finds either case",
    ),
    Binding::new(
        &[Key::char('t')],
        Do::Filter,
        "filter",
        "Shows only lines that hold a text; an empty one shows all again",
    ),
    Binding::new(
        &[Key::char('o')],
        Do::OneService,
        "one service",
        "Shows only the lines of one service, then of the next, then all again",
    ),
    Binding::new(
        &[Key::char('n')],
        Do::NextHit,
        "",
        "The next place towards the newest line",
    )
    .quiet(),
    Binding::new(&[Key::char('N')], Do::HitBefore, "", "The place before").quiet(),
    Binding::new(&[ESC], Do::Back, "back", "Back to where you came from"),
    Binding::new(
        &[Key::char('v')],
        Do::Verify,
        "verify",
        "Judges everything now, as `verify` does, and comes back",
    ),
    Binding::new(
        &[Key::char('d')],
        Do::Deploy,
        "repair",
        "Deploys again, as `deploy` does: shows what would be changed, asks, and comes back",
    ),
    Binding::new(
        &[Key::char('e')],
        Do::Access,
        "addresses",
        "Where it can be used, and the hand-over record",
    ),
    Binding::new(
        &[Key::char('!')],
        Do::Shell,
        "shell",
        "A shell on the chosen host, in the deployment's folder; `exit` comes back",
    ),
    Binding::new(
        &[Key::char('r')],
        Do::Refresh,
        "read now",
        "Reads every host now, also one that waits for its next try",
    ),
    Binding::new(
        &[Key::char('l')],
        Do::Order(Order::Logs),
        "gather",
        "Gathers the logs of everything into syntho_logs.log, as `logs` does",
    ),
    Binding::new(
        &[Key::char('S')],
        Do::Order(Order::Support),
        "support",
        "Packs an archive for support and says what may be wrong, as `support` does",
    ),
    Binding::new(
        &[Key::char('b')],
        Do::Order(Order::Backup),
        "backup",
        "Saves the data into a folder here, as `backup` does",
    ),
    Binding::new(
        &[Key::char('u')],
        Do::Order(Order::Upgrade),
        "upgrade",
        "Asks for a release, shows what it changes and brings it, as `upgrade` does",
    ),
    Binding::new(
        &[Key::char('U')],
        Do::Order(Order::Rollback),
        "",
        "Comes back from the last upgrade, data included, as `rollback` does",
    )
    .quiet(),
    Binding::new(
        &[Key::char('D')],
        Do::Order(Order::Destroy),
        "",
        "Shows what removing it takes away and what stays, and asks, as `destroy` does",
    )
    .quiet(),
    Binding::new(
        &[Key::char('c')],
        Do::Copy,
        "copy",
        "Copies to your clipboard, where the terminal allows it (OSC 52)",
    ),
    Binding::new(
        &[Key::char('s')],
        Do::Save,
        "save",
        "Saves the log to a file and says where",
    ),
    Binding::new(&[Key::char('q')], Do::Leave, "leave", "Leaves the program"),
];
