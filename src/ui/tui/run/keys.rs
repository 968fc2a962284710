//! The keys of a run's pages: one table, of which each page uses what makes sense there.

use ratatui::crossterm::event::KeyCode;

use crate::ui::tui::keys::{Binding, Key};

/// What keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// Accept the plan, or a host key.
    Yes,
    /// Refuse it.
    No,
    /// Give what was typed.
    Give,
    /// Go on without what was asked for.
    Without,
    /// Show a secret for a moment.
    Show,
    /// Try again what failed or was stopped.
    Retry,
    /// Ask whether to run the command that mends what failed.
    Mend,
    /// Run it.
    ReallyMend,
    /// Ask whether to go on without what failed.
    Skip,
    /// Go on without it.
    ReallySkip,
    /// Let nothing begin, or let it go on.
    Pause,
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
    /// The full log of the chosen host.
    Log,
    /// Every host at once, or the matrix.
    Tiles,
    /// Open or close a row.
    Fold,
    /// Open or close all rows.
    FoldAll,
    /// Begin to search.
    Search,
    /// End typing what is searched for.
    Found,
    /// Search no more.
    NotSearching,
    /// The next place.
    NextHit,
    /// The place before.
    HitBefore,
    /// Follow the newest line, or stand still.
    Follow,
    /// A shell on the chosen host.
    Shell,
    /// Copy to the clipboard.
    Copy,
    /// Save to a file.
    Save,
    /// The next page.
    NextPage,
    /// The page before.
    PageBefore,
    /// Back to the hosts.
    Back,
    /// Go to the answer that a failed check is about.
    MendAnswer,
    /// Go back to the wizard.
    Wizard,
    /// Leave, asking when something runs.
    Leave,
    /// Stop at the next safe point.
    StopSafely,
    /// Leave what runs to itself.
    LeaveAtOnce,
}

const UP: Key = Key::of(KeyCode::Up);
const DOWN: Key = Key::of(KeyCode::Down);
const ENTER: Key = Key::of(KeyCode::Enter);
const ESC: Key = Key::of(KeyCode::Esc);

/// All keys, the most important first.
pub(super) const TABLE: &[Binding<Do>] = &[
    Binding::new(
        &[Key::char('y')],
        Do::Yes,
        "yes",
        "Accepts the plan, or the host's key",
    ),
    Binding::new(
        &[Key::char('n')],
        Do::No,
        "no",
        "Refuses it; nothing is changed",
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
        &[Key::char('r')],
        Do::Retry,
        "try again",
        "Tries the chosen host again, and what waits for it; when the run is over, the same once more. What is done is left alone",
    ),
    Binding::new(
        &[Key::char('m')],
        Do::MendAnswer,
        "mend the answer",
        "Goes back to the wizard, to the answer that this is about",
    ),
    Binding::new(
        &[Key::char('w'), Key::char('q')],
        Do::Wizard,
        "back to the wizard",
        "Goes back to the wizard; nothing was changed",
    ),
    Binding::new(
        &[Key::char('f')],
        Do::Mend,
        "run the fix",
        "Shows the command that mends it and asks; it then runs on that host, and the host is tried again",
    ),
    Binding::new(
        &[Key::char('x')],
        Do::Skip,
        "skip",
        "Asks whether to go on without a judgement that failed and that nothing else needs",
    ),
    Binding::new(
        &[ENTER],
        Do::Found,
        "find",
        "Finds it, from the newest line backwards",
    ),
    Binding::new(&[ESC], Do::NotSearching, "back", "Ends the search"),
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
    Binding::new(
        &[Key::of(KeyCode::Left)],
        Do::Left,
        "",
        "Closes the row, or moves to the left",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::Right)],
        Do::Right,
        "",
        "Opens the row, or moves to the right",
    )
    .quiet(),
    Binding::new(&[ENTER], Do::Log, "log", "The full log of the chosen host"),
    Binding::new(
        &[Key::char('a')],
        Do::Tiles,
        "all",
        "Every host at once, or the table again",
    ),
    Binding::new(
        &[ENTER, Key::char(' ')],
        Do::Fold,
        "open",
        "Opens or closes the chosen row",
    ),
    Binding::new(
        &[Key::char('e')],
        Do::FoldAll,
        "open all",
        "Opens or closes all rows",
    ),
    Binding::new(
        &[Key::char('/')],
        Do::Search,
        "search",
        "Searches the log; in lower case it finds either case",
    ),
    Binding::new(
        &[Key::char('n')],
        Do::NextHit,
        "next",
        "The next place towards the newest line",
    ),
    Binding::new(
        &[Key::char('N')],
        Do::HitBefore,
        "before",
        "The place before",
    ),
    Binding::new(
        &[Key::char('f')],
        Do::Follow,
        "follow",
        "Follows the newest line, or stands still",
    ),
    Binding::new(
        &[Key::char('!')],
        Do::Shell,
        "shell",
        "A shell on the chosen host, in the deployment's folder; `exit` comes back",
    ),
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
        "Saves the same to a file and says where",
    ),
    Binding::new(
        &[Key::of(KeyCode::Tab)],
        Do::NextPage,
        "page",
        "The next page: hosts, checks, plan, result",
    ),
    Binding::new(
        &[Key::of(KeyCode::BackTab)],
        Do::PageBefore,
        "",
        "The page before",
    )
    .quiet(),
    Binding::new(
        &[Key::char('p')],
        Do::Pause,
        "pause",
        "Nothing new begins on any host until p is pressed again; what runs is finished. Leaving meanwhile is safe",
    ),
    Binding::new(&[ESC], Do::Back, "hosts", "Back to the hosts"),
    Binding::new(
        &[Key::char('q')],
        Do::Leave,
        "leave",
        "Leaves; while something runs it asks first",
    ),
];
