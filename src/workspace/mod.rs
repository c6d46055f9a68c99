//! Where it happens: layout, provisioning (a plan, then one atomic write), identity text.
//!
//! ```text
//! <data>/instances/<id>/workspace/   identity files, the agent's notes
//! <data>/instances/<id>/rendered.json   digest of every file as it was last rendered: what differs from it, a person edited
//! <data>/instances/.new-*            a placement under way; `sweep` clears what a crash left
//! <data>/trash/<id>/                 deleted ones, kept 30 days
//! <data>/worktrees/<run id>          a run's own git worktree, with <run id>.json beside it
//! ```
//!
//! An agent may write in its workspace, so nothing below it is opened through a link. Of a project, which is no workspace of ours, there is
//! only the [`lock`] of whoever serves it.

pub mod git;
mod identity_text;
mod layout;
pub mod lock;
mod manifest;
mod provision;
mod render;
pub mod worktree;

pub use identity_text::{MAX_TEXT, files, persona_text, read_identity, text_of};
pub use layout::Workspaces;
pub use render::Rendered;
