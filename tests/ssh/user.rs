//! A login of one's own on this machine, removed again.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The password that every such login has.
pub(crate) const PASSWORD: &str = "correct horse 'battery' $taple";

/// A login; removed on drop.
pub(crate) struct User {
    pub(crate) name: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Runs a program that others may run too, again while it finds the user database locked.
fn insist(program: &str, arguments: &[&str]) -> Output {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let output = Command::new(program).args(arguments).output().unwrap();
        let locked = String::from_utf8_lossy(&output.stderr).contains("lock");
        if output.status.success() || !locked || Instant::now() > deadline {
            return output;
        }
        std::thread::yield_now();
    }
}

impl User {
    /// Makes a login with a home folder and a shell.
    pub(crate) fn new(home: &Path, shell: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("sit-{}-{number}", std::process::id());
        let hash = Command::new("openssl")
            .args(["passwd", "-6", PASSWORD])
            .output()
            .unwrap();
        let hash = String::from_utf8(hash.stdout).unwrap();
        let home = home.to_str().unwrap();
        let output = insist(
            "useradd",
            &["-M", "-d", home, "-s", shell, "-p", hash.trim(), &name],
        );
        assert!(output.status.success(), "{output:?}");
        Self { name }
    }
}

impl User {
    /// Lets it become root by sudo, by this rule.
    pub(crate) fn may_sudo(&self, rule: &str) {
        fs_err::write(self.sudoers(), format!("{} ALL=(ALL) {rule}\n", self.name)).unwrap();
    }

    fn sudoers(&self) -> String {
        format!("/etc/sudoers.d/{}", self.name)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // Most have none.
        let _ = fs_err::remove_file(self.sudoers());
        insist("userdel", &["-f", &self.name]);
    }
}
