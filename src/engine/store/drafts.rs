//! Drafts of deployments that are still being asked for: one private file each, replaced whole at every answer.
//!
//! What a draft says is the wizard's affair; here it is text. It never holds a secret, and it is kept private all the same: it names machines and people.

use std::fmt;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::{StoreError, private};

/// Names one draft; it stays the same until the draft is finished or thrown away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DraftId(String);

impl DraftId {
    /// Makes a new name from the time it began and something random.
    #[must_use]
    pub fn new(began: jiff::Timestamp, random: u16) -> Self {
        Self(format!("{}-{random:04x}", began.strftime("%Y%m%dT%H%M%SZ")))
    }
}

impl fmt::Display for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A draft as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDraft {
    /// Its name.
    pub id: DraftId,
    /// What it says.
    pub text: String,
    /// When it was last kept.
    pub saved: SystemTime,
}

/// The folder of drafts.
#[derive(Debug, Clone)]
pub struct DraftStore {
    home: Utf8PathBuf,
}

impl DraftStore {
    pub(super) fn new(home: &Utf8Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    fn folder(&self) -> Utf8PathBuf {
        self.home.join("drafts")
    }

    /// Returns where a draft is kept.
    #[must_use]
    pub fn path(&self, id: &DraftId) -> Utf8PathBuf {
        self.folder().join(format!("{id}.toml"))
    }

    /// Keeps a draft, replacing what it said before.
    ///
    /// # Errors
    /// Fails when it cannot be written; what was kept before is still whole then.
    pub fn save(&self, id: &DraftId, text: &str) -> Result<(), StoreError> {
        let path = self.path(id);
        if !self.folder().is_dir() {
            private::folder(&self.home)?;
            private::folder(&self.folder())?;
        }
        Ok(private::replace(&path, text.as_bytes())?)
    }

    /// Throws a draft away; one that is gone already is no error.
    ///
    /// # Errors
    /// Fails when it cannot be removed.
    pub fn remove(&self, id: &DraftId) -> Result<(), StoreError> {
        match fs_err::remove_file(self.path(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns every draft, the last one first.
    ///
    /// # Errors
    /// Fails when the folder cannot be read; a single draft that cannot is left out.
    pub fn all(&self) -> Result<Vec<SavedDraft>, StoreError> {
        let folder = self.folder();
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut drafts = Vec::new();
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            let Some(id) = entry.file_name().strip_suffix(".toml") else {
                continue;
            };
            match read(entry.path()) {
                Ok((text, saved)) => drafts.push(SavedDraft {
                    id: DraftId(id.to_owned()),
                    text,
                    saved,
                }),
                Err(error) => tracing::warn!(%id, %error, "left out of the list of drafts"),
            }
        }
        drafts.sort_by(|a, b| (b.saved, &b.id).cmp(&(a.saved, &a.id)));
        Ok(drafts)
    }
}

fn read(path: &Utf8Path) -> std::io::Result<(String, SystemTime)> {
    let text = fs_err::read_to_string(path)?;
    Ok((text, fs_err::metadata(path)?.modified()?))
}

#[cfg(test)]
mod tests {
    use super::super::Home;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_draft_is_kept_privately_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let store = Home::new(root.join("home")).drafts();
        assert_eq!(store.all().unwrap(), []);
        let began = "2026-11-20T12:00:00Z".parse().unwrap();
        let (one, two) = (DraftId::new(began, 1), DraftId::new(began, 2));
        assert_eq!(one.to_string(), "20261120T120000Z-0001");
        store.save(&one, "a = 1\n").unwrap();
        store.save(&one, "a = 2\n").unwrap();
        store.save(&two, "b = 1\n").unwrap();
        let mode = fs_err::metadata(store.path(&one))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let texts: Vec<String> = store.all().unwrap().into_iter().map(|d| d.text).collect();
        assert_eq!(texts, ["b = 1\n", "a = 2\n"]);
        store.remove(&two).unwrap();
        store.remove(&two).unwrap();
        assert_eq!(store.all().unwrap().len(), 1);
    }
}
