//! One broken rule in a settings file: where, what, and what to write instead.
//!
//! All faults of a file are collected and shown together. A fault never holds the value of a secret. [`Faults`] is the error that carries them: it reads
//! like the first and has the others as its chain of sources, so that whoever prints an error with its causes prints them all.

use std::error::Error;
use std::fmt;

use super::source::{Place, SourceText};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key it is about, as a path: `answers.public-host`, `hosts[1].address`.
    pub at: String,
    /// The rule that was broken, in words.
    pub message: String,
    /// Something valid to write instead.
    pub example: Option<String>,
    /// Where the key stands, once that is known.
    pub place: Option<Box<Place>>,
    next: Option<Box<Fault>>,
}

impl Fault {
    /// Says that the value at `at` breaks a rule.
    #[must_use]
    pub fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            message: message.into(),
            example: None,
            place: None,
            next: None,
        }
    }

    /// Adds something valid to write instead.
    #[must_use]
    pub fn example(mut self, example: impl Into<String>) -> Self {
        self.example = Some(example.into());
        self
    }

    /// Adds where it stands.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// Finds the place of its key in `source`, when it has none yet.
    #[must_use]
    pub fn placed_in(mut self, source: &SourceText) -> Self {
        if self.place.is_none() {
            self.place = Some(Box::new(source.place_of(&self.at)));
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) if place.width == 0 => write!(f, "{}: ", place.file)?,
            Some(place) => write!(f, "{place}: ")?,
            None => {}
        }
        if !self.at.is_empty() {
            write!(f, "`{}`: ", self.at)?;
        }
        f.write_str(&self.message)?;
        if let Some(example) = &self.example {
            write!(f, "; for example `{example}`")?;
        }
        if let Some(place) = self.place.as_ref().filter(|place| place.width > 0) {
            write!(f, "\n{}", place.caret())?;
        }
        Ok(())
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as &dyn Error)
    }
}

/// All broken rules of one file; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    first: Box<Fault>,
    count: usize,
}

impl Faults {
    /// Gathers faults; `None` when there are none.
    #[must_use]
    pub fn gather(faults: Vec<Fault>) -> Option<Self> {
        let count = faults.len();
        let first = faults.into_iter().rev().fold(None, |next, mut fault| {
            fault.next = next;
            Some(Box::new(fault))
        })?;
        Some(Self { first, count })
    }

    /// Returns each fault in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        std::iter::successors(Some(self.first.as_ref()), |fault| fault.next.as_deref())
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Faults {
    /// Returns how many rules are broken, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.count {
            1 => "1 rule is broken".to_owned(),
            count => format!("{count} rules are broken"),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)
    }
}

impl Error for Faults {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_a_cause_of_the_error() {
        let faults = Faults::gather(vec![
            Fault::new("a", "one"),
            Fault::new("b", "two").example("2"),
        ])
        .unwrap();
        let mut causes = Vec::new();
        let mut cause: Option<&dyn Error> = Some(&faults);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        assert_eq!(causes, ["`a`: one", "`b`: two; for example `2`"]);
        assert_eq!(faults.summary(), "2 rules are broken");
        assert!(Faults::gather(Vec::new()).is_none());
    }
}
