//! Many cases on one site: a fleet and a deployment are dear, so what can share them does, and still each case is told by name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::site::Site;

/// A named case.
pub type Case = (&'static str, fn(&Site));

/// Runs the cases in order, tells how long each took, and ends the test when some failed, naming them.
///
/// A case that fails does not keep the next from running: each begins on a site that the one before has mended.
pub fn run(site: &Site, cases: &[Case]) {
    let mut failed = Vec::new();
    for (name, case) in cases {
        let began = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| case(site)));
        let verdict = if ended.is_ok() { "ok" } else { "FAILED" };
        eprintln!(
            "{verdict:6} {:5.1} s  {name}",
            began.elapsed().as_secs_f32()
        );
        if ended.is_err() {
            failed.push(*name);
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} cases failed: {failed:#?}",
        failed.len(),
        cases.len()
    );
}
