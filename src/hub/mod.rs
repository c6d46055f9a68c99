//! Who shares it: serves the API on the socket or in memory.

mod agent;
mod events;
mod hub;
mod instance;
pub mod join;
mod persona;
mod project;
mod run;
pub mod serve;
