//! Receipts of a deployment, one file a run.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StoreError, private};
use crate::model::ids::RunId;
use crate::model::receipt::Receipt;

/// The folder of receipts; a run's id begins with its time, so names sort by time.
#[derive(Debug, Clone)]
pub struct ReceiptStore {
    folder: Utf8PathBuf,
}

impl ReceiptStore {
    /// Returns the receipts in `folder`.
    #[must_use]
    pub fn new(folder: Utf8PathBuf) -> Self {
        Self { folder }
    }

    /// Saves a receipt, whole or not at all.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save<A: Serialize>(&self, receipt: &Receipt<A>) -> Result<(), StoreError> {
        private::folder(&self.folder)?;
        let text = serde_json::to_vec_pretty(receipt).map_err(|error| StoreError::Unwritable {
            what: "the receipt",
            detail: error.to_string(),
        })?;
        Ok(private::replace(&self.path(&receipt.run), &text)?)
    }

    /// Returns the runs that left a receipt, oldest first.
    ///
    /// # Errors
    /// Fails when the folder cannot be read.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut runs = Vec::new();
        for entry in self.folder.read_dir_utf8()? {
            let entry = entry?;
            if let Some(run) = entry.file_name().strip_suffix(".json") {
                runs.push(RunId(run.to_owned()));
            }
        }
        runs.sort();
        Ok(runs)
    }

    /// Returns the receipt of a run.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn load<A: DeserializeOwned>(&self, run: &RunId) -> Result<Receipt<A>, StoreError> {
        parse(&self.path(run))
    }

    /// Returns every receipt, oldest first.
    ///
    /// # Errors
    /// Fails when one cannot be read.
    pub fn all<A: DeserializeOwned>(&self) -> Result<Vec<Receipt<A>>, StoreError> {
        self.runs()?.iter().map(|run| self.load(run)).collect()
    }

    /// Returns the receipt of the last run, when there is one.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn last<A: DeserializeOwned>(&self) -> Result<Option<Receipt<A>>, StoreError> {
        self.runs()?.last().map(|run| self.load(run)).transpose()
    }

    fn path(&self, run: &RunId) -> Utf8PathBuf {
        self.folder.join(format!("{run}.json"))
    }
}

fn parse<A: DeserializeOwned>(path: &Utf8Path) -> Result<Receipt<A>, StoreError> {
    let bytes = fs_err::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| StoreError::Unreadable {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(run: &str) -> Receipt<String> {
        Receipt {
            version: 1,
            run: RunId(run.to_owned()),
            deployment: "acme".parse().unwrap(),
            preset: "syntho-app-ray".parse().unwrap(),
            installer: "0.1.0".to_owned(),
            began: "2026-11-20T12:00:00Z".parse().unwrap(),
            ended: None,
            outcome: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn the_last_run_is_the_one_with_the_latest_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let store = ReceiptStore::new(root.join("receipts"));
        assert_eq!(store.last::<String>().unwrap(), None);
        for run in ["20261120T120000Z-ffff", "20261121T090000Z-0000"] {
            store.save(&receipt(run)).unwrap();
        }
        assert_eq!(
            store.last::<String>().unwrap().unwrap().run.0,
            "20261121T090000Z-0000"
        );
        assert_eq!(store.runs().unwrap().len(), 2);
    }

    #[test]
    fn a_broken_receipt_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        fs_err::write(root.join("r.json"), "{").unwrap();
        let error = ReceiptStore::new(root).last::<String>().unwrap_err();
        assert!(error.to_string().contains("r.json"));
    }
}
