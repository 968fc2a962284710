//! Ports that must, or must not, be open from somewhere.

use super::{Placed, not_this_kind, port_range, sources};
use crate::model::preset::HealthProbe;
use crate::model::resolve::ResolveError;
use crate::model::resolve::scope::Views;
use crate::model::resolved::PlacedProbe;
use crate::model::template::Kind;

/// Returns one probe for each host that connects and each that would listen.
pub(super) fn place(
    entry: &str,
    probe: &HealthProbe,
    views: &Views,
) -> Result<Vec<Placed>, ResolveError> {
    let HealthProbe::Port {
        from,
        to,
        port,
        open,
    } = probe
    else {
        return Err(not_this_kind(entry));
    };
    let mut placed = Vec::new();
    for from in sources(views, entry, from)? {
        for (to, view) in views.of_role(to) {
            let views = views.with("host", &view.value());
            let text = views.open(Kind::Text, &format!("{entry}.port"), port)?;
            let Some((port, _)) = port_range(entry, &text)? else {
                continue;
            };
            let from = from.map(|(name, _)| name.clone());
            if from.as_ref() == Some(to) {
                continue;
            }
            let sibling = from
                .as_ref()
                .map_or_else(|| to.to_string(), |from| format!("{from}-{to}"));
            let probe = PlacedProbe::Port {
                from,
                to: to.clone(),
                port,
                open: *open,
            };
            placed.push((Some(sibling), views, probe));
        }
    }
    Ok(placed)
}
