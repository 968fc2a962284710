//! Headless Chromium at the hub: `fixtures/hub/browser.py`, on this machine.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

/// Ends the test unless a browser that trusts this authority logs in and a cell of a new notebook says what it must.
#[track_caller]
pub fn opens_a_notebook(url: &str, ca: &str, name: &str, password: &str) {
    let home = tempfile::tempdir().unwrap();
    let said =
        json!({"url": url, "ca": ca, "name": name, "password": password, "home": home.path()});
    // Debian's own Python has Debian's packages.
    let mut browser = Command::new("/usr/bin/python3")
        .args(["-c", include_str!("../../fixtures/hub/browser.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = browser.stdin.take().unwrap();
    stdin.write_all(said.to_string().as_bytes()).unwrap();
    drop(stdin);
    let ended = browser.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(
        printed.trim(),
        "42",
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}
