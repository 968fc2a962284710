//! `bundle create` and `bundle push` against a real registry (Debian's `docker-registry`), and against servers that misbehave as real ones do.
//!
//! Everything is on this machine's loopback; no Docker and no VM is needed.

#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests fail by panicking"
)]

mod create;
mod fake;
mod images;
mod parts;
mod program;
mod push;
mod relay;
mod server;
mod trouble;
mod typing;
