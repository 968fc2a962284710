//! The built binary from outside: cleared environment, temporary home; exit code, standard output and standard error together.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up must fail"
)]

mod cli {
    mod answers;
    mod basics;
    mod bundle;
    mod sandbox;
    mod terminal;
}
