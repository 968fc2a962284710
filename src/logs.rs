//! Reading what containers print.
//!
//! [`collect`] reads the containers of one host through its Docker: from a time on, or the last lines, to the end or as they come. It knows no deployment, no
//! screen and no secret: whoever calls it gives the function that takes secrets out, and decides what becomes of the lines.

pub mod collect;
mod lines;

pub use collect::{Collector, Go, Hands, Reach};
