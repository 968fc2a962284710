//! Builds the result of one check: what it is about first, the verdict last, so that no check forgets one.

use crate::model::check::{CheckResult, Opening, Verdict};
use crate::model::ids::HostName;

/// A result without its verdict.
#[derive(Debug, Clone)]
pub(super) struct Draft(CheckResult);

impl Draft {
    /// Begins a result; `host` is `None` for what concerns the whole deployment.
    pub(super) fn new(id: &str, title: &str, host: Option<&HostName>) -> Self {
        Self(CheckResult {
            id: id.to_owned(),
            host: host.cloned(),
            title: title.to_owned(),
            verdict: Verdict::Pass,
            found: String::new(),
            cause: None,
            remedy: None,
            command: None,
            opening: None,
            mends: false,
        })
    }

    /// Says why what was found is a problem.
    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says what to do.
    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Gives the exact command that does it.
    pub(super) fn command(mut self, command: impl Into<String>) -> Self {
        self.0.command = Some(command.into());
        self
    }

    /// Gives the exact command that mends it, which may be run for the operator: it asks nothing and deletes no data. What still needs something by
    /// hand says so behind a `#` and is only shown.
    pub(super) fn mended_by(mut self, command: impl Into<String>) -> Self {
        let command = command.into();
        self.0.mends = self.0.host.is_some() && !command.contains('#');
        self.command(command)
    }

    /// Names the network opening that is missing.
    pub(super) fn opening(mut self, opening: Opening) -> Self {
        self.0.opening = Some(opening);
        self
    }

    /// Ends it: fine.
    pub(super) fn pass(self, found: impl Into<String>) -> CheckResult {
        self.end(Verdict::Pass, found)
    }

    /// Ends it: it will work, but somebody should know.
    pub(super) fn warn(self, found: impl Into<String>) -> CheckResult {
        self.end(Verdict::Warn, found)
    }

    /// Ends it: it will not work.
    pub(super) fn fail(self, found: impl Into<String>) -> CheckResult {
        self.end(Verdict::Fail, found)
    }

    /// Ends it with a verdict decided elsewhere.
    pub(super) fn end(mut self, verdict: Verdict, found: impl Into<String>) -> CheckResult {
        self.0.verdict = verdict;
        self.0.found = found.into();
        self.0
    }
}
