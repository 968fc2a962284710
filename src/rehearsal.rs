//! The rehearsal: VMs in containers, their faults and stand-in images.
//!
//! A [`Fleet`] is a set of [`Vm`]s on a network of their own: real systemd, sshd, sudo and an inner Docker Engine with Compose,
//! in one privileged container each, cut off from everything but each other and the machine below. [`Engine`] finds or starts the
//! Docker Engine they run on and builds their images from Debian packages, so that no image registry is needed.
//!
//! Used by the command `demo` and by the end-to-end tests. Nothing of it is used on a customer's host, and it knows nothing of
//! presets or plans: what is deployed on the VMs is the business of whoever asks for them.

mod call;
mod engine;
mod error;
mod fault;
mod firewall;
mod fleet;
mod golden;
pub mod images;
mod network;
mod recipes;
mod registry;
mod spec;
mod vm;

pub use call::Output;
pub use engine::{Docker, Engine, Tell};
pub use error::RehearsalError;
pub use fault::Fault;
pub use fleet::Fleet;
pub use registry::Registry;
pub use spec::{AirGap, FleetSpec, InnerEngine, Keep, Reach, Sudo, VmSpec};
pub use vm::Vm;
