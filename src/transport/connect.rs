//! Chooses how a host is reached: `local` is this machine, everything else goes over SSH.

use std::sync::Arc;

use super::local::{self, LocalHost};
use super::{ConnectSpec, Host, TransportError, ssh};
use crate::model::operator::Operator;

/// Returns the host, ready for commands.
///
/// # Errors
/// Fails when the host cannot be reached or does not let us in.
pub fn connect(
    spec: &ConnectSpec,
    operator: &dyn Operator,
) -> Result<Arc<dyn Host>, TransportError> {
    if spec.address == local::ADDRESS {
        return Ok(Arc::new(LocalHost::connect(spec, operator)?));
    }
    Ok(Arc::new(ssh::connect(spec, operator)?))
}
