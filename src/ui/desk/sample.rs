//! A desk in a folder of its own, with one small preset and hosts that answer as told, for tests of front ends.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::{Desk, Outfit};
use crate::engine::session::Connector;
use crate::engine::store::{DraftId, Home};
use crate::model::operator::Operator;
use crate::transport::{ConnectSpec, Host, TransportError};
use crate::wizard::Draft;

/// A folder with everything a desk needs.
pub(crate) struct Site {
    dir: tempfile::TempDir,
}

/// Hosts that nobody answers at.
struct Nowhere;

impl Connector for Nowhere {
    fn connect(
        &self,
        _spec: &ConnectSpec,
        _operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        Err(TransportError::Lost {
            detail: "nobody answers".to_owned(),
        })
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).unwrap().join(name)
    }

    pub(crate) fn desk_of(&self, draft: Draft) -> Desk {
        let outfit = Outfit {
            store: Home::new(self.path("home")).drafts(),
            images: self.path("home/images"),
            presets: vec![crate::wizard::sample::preset()],
            assets: crate::presets::Presets::new(None).assets(),
            asks_registries: false,
            connector: Arc::new(Nowhere),
            home: Some(self.path("")),
            is_set: |_| false,
            clock: || Timestamp::UNIX_EPOCH,
        };
        Desk::new(outfit, DraftId::new(Timestamp::UNIX_EPOCH, 1), draft)
    }

    /// Returns what is on disk.
    pub(crate) fn last_draft(&self) -> Option<Draft> {
        let drafts = Home::new(self.path("home")).drafts().all().unwrap();
        let saved = drafts.first()?;
        Some(Draft::from_text(&saved.text).unwrap())
    }
}

/// Returns a desk with a new draft.
pub(crate) fn desk(site: &Site) -> Desk {
    site.desk_of(Draft::new(site.path("")))
}
