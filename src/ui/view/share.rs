//! How much of something is done, as thousandths: whole numbers compare exactly and need no rounding.

use super::step::StepView;

/// A part of a whole in thousandths, never more than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Share(u16);

impl Share {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// Everything.
    pub const WHOLE: Self = Self(1000);

    /// Returns `done` of `total`; nothing of an empty whole.
    #[must_use]
    pub fn of(done: u64, total: u64) -> Self {
        let thousandths = (u128::from(done) * 1000)
            .checked_div(u128::from(total))
            .unwrap_or_default();
        Self(u16::try_from(thousandths.min(1000)).unwrap_or(1000))
    }

    /// Returns the share of steps together, each counted by the weight of its phase.
    #[must_use]
    pub fn weighted<'a>(steps: impl Iterator<Item = &'a StepView>) -> Self {
        let (done, total) = steps.fold((0, 0), |(done, total), step| {
            let weight = step.weight();
            (
                done + weight * u64::from(step.share().thousandths()),
                total + weight * 1000,
            )
        });
        Self::of(done, total)
    }

    /// Returns it in thousandths.
    #[must_use]
    pub fn thousandths(self) -> u16 {
        self.0
    }

    /// Returns it in percent, rounded down: 100 means all of it.
    #[must_use]
    pub fn percent(self) -> u16 {
        self.0 / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0, 0)]
    #[case(5, 0, 0)]
    #[case(1, 2, 50)]
    #[case(999, 1000, 99)]
    #[case(7, 5, 100)]
    #[case(u64::MAX, u64::MAX, 100)]
    fn shares(#[case] done: u64, #[case] total: u64, #[case] percent: u16) {
        assert_eq!(Share::of(done, total).percent(), percent);
    }
}
