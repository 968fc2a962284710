//! The SSH transport against real sshd processes on loopback: each test starts its own, with its own keys and folders.
//!
//! They need root (for the test user and for sshd's privilege separation) and Debian's `openssh-server`, so they run with the feature `e2e`.

#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what broke by breaking"
)]

#[path = "ssh/commands.rs"]
mod commands;
#[path = "ssh/failures.rs"]
mod failures;
#[path = "ssh/forward.rs"]
mod forward;
#[path = "ssh/host_keys.rs"]
mod host_keys;
#[path = "ssh/jumps.rs"]
mod jumps;
#[path = "ssh/logins.rs"]
mod logins;
#[path = "ssh/roots.rs"]
mod roots;
#[path = "ssh/server.rs"]
mod server;
#[path = "ssh/streams.rs"]
mod streams;
#[path = "ssh/stress.rs"]
mod stress;
#[path = "ssh/user.rs"]
mod user;
