//! ACP, spoken to an agent: one [`Link`] per process, on the official SDK.
//!
//! Split by phase: `wire` (bytes to messages), `handshake`, `opening` (a session), `turn` (a prompt), `desk` (what arrives during turns),
//! `update`, `permission` and `shown` (what one message means), `petition` (what a person should decide), `touch` (what is about to change), `failure` (what went wrong, in our words) and `meaning` (what its
//! error answers mean). Answers are read leniently: agents of the
//! field send words from the future, and a turn must survive them.

mod desk;
mod failure;
mod handshake;
mod input;
mod junk;
mod link;
mod looks;
mod meaning;
mod opening;
mod permission;
mod petition;
mod reach;
mod reporting;
mod shown;
mod tool;
mod touch;
mod turn;
mod update;
mod wire;

pub use handshake::Capabilities;
pub use link::Link;
pub use opening::{Opened, Opening};
pub use permission::Permit;
pub use petition::Petition;
pub use reporting::{Equipment, Reporting};
pub use touch::Touch;
pub use turn::TurnEnd;
pub use update::{PlanEntry, TurnEvent};
