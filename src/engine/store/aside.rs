//! Records of deployments that were removed: put aside as they are, and found again for whoever asks for the same name.

use camino::Utf8PathBuf;

use super::{DeploymentFolder, Home, ReceiptStore, StoreError, private};
use crate::model::ids::{DeploymentName, RunId};

/// The folder of records that were put aside.
const REMOVED: &str = "removed";

impl Home {
    /// Returns the home in which `name` means the record of it that was put aside last; `None` when there is none.
    ///
    /// # Errors
    /// Fails when the folder cannot be read.
    pub fn with_removed(&self, name: &DeploymentName) -> Result<Option<Self>, StoreError> {
        let last = self.removed(name)?.pop();
        Ok(last.map(|path| Self {
            root: self.root.clone(),
            aside: Some((name.clone(), path)),
        }))
    }

    /// Returns the receipts of every deployment of this name that was removed, oldest first: what of it was left on purpose is ours still.
    ///
    /// # Errors
    /// Fails when the folder cannot be read.
    pub fn receipts_of_removed(
        &self,
        name: &DeploymentName,
    ) -> Result<Vec<ReceiptStore>, StoreError> {
        let folders = self.removed(name)?.into_iter();
        let receipts = folders.map(|path| ReceiptStore::new(path.join("receipts")));
        Ok(receipts.collect())
    }

    /// Returns the records of a name that were put aside, oldest first.
    fn removed(&self, name: &DeploymentName) -> Result<Vec<Utf8PathBuf>, StoreError> {
        let folder = self.root.join(REMOVED);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut found: Vec<Utf8PathBuf> = Vec::new();
        for entry in folder.read_dir_utf8()? {
            let path = entry?.into_path();
            let of_name = path
                .file_name()
                .and_then(|file| file.split_once('@'))
                .is_some_and(|(of, _)| of == name.as_str());
            if of_name {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

impl DeploymentFolder {
    /// Puts the record aside, named by the deployment and the run that removed it; returns where, and nothing when it was put aside before.
    ///
    /// # Errors
    /// Fails when it cannot be moved.
    pub fn put_aside(&self, run: &RunId) -> Result<Option<Utf8PathBuf>, StoreError> {
        let folder = self.home.join(REMOVED);
        if self.root.starts_with(&folder) {
            return Ok(None);
        }
        private::folder(&folder)?;
        let path = folder.join(format!("{}@{run}", self.name));
        fs_err::rename(&self.root, &path)?;
        Ok(Some(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_of_a_name_is_found_again_and_stays_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(Utf8PathBuf::from_path_buf(dir.path().join("home")).unwrap());
        let name: DeploymentName = "acme".parse().unwrap();
        assert!(home.with_removed(&name).unwrap().is_none());
        for (run, text) in [
            ("20261120T120000Z-0001", "old"),
            ("20261121T120000Z-0001", "new"),
        ] {
            let folder = home.deployment(&name);
            folder.save_answers(text).unwrap();
            folder.put_aside(&RunId(run.to_owned())).unwrap();
            assert!(home.known(&name).is_err());
        }
        let other = home.deployment(&"acme-2".parse().unwrap());
        other.save_answers("other").unwrap();
        other
            .put_aside(&RunId("20261122T120000Z-0001".to_owned()))
            .unwrap();

        let home = home.with_removed(&name).unwrap().unwrap();
        let folder = home.known(&name).unwrap();
        assert_eq!(
            fs_err::read_to_string(folder.answers_path()).unwrap(),
            "new"
        );
        assert_eq!(folder.put_aside(&RunId("x".to_owned())).unwrap(), None);
    }
}
