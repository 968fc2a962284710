//! A list with one chosen entry. It keeps the choice; what the entries are stays with the screen.

use std::ops::Range;

/// The choice in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chosen {
    at: usize,
}

impl Chosen {
    /// Returns the place of the chosen entry among `count`; `None` of an empty list.
    #[must_use]
    pub fn of(self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.at.min(count - 1))
    }

    /// Chooses an entry by its place.
    pub fn choose(&mut self, at: usize) {
        self.at = at;
    }

    /// Moves by some entries, stopping at both ends.
    pub fn move_by(&mut self, steps: isize, count: usize) {
        let last = count.saturating_sub(1);
        self.at = self.at.min(last).saturating_add_signed(steps).min(last);
    }

    /// Moves to the next entry, and from the last to the first; backwards with `forward` false.
    pub fn cycle(&mut self, forward: bool, count: usize) {
        if count == 0 {
            return;
        }
        let at = self.at.min(count - 1);
        self.at = if forward {
            (at + 1) % count
        } else {
            (at + count - 1) % count
        };
    }

    /// Returns which of `count` entries are shown in `rows` rows: the chosen one always is.
    #[must_use]
    pub fn window(self, count: usize, rows: usize) -> Range<usize> {
        let at = self.at.min(count.saturating_sub(1));
        let begin = at.saturating_sub(rows / 2).min(count.saturating_sub(rows));
        begin..count.min(begin + rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moving_stops_at_the_ends_and_cycling_does_not() {
        let mut chosen = Chosen::default();
        chosen.move_by(-1, 3);
        assert_eq!(chosen.of(3), Some(0));
        chosen.move_by(9, 3);
        assert_eq!(chosen.of(3), Some(2));
        chosen.cycle(true, 3);
        assert_eq!(chosen.of(3), Some(0));
        chosen.cycle(false, 3);
        assert_eq!(chosen.of(3), Some(2));
        assert_eq!(chosen.of(0), None);
    }

    proptest! {
        #[test]
        fn the_chosen_entry_is_in_the_window(at in 0_usize..100, count in 1_usize..100, rows in 1_usize..50) {
            let chosen = Chosen { at };
            let window = chosen.window(count, rows);
            prop_assert!(window.contains(&chosen.of(count).unwrap()));
            prop_assert!(window.len() == rows.min(count));
        }
    }
}
