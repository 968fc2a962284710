//! Image archives and how they reach a host.
//!
//! - [`bundle`]: reads archives as `docker save` and others make them, in one pass, and verifies every digest.
//! - [`blobs`]: the local store that a pass fills: layers compressed once, configurations as they are, by digest.
//! - [`cargo`]: what of archives goes to a registry.
//! - [`client`]: asks registries from this machine: fetches images into the store, pushes those of archives.
//! - [`create`]: makes an archive from what was fetched, whole, in parts, or without what a site has.
//! - [`matching`]: images found against images needed, and what may be meant where one is missing.
//! - [`registry`]: the store served to one host's Docker by the registry protocol, over streams that somebody else brings.
//! - [`partial`]: the same store as a `docker load` archive that leaves out what the host has.
//!
//! Nothing here reaches a host or decides what one needs; the engine does. No Docker is needed on the operator's machine.

pub mod blobs;
pub mod bundle;
pub mod cargo;
pub mod client;
pub mod create;
mod digest;
mod error;
pub mod matching;
pub mod partial;
pub mod registry;

pub use digest::Digest;
pub use error::ImagesError;
