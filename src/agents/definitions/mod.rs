//! How agents are launched: definitions built in, and definitions of the home.

mod builtin;
mod policy;
mod registry;
mod user;

pub use builtin::OWN;
pub use policy::{PolicyRoute, overlay, policy_route};
pub use registry::Registry;

pub use crate::domain::agent::EMBEDDED;
