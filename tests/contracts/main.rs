//! The contracts with users: shipped presets, answers files, and what stands on hosts afterwards.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[cfg(feature = "e2e")]
mod accepted;
mod answers;
mod authenticators;
mod certificates;
#[cfg(feature = "e2e")]
mod compose_v2;
mod kubernetes;
mod launcher;
mod presets;
mod rendered;
mod support;
mod traps;
