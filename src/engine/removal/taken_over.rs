//! What was set up by hand before us: it was never ours, so it stays whole, also where data goes.

use super::OnHost;
use super::record::Made;
use crate::engine::action::AnyAction;

impl OnHost<'_> {
    /// Names what stays of a project whose place a stack of ours took, and how it comes back.
    pub(super) fn taken_over(&mut self, made: &Made) {
        let AnyAction::RetireProject(retired) = &made.action else {
            return;
        };
        let volumes = self.seen.volumes.get(&retired.project);
        let data = volumes.map_or_else(String::new, |volumes| {
            format!(
                ", and its data in volume {}, which `--delete-data` leaves alone",
                volumes.join(", ")
            )
        });
        self.stays.push(format!(
            "the Compose project `{}`, which was taken over: its containers, its folder {}{data}; this brings it back: {}",
            retired.project,
            retired.folder,
            retired.way_back()
        ));
    }
}
