//! A judgement over TLS with its address and whom to trust settled.

use super::{Around, not_this_kind};
use crate::model::deployment::AnswerValue;
use crate::model::preset::HealthProbe;
use crate::model::resolve::ResolveError;
use crate::model::resolve::scope::Views;
use crate::model::resolved::{PlacedProbe, Trust};
use crate::model::template::Kind;

/// Settles where hands are shaken, and whose word counts.
pub(super) fn place(
    entry: &str,
    probe: &HealthProbe,
    views: &Views,
    around: &Around<'_>,
) -> Result<PlacedProbe, ResolveError> {
    let HealthProbe::Tls {
        address,
        port,
        name,
        certificate,
        answer,
        renew,
    } = probe
    else {
        return Err(not_this_kind(entry));
    };
    let text =
        |key: &str, template: &str| views.open(Kind::Text, &format!("{entry}.{key}"), template);
    let port = text("port", port)?;
    let port = port.trim().parse().map_err(|_| ResolveError::Preset {
        entry: entry.to_owned(),
        reason: format!("`{port}` is not a port"),
    })?;
    let issued = certificate.as_ref().and_then(|id| around.made.get(id));
    let file = answer
        .as_ref()
        .and_then(|id| around.deployment.answers.get(id));
    let trust = match (issued, file) {
        (Some(issued), _) => Trust::Own(issued.authority.clone()),
        (None, Some(AnswerValue::Text(path))) => {
            let chain = around.assets.operator_file(path);
            Trust::Chain(chain.map_err(|reason| ResolveError::File {
                path: path.clone(),
                reason,
            })?)
        }
        _ => Trust::Known,
    };
    let expected = match (issued, &trust) {
        (Some(issued), _) => Some(issued.certificate.clone()),
        (None, Trust::Chain(chain)) => Some(chain.clone()),
        _ => None,
    };
    Ok(PlacedProbe::Tls {
        address: text("address", address)?,
        port,
        name: text("name", name)?,
        trust,
        expected,
        renew: renew
            .as_ref()
            .map(|renew| text("renew", renew))
            .transpose()?,
    })
}
