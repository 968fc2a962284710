//! The keys of the list of deployments: one table drives the handling, the key bar and the help.

use ratatui::crossterm::event::KeyCode;

use crate::ui::tui::keys::{Binding, Key};

/// What keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// The row above.
    Up,
    /// The row below.
    Down,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Open the chosen deployment.
    Open,
    /// Go on with the chosen draft.
    GoOn,
    /// Ask for a new one.
    New,
    /// See the last run again.
    Replay,
    /// Copy the chosen row.
    Copy,
    /// Leave.
    Leave,
}

/// All keys, the most important first.
pub(super) const TABLE: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "move",
        "Up",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "move",
        "Down",
    ),
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
        &[Key::of(KeyCode::Enter)],
        Do::Open,
        "open",
        "Its dashboard: hosts and services as they are now, what they print, and what can be done",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::GoOn,
        "go on",
        "Goes on with the answers where they were left",
    ),
    Binding::new(
        &[Key::char('n')],
        Do::New,
        "new",
        "Asks for a new deployment, page by page",
    ),
    Binding::new(
        &[Key::char('p')],
        Do::Replay,
        "play last run",
        "Plays the last run again, as it was seen",
    ),
    Binding::new(
        &[Key::char('c')],
        Do::Copy,
        "copy",
        "Copies the row to your clipboard, where the terminal allows it (OSC 52)",
    )
    .quiet(),
    Binding::new(
        &[Key::char('q'), Key::of(KeyCode::Esc)],
        Do::Leave,
        "leave",
        "Leaves the program",
    ),
];
