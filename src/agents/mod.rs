//! Who does it: definitions, resolution, processes, the ACP link, the embedded agent, the pool of warm agents.

pub mod acp;
pub mod badge;
pub mod definitions;
pub mod embedded;
pub mod environment;
pub mod pool;
pub mod process;
pub mod resolve;
