//! What a program on a host prints, in lines.

/// A line longer than this is cut, so that a program gone wild does not fill our memory.
const LONGEST: usize = 4096;

/// Bytes as lines, wherever they are cut.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes in bytes and returns the lines that they complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' || self.open.len() >= LONGEST {
                lines.push(self.close());
            }
            if byte != b'\n' {
                self.open.push(byte);
            }
        }
        lines
    }

    fn close(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned()
    }

    /// Returns the last line, when it did not end with a line break.
    pub(super) fn rest(&mut self) -> Option<String> {
        (!self.open.is_empty()).then(|| self.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_wherever_they_are_cut() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"one\ntw"), ["one"]);
        assert_eq!(lines.take(b"o\n\nrest"), ["two", ""]);
        assert_eq!(lines.take(&[b'x'; LONGEST]).len(), 1);
        assert!(lines.rest().is_some());
        assert_eq!(lines.rest(), None);
    }
}
