//! Reading what programs on hosts print, and writing it down in order.
//!
//! - [`collect`] reads the containers of one host through its Docker: from a time on, or the last lines, to the end or as they come.
//! - [`files`] reads the files of a folder in a container, out of the archive that Docker makes of it.
//! - [`desk`] puts the records of many sources in the order of their times, in bounded memory.
//! - [`book`] is the file they end in.
//!
//! Nothing here knows a deployment, a screen or a secret: whoever calls it takes secrets out of lines before they are laid on the desk.

pub mod book;
pub mod collect;
pub mod desk;
pub mod files;
mod lines;
mod stamp;

pub use book::{Book, BookError};
pub use collect::{Collector, Go, Hands, Heard, Reach};
pub use desk::{Batch, Desk};
pub use lines::Ends;
pub use stamp::Stamps;
