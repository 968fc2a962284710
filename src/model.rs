//! The words of the product as data, with the rules that belong to them.
//!
//! Nothing here reads a file, opens a connection or mentions a terminal: everything that can be decided by looking at values is decided here, so that the
//! wizard, the answers file and automation obey the same rules. Input and output live in the layers above.

pub mod adopt;
pub mod answers;
pub mod backup;
pub mod bundle;
pub mod check;
pub mod deployment;
pub mod diagnosis;
pub mod docker;
pub mod dotenv;
pub mod event;
pub mod facts;
pub mod failure;
pub mod fault;
pub mod generate;
pub mod ids;
pub mod image;
pub mod issue;
pub mod log;
pub mod moment;
pub mod operator;
pub mod plan;
pub mod preset;
pub mod receipt;
pub mod release;
pub mod resolve;
pub mod resolved;
pub mod rules;
pub mod sample;
pub mod secret;
pub mod size;
pub mod sizing;
pub mod source;
pub mod suggest;
pub mod template;
pub mod text;
pub mod validate;
pub mod watch;
