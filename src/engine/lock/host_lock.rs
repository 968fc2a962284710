//! The lock on one host: a file that is made atomically, beats, and is given back.

use std::collections::BTreeMap;

use super::{LockError, Owner, STALE, TakeOver};
use crate::engine::action::Rights;
use crate::model::ids::RunId;
use crate::transport::{Command, Host, TransportError};

/// Makes the file unless it is there; prints `taken`, or what is in it and the host's time.
///
/// Which folder above was not there before is noted beside it, so that whoever removes the last thing here leaves the host as it was found.
const TAKE: &str = r#"umask 022
above=$(dirname "$folder") made=
while [ ! -e "$above" ]; do made=$above; above=$(dirname "$above"); done
mkdir -p "$folder" || exit 1
umask 077
if [ -n "$made" ]; then printf '%s\n' "$made" >"$folder/.lock-made"; fi
if (set -C; printf '%s\nbeat=%s\n' "$content" "$(date +%s)" >"$folder/.lock") 2>/dev/null; then echo taken
elif [ -e "$folder/.lock" ]; then cat "$folder/.lock" && echo "now=$(date +%s)"
else echo "cannot write $folder/.lock" >&2; exit 1; fi
"#;

/// Removes a lock of another run, and only that: whoever comes second finds another run in it, or the gate shut.
const BREAK: &str = r#"gate="$folder/.lock-gate"
find "$gate" -maxdepth 0 -mmin +1 -exec rmdir {} \; 2>/dev/null
mkdir "$gate" 2>/dev/null || exit 0
if grep -qxF "run=$other" "$folder/.lock" 2>/dev/null; then rm -f "$folder/.lock"; fi
rmdir "$gate"
"#;

/// Beats while the lock is ours; prints `lost` when it is not.
const BEAT: &str = r#"if ! grep -qxF "run=$run" "$folder/.lock" 2>/dev/null; then echo lost; exit 0; fi
umask 077
printf '%s\nbeat=%s\n' "$content" "$(date +%s)" >"$folder/.lock-new" && mv "$folder/.lock-new" "$folder/.lock"
"#;

