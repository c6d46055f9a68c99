//! ACP, spoken to an agent: one [`Link`] per process, on the official SDK.
//!
//! Split by phase: `wire` (bytes to messages), `handshake`, `opening` (a session), `turn` (a prompt), `desk` (what arrives during turns),
//! `books` (the same for an agent that does not speak ACP), `choices` (its model and mode), `trust` (what it leaves out), `update`, `permission` and
//! `shown` (what one message means), `petition` (what a person should decide), `touch` (what is about to change), `failure` (what went wrong, in our
//! words) and `meaning` (what its
//! error answers mean). Answers are read leniently: agents of the
//! field send words from the future, and a turn must survive them.
//!
//! Version 1 of the protocol is asked for and spoken, and no other. Nothing above this module knows its words: a turn is [`TurnEvent`]s and a
//! [`TurnEnd`], a session an [`Opening`] and what came of it. In version 2 a prompt's answer only says that it was taken, and the end comes as an
//! update; that is another `handshake`, `opening`, `turn` and `update` behind the same [`Link`].

mod books;
mod choices;
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
mod trust;
mod turn;
mod update;
mod wire;

pub(in crate::agents) use books::{Books, blame};
pub(in crate::agents) use junk::Junk;
pub(in crate::agents) use reporting::name as server_name;
pub(in crate::agents) use wire::MAX_LINE;

pub use choices::Manner;
pub use desk::STRAGGLERS;
pub use handshake::Capabilities;
pub use link::Link;
pub use opening::{Opened, Opening};
pub use permission::Permit;
pub use petition::Petition;
pub use reporting::{Equipment, Reporting};
pub use touch::Touch;
pub use turn::TurnEnd;
pub use update::{PlanEntry, TurnEvent};
