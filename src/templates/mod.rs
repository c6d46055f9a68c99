//! What is written: the embedded catalogue and identity templates, their overrides in the home, rendering.
//!
//! A persona is a file, and the file is kept as its author wrote it: an import and an export give back the same bytes, and a change
//! rewrites the keys that changed. A template is text of somebody else's: it may print fields, test them and walk lists, nothing more.

mod builtin;
pub mod catalogue;
mod front_matter;
pub mod identity;
pub mod persona_file;
pub mod rules;
pub mod source;
pub mod validate;

pub use catalogue::Catalogue;
pub use identity::{Identity, IdentityContext, IdentityFile};
