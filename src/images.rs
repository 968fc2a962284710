//! Image archives and how they reach a host.
//!
//! - [`bundle`]: reads archives as `docker save` and others make them, in one pass, and verifies every digest.
//! - [`blobs`]: the local store that a pass fills: layers compressed once, configurations as they are, by digest.
//! - [`matching`]: images found against images needed, and what may be meant where one is missing.
//! - [`registry`]: the store served to one host's Docker by the registry protocol, over streams that somebody else brings.
//! - [`partial`]: the same store as a `docker load` archive that leaves out what the host has.
//!
//! Nothing here reaches a host or decides what one needs; the engine does. No Docker is needed on the operator's machine.

pub mod blobs;
pub mod bundle;
mod digest;
mod error;
pub mod matching;
pub mod partial;
pub mod registry;

pub use digest::Digest;
pub use error::ImagesError;
