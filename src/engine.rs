//! Facts, preflight, plan, run and verify: decides what to do on hosts and does it, telling the story as events.
//!
//! The engine never prints and knows no terminal; it reaches hosts only through [`crate::transport`].

pub mod action;
pub mod adopt;
pub mod backups;
pub mod cancel;
pub mod compose;
pub mod delivery;
pub mod drift;
pub mod facts;
mod fan_out;
pub mod gather;
pub mod handover;
pub mod helm;
pub mod it_sheet;
pub mod judge;
pub mod lock;
pub mod materials;
mod mend;
pub mod plan;
pub mod planner;
pub mod preflight;
mod printed;
pub mod redact;
pub mod removal;
pub mod runbook;
pub mod runner;
pub mod session;
pub mod store;
pub mod support;
pub mod trial;
pub mod upgrade;
pub mod verify;
pub mod watch;
pub mod way_out;

#[cfg(test)]
mod local_shell;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod sample;
