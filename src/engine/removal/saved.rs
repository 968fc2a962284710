//! What an interrupted backup or restore has left on a host.

use super::record::Made;
use super::{Data, OnHost};
use crate::model::plan::Phase;

impl OnHost<'_> {
    /// What was saved of data is data, too.
    pub(super) fn saved(&mut self, made: &Made) {
        let folder = format!("{}/.saved", self.removal.folder);
        let entries = self.seen.entries.get(self.removal.folder);
        let there = entries.is_some_and(|entries| entries.iter().any(|name| name == ".saved"));
        if self.removal.data == Data::Delete {
            let id = self.undo(made, Phase::Files, self.stopped.iter().cloned().collect());
            self.going.insert(folder, id);
        } else if there && self.ours.insert(folder.clone()) {
            self.stays.push(format!(
                "what was saved of its data, in {folder}: `--delete-data` deletes it"
            ));
        }
    }
}
