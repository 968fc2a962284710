//! The program's own log: `logs/installer.log` in its home, for its owner alone, two files of at most 10 MB.
//!
//! It says what the program did, never a secret: events, errors and decisions hold none, and nothing else is written here.

use std::io::{self, Write};
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::os::unix::fs::OpenOptionsExt;
use tracing_subscriber::EnvFilter;

use super::Session;
use crate::report::Volume;

/// At this size a new file is begun.
const MOST_BYTES: u64 = 10_000_000;

/// Names what is logged, in the form of `RUST_LOG`.
const FILTER: &str = "SYNTHO_INSTALLER_LOG";

/// Begins logging. Where the log cannot be written the program works without, and says so.
pub(super) fn begin(session: &Session) {
    let opened = session
        .home
        .logs()
        .map_err(|error| error.to_string())
        .and_then(|folder| {
            LogFile::open(folder.join("installer.log"), MOST_BYTES).map_err(|e| e.to_string())
        });
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            session
                .printer
                .note(&format!("note: working without a log file: {error}"));
            return;
        }
    };
    let level = match session.printer.volume() {
        Volume::Verbose => "debug",
        Volume::Normal | Volume::Quiet => "info",
    };
    let filter = EnvFilter::try_from_env(FILTER)
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,syntho_installer={level}")));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    // A second command in one process, as in tests, keeps the log of the first.
    if started.is_ok() {
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    }
}

/// A file that is set aside when it has grown too large.
#[derive(Debug)]
struct LogFile {
    path: Utf8PathBuf,
    file: fs_err::File,
    size: u64,
    most: u64,
}

impl LogFile {
    fn open(path: Utf8PathBuf, most: u64) -> io::Result<Self> {
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            size,
            most,
        })
    }

    /// Sets the full file aside, in place of the one before it, and begins a new one.
    fn turn(&mut self) -> io::Result<()> {
        fs_err::rename(&self.path, format!("{}.1", self.path))?;
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.most {
            self.turn()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file for appending that only its owner may read.
fn append(path: &Utf8Path) -> io::Result<fs_err::File> {
    fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_full_log_is_set_aside_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("installer.log")).unwrap();
        let mut log = LogFile::open(path.clone(), 10).unwrap();
        for line in ["one one\n", "two two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let old = fs_err::read_to_string(format!("{path}.1")).unwrap();
        assert_eq!(old, "two two\n");
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "three\n");
        let mode = fs_err::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_log_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("installer.log")).unwrap();
        for _ in 0..2 {
            let mut log = LogFile::open(path.clone(), 100).unwrap();
            log.write_all(b"line\n").unwrap();
        }
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "line\nline\n");
    }
}
