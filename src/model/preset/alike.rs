//! Images that must say the same of themselves.

use serde::{Deserialize, Serialize};

use crate::model::ids::ImageId;

/// What must be the same in several images on all hosts, such as the release of something whose releases do not work together.
///
/// Asked before an upgrade stops anything, wherever images come from: a tag need not say what is in an image, and a label need not be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alike {
    /// What is the same, such as "The release of Ray".
    pub title: String,
    /// The images.
    pub images: Vec<ImageId>,
    /// The program that tells it in a container of such an image, without network; the last line it prints counts. An image in which it fails tells nothing.
    pub run: Vec<String>,
    /// What to do when they differ.
    pub remedy: String,
}