/// Gives the lock back, and the folder too when nothing else is in it, with those above that were made for it.
const RELEASE: &str = r#"if grep -qxF "run=$run" "$folder/.lock" 2>/dev/null; then rm -f "$folder/.lock" "$folder/.lock-new"; fi
[ "$(ls -A "$folder" 2>/dev/null)" = .lock-made ] || { rmdir "$folder" 2>/dev/null; exit 0; }
made=$(cat "$folder/.lock-made") && rm -f "$folder/.lock-made" && rmdir "$folder" || exit 0
above=$(dirname "$folder")
while case $above in "$made" | "$made"/*) : ;; *) false ;; esac; do rmdir "$above" 2>/dev/null || exit 0; above=$(dirname "$above"); done
"#;

/// What a host's lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// Who holds it.
    pub owner: Owner,
    /// The run it is for.
    pub run: String,
    /// Since when, UTC by the owner's clock.
    pub since: String,
    /// Seconds since the last heartbeat, by the host's clock.
    pub silent: u64,
}

/// The lock of one run on one host.
#[derive(Debug, Clone)]
pub struct HostLock {
    /// The deployment's folder on the host.
    pub folder: String,
    /// The run.
    pub run: RunId,
    /// Who we are.
    pub owner: Owner,
    /// Since when, for people.
    pub since: String,
    /// Whose rights write there.
    pub rights: Rights,
}

impl HostLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// Fails when somebody else holds it and lives, or the host cannot be worked on.
    pub fn take(&self, host: &dyn Host, take_over: TakeOver) -> Result<(), LockError> {
        // Between breaking a dead lock and taking it another may be quicker: then his is judged in turn.
        for _ in 0..3 {
            let Some(held) = self.try_take(host)? else {
                return Ok(());
            };
            if held.run == self.run.0 {
                return Ok(());
            }
            if !self.may_break(&held, take_over) {
                return Err(Self::refused(host, held));
            }
            self.run(host, BREAK, &[("other", &held.run)])?;
        }
        match self.try_take(host)? {
            None => Ok(()),
            Some(held) => Err(Self::refused(host, held)),
        }
    }

    /// Beats; returns whether the lock is still ours.
    ///
    /// # Errors
    /// Fails when the host cannot be worked on.
    pub fn beat(&self, host: &dyn Host) -> Result<bool, LockError> {
        Ok(self.run(host, BEAT, &[])? != "lost")
    }

    /// Gives the lock back; one that is not ours is left alone.
    ///
    /// # Errors
    /// Fails when the host cannot be worked on.
    pub fn release(&self, host: &dyn Host) -> Result<(), LockError> {
        self.run(host, RELEASE, &[]).map(drop)
    }

    fn may_break(&self, held: &LockFile, take_over: TakeOver) -> bool {
        take_over == TakeOver::Knowingly
            || held.silent >= STALE.as_secs()
            || self.owner.is_dead_sibling(&held.owner)
    }

    fn refused(host: &dyn Host, held: LockFile) -> LockError {
        LockError::Held {
            host: host.name().clone(),
            owner: held.owner.name,
            since: held.since,
            seconds: held.silent,
        }
    }

    /// Returns `None` when the lock is ours now, and what it says when it is another's.
    fn try_take(&self, host: &dyn Host) -> Result<Option<LockFile>, LockError> {
        let answer = self.run(host, TAKE, &[])?;
        Ok(if answer == "taken" {
            None
        } else {
            Some(parse(&answer))
        })
    }

    fn content(&self) -> String {
        format!(
            "owner={}\npid={}\nrun={}\nsince={}",
            self.owner.name, self.owner.pid, self.run, self.since
        )
    }

    fn run(
        &self,
        host: &dyn Host,
        script: &str,
        more: &[(&str, &str)],
    ) -> Result<String, LockError> {
        let failed = |source| LockError::Host {
            host: host.name().clone(),
            source: Box::new(source),
        };
        let content = self.content();
        let mut settings = String::new();
        let own = [
            ("folder", self.folder.as_str()),
            ("run", &self.run.0),
            ("content", &content),
        ];
        for (name, value) in own.iter().chain(more) {
            let value = shlex::try_quote(value).map_err(|_| failed(TransportError::Unquotable))?;
            settings.extend([name, "=", value.as_ref(), "\n"]);
        }
        let command = Command::sh(settings + script).with_privilege(self.rights.privilege());
        Ok(host.must(&command).map_err(failed)?.text())
    }
}

/// Reads a lock; what is missing in a broken one is taken for old.
fn parse(text: &str) -> LockFile {
    let values: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let word = |name: &str| values.get(name).copied().unwrap_or("unknown").to_owned();
    let time = |name: &str| values.get(name).and_then(|text| text.parse::<u64>().ok());
    LockFile {
        owner: Owner {
            name: word("owner"),
            pid: word("pid").parse().unwrap_or(0),
        },
        run: word("run"),
        since: word("since"),
        silent: match (time("now"), time("beat")) {
            (Some(now), Some(beat)) => now.saturating_sub(beat),
            _ => STALE.as_secs(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::Machine;
    use crate::model::failure::Hinted;

    fn lock(machine: &Machine, run: &str, owner: Owner) -> HostLock {
        HostLock {
            folder: machine.path("opt/acme"),
            run: RunId(run.to_owned()),
            owner,
            since: "2026-11-20 12:00 UTC".to_owned(),
            rights: Rights::Login,
        }
    }

    fn other() -> Owner {
        Owner {
            name: "eve@elsewhere".to_owned(),
            pid: 1,
        }
    }

    fn age(machine: &Machine, seconds: u64) {
        let path = machine.path("opt/acme/.lock");
        let text = fs_err::read_to_string(&path).unwrap();
        let aged: Vec<String> = text
            .lines()
            .map(|line| match line.strip_prefix("beat=") {
                Some(beat) => format!("beat={}", beat.parse::<u64>().unwrap() - seconds),
                None => line.to_owned(),
            })
            .collect();
        fs_err::write(&path, aged.join("\n") + "\n").unwrap();
    }

    #[test]
    fn a_live_lock_of_somebody_else_is_refused_with_who_and_what_to_do() {
        let machine = Machine::new();
        lock(&machine, "run-1", other())
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap();
        let error = lock(&machine, "run-2", Owner::this_process())
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(
                "eve@elsewhere works on this deployment on `ui` since 2026-11-20 12:00 UTC"
            ),
            "{text}"
        );
        assert!(error.hint().unwrap().contains("--take-over"));
    }

    #[test]
    fn it_can_be_taken_over_knowingly_and_the_first_notices() {
        let machine = Machine::new();
        let first = lock(&machine, "run-1", other());
        first.take(machine.host.as_ref(), TakeOver::No).unwrap();
        assert!(first.beat(machine.host.as_ref()).unwrap());
        let second = lock(&machine, "run-2", Owner::this_process());
        second
            .take(machine.host.as_ref(), TakeOver::Knowingly)
            .unwrap();
        assert!(!first.beat(machine.host.as_ref()).unwrap());
        first.release(machine.host.as_ref()).unwrap();
        assert!(second.beat(machine.host.as_ref()).unwrap());
    }

    #[test]
    fn one_whose_heart_stopped_is_taken() {
        let machine = Machine::new();
        lock(&machine, "run-1", other())
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap();
        let second = lock(&machine, "run-2", Owner::this_process());
        age(&machine, 59);
        assert!(second.take(machine.host.as_ref(), TakeOver::No).is_err());
        age(&machine, 2);
        second.take(machine.host.as_ref(), TakeOver::No).unwrap();
    }

    #[test]
    fn that_of_our_own_dead_process_is_taken_at_once() {
        let machine = Machine::new();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = Owner {
            pid: child.id(),
            ..Owner::this_process()
        };
        child.wait().unwrap();
        lock(&machine, "run-1", dead)
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap();
        lock(&machine, "run-2", Owner::this_process())
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap();
    }

    #[test]
    fn given_back_it_leaves_nothing() {
        let machine = Machine::new();
        let lock = lock(&machine, "run-1", other());
        lock.take(machine.host.as_ref(), TakeOver::No).unwrap();
        lock.take(machine.host.as_ref(), TakeOver::No).unwrap();
        lock.release(machine.host.as_ref()).unwrap();
        lock.release(machine.host.as_ref()).unwrap();
        assert!(!std::path::Path::new(&machine.path("opt/acme")).exists());
    }

    #[test]
    fn the_folders_above_go_with_it_when_they_were_made_for_it_and_hold_nothing_else() {
        let machine = Machine::new();
        let mut lock = lock(&machine, "run-1", other());
        lock.folder = machine.path("opt/base/acme");
        lock.take(machine.host.as_ref(), TakeOver::No).unwrap();
        // In between something stood there: only the last one to go takes the folders away.
        fs_err::write(machine.path("opt/base/acme/file"), "").unwrap();
        lock.release(machine.host.as_ref()).unwrap();
        assert!(std::path::Path::new(&machine.path("opt/base/acme/file")).exists());
        lock.take(machine.host.as_ref(), TakeOver::No).unwrap();
        fs_err::remove_file(machine.path("opt/base/acme/file")).unwrap();
        lock.release(machine.host.as_ref()).unwrap();
        assert!(!std::path::Path::new(&machine.path("opt")).exists());

        fs_err::create_dir_all(machine.path("opt")).unwrap();
        lock.take(machine.host.as_ref(), TakeOver::No).unwrap();
        lock.release(machine.host.as_ref()).unwrap();
        assert!(std::path::Path::new(&machine.path("opt")).exists());
        assert!(!std::path::Path::new(&machine.path("opt/base")).exists());
    }

    #[test]
    fn a_broken_lock_is_taken_for_old() {
        let machine = Machine::new();
        fs_err::create_dir_all(machine.path("opt/acme")).unwrap();
        fs_err::write(machine.path("opt/acme/.lock"), "run=x\n").unwrap();
        lock(&machine, "run-2", other())
            .take(machine.host.as_ref(), TakeOver::No)
            .unwrap();
    }
}
