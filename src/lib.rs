//! `syntho-installer`: checks, deploys, verifies and looks after the Syntho platform on a customer's own machines, over SSH.
//!
//! The map, top to bottom; each layer may use the ones below it and nothing else (`tests/layers.rs` keeps it so):
//!
//! - [`cli`], [`commands`], [`report`]: the command line, what each command does, and how errors read.
//! - [`ui`]: front ends. They fold events into one view and draw it; they know nothing of SSH or Docker.
//! - [`engine`]: facts, preflight, plan, run, verify. It tells what it does as events and never prints.
//! - [`images`], [`logs`], [`transport`]: image archives, log collection, and how a host is reached.
//! - [`wizard`]: which question comes next; no terminal.
//! - [`presets`], [`settings`]: presets and assets as files, and flags, answers and preset merged into one checked [`model::deployment::Deployment`].
//! - [`model`]: the words of the product as data with their rules; no input or output.
//! - [`rehearsal`]: VMs in containers with stand-in images, for `demo` and the end-to-end tests.

pub mod cli;
pub mod commands;
pub mod engine;
pub mod images;
pub mod logs;
pub mod model;
pub mod presets;
pub mod rehearsal;
pub mod report;
pub mod settings;
pub mod transport;
pub mod ui;
pub mod wizard;
