//! The wizard in the built binary, on a terminal of its own: plain questions, full screens, and what is left after a kill.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[path = "wizard/plain.rs"]
mod plain;
#[path = "wizard/screens.rs"]
mod screens;
#[path = "wizard/terminal.rs"]
mod terminal;
