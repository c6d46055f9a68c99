//! Who does it: definitions, resolution, the depot and what fills it, processes, the ACP link, CLIs that are run once a turn, the embedded
//! agent, the pool of warm agents.

pub mod acp;
pub mod badge;
pub mod cli;
pub mod definitions;
pub mod depot;
mod dial;
pub mod embedded;
pub mod environment;
pub mod fetch;
pub mod install;
pub mod pool;
pub mod process;
pub mod resolve;
pub mod sources;
