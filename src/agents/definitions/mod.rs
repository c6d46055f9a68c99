//! How agents are launched: definitions built in, and definitions of the home.

mod builtin;
pub mod listed;
mod policy;
mod registry;
mod shelf;
mod turn;
mod user;

pub use builtin::OWN;
pub use policy::{PolicyRoute, overlay, policy_route};
pub use registry::Registry;
pub use shelf::Shelf;
pub use turn::told_by_turn;
pub use user::written;

pub use crate::domain::agent::EMBEDDED;
