//! Who holds a lock.

use std::fmt;

/// A process of a user on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// User at machine.
    pub name: String,
    /// Process id there.
    pub pid: u32,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Owner {
    /// Returns this process.
    #[must_use]
    pub fn this_process() -> Self {
        let user = ["USER", "LOGNAME"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()));
        let system = rustix::system::uname();
        let machine = system.nodename().to_string_lossy().into_owned();
        Self {
            name: one_word(&format!("{user}@{machine}")),
            pid: std::process::id(),
        }
    }

    /// Returns whether `other` is a process of the same user on the same machine that is gone.
    #[must_use]
    pub fn is_dead_sibling(&self, other: &Owner) -> bool {
        self.name == other.name && self.pid != other.pid && !is_alive(other.pid)
    }
}

/// Returns the text as one word, for a file of `name=value` lines.
fn one_word(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_graphic() && c != '\'' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Returns whether a process of this machine is there; one of another user counts.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        !matches!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dead_process_of_the_same_user_and_machine_is_a_dead_sibling() {
        let us = Owner::this_process();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let dead = Owner { pid, ..us.clone() };
        assert!(us.is_dead_sibling(&dead));
        assert!(!us.is_dead_sibling(&us));
        let elsewhere = Owner {
            name: "somebody@elsewhere".to_owned(),
            pid,
        };
        assert!(!us.is_dead_sibling(&elsewhere));
        let parent = Owner {
            pid: std::os::unix::process::parent_id(),
            ..us.clone()
        };
        assert!(!us.is_dead_sibling(&parent));
    }
}
