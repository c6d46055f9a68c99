//! Who shares it: one process owns the home, its agents and its runs, and serves the API on a socket or in memory.
//!
//! [`life`] is the story of a hub: lock, listen, serve, wait for the end, go down the ladder. [`serve`] is one connection after the
//! other; [`middleware`] is what every call passes; [`desk`] answers `hub.*`. [`join`] is the other side: how a face finds a hub, starts
//! one, replaces one.

mod agent;
mod briefing;
pub mod caller;
mod control;
pub mod desk;
pub mod doctor;
pub mod ending;
pub mod endpoint;
mod events;
pub mod ground;
mod host;
mod idle;
pub mod instance;
pub mod join;
pub mod life;
mod lock;
mod middleware;
pub mod peers;
pub mod persona;
mod project;
mod recovery;
mod retention;
mod rights;
mod run;
mod schedule;
pub mod serve;
mod session;
mod supply;
pub mod upkeep;
pub mod vault;
pub mod work;
