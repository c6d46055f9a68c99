//! What things are. Plain data, pure decisions; no I/O, no clock, no async.

pub mod agent;
pub mod breaker;
pub mod caller;
pub mod conclusion;
pub mod event;
pub mod fault;
pub mod ids;
pub mod input;
pub mod instance;
pub mod page;
pub mod persona;
pub mod policy;
pub mod project;
pub mod project_file;
pub mod request;
pub mod retry;
pub mod rights;
pub mod run;
pub mod schedule;
pub mod slug;
pub mod snapshot;
pub mod spent;
pub mod stats;
pub mod time;
pub mod usage;
pub mod worktree;
