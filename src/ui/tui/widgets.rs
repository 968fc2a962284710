//! Parts that screens are made of. Each draws what it is given and keeps at most where its cursor is.

pub mod bar;
pub mod dialog;
pub mod field;
pub mod help;
pub mod list;
pub mod text;
