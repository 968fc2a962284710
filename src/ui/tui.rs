//! Full screens: one layout, one key table, one loop for everything that is shown on a whole terminal.
//!
//! # Parts
//!
//! - [`screen`]: the trait [`screen::Screen`], and what a screen can ask for ([`screen::Flow`]).
//! - [`app`]: a screen with dialogs, help and passing words; knows no terminal, so tests press keys and read frames.
//! - [`event_loop`]: drives an app on the real terminal; [`event_loop::show`] is all that a command calls.
//! - [`frame`]: title line, rail, page, key bar. [`keys`]: the key tables. [`theme`]: styles and signs. [`widgets`]: fields, lists, dialogs.
//! - [`run`]: the pages of a run, live or recorded. [`deployments`]: what is known on this machine. [`dashboard`]: how one deployment fares now.
//! - [`terminal`] and [`signals`]: the terminal is given back whatever happens.
//!
//! # How to add a screen
//!
//! 1. Make a type that holds what the screen shows and an enum of what its keys do, and implement [`screen::Screen`] for it. `draw` changes nothing and takes no
//!    lock; work goes on in other threads, and `turn` takes in what they have sent, a bounded amount at a time.
//! 2. Write every key into one `const` table of [`keys::Binding`]s and return those that work now from `bindings`, the most important first. Handling, key bar and help come from it alone.
//! 3. While a [`widgets::field::Field`] has the focus, return true from `typing`; characters then reach `typed`, pasted text reaches `pasted`.
//! 4. Ask for anything that cannot be taken back with [`screen::Flow::Ask`]; the dialog holds the action that a yes does.
//! 5. Text that somebody else wrote goes through [`crate::model::text::visible`] before it is drawn. [`theme::Look::finish`] is the net below, not the rope.
//! 6. Take styles from [`theme::Look`] and signs from [`theme::sign`]; never a colour alone.
//! 7. Test it through [`app::App`] at 80x24 and 120x40: keys in, screen out.
//!
//! A screen that has pages, as the wizard, is one [`screen::Screen`] that shows its pages in the rail and hands everything on to the page.

pub mod app;
pub mod dashboard;
pub mod deployments;
pub mod event_loop;
pub mod frame;
pub mod keys;
pub mod run;
pub mod screen;
pub mod signals;
pub mod terminal;
pub mod theme;
pub mod widgets;
pub mod wizard;

pub use app::{App, Effect};
pub use event_loop::{Left, TuiError, show};
pub use screen::{Dialog, Flow, Screen};
pub use theme::Look;

#[cfg(test)]
mod tests;
