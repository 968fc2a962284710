//! End to end: the built program against VMs with real sshd, Docker and Compose, deploying the real Ray, PostgreSQL and Redis.
//!
//! Each test has a fleet of its own, drives the program only through its command line, and looks at the VMs behind its back.
#![cfg(feature = "e2e")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test ends at the first surprise and says on the way what it saw"
)]
#![expect(
    unreachable_pub,
    reason = "nobody is outside a test binary; `pub` says what its modules offer each other"
)]

mod adopt;
mod backup;
mod bad_input;
mod bundle;
mod bundle_create;
mod bundle_engines;
mod bundle_limits;
mod canary;
mod cases;
mod dashboard;
mod deploy;
mod destroy;
mod drift;
mod external;
mod hub;
mod journey;
mod kubernetes;
mod launcher;
mod logs;
mod one_vm;
mod program;
mod prune;
#[path = "../terminal/pty.rs"]
#[expect(dead_code, reason = "what only the terminal's own tests need")]
mod pty;
mod redis_gate;
mod registry;
mod resume;
mod screens;
mod shop;
mod site;
mod still;
mod support;
mod swarm;
#[path = "../wizard/terminal.rs"]
#[expect(dead_code, reason = "what only the wizard's own tests need")]
mod terminal;
mod through;
mod tls;
mod topology;
mod trouble;
mod tutorial;
mod upgrade;
