//! The verbs: one `#[rpc(server, client)]` trait per noun, method `noun.verb`, parameters one object.
//!
//! Every parameter struct refuses unknown fields and has a JSON Schema; [`methods`] lists them all, for `rpc.discover` and for the check
//! that every call passes once, in the hub's middleware.

pub mod agent;
pub mod events;
pub mod fault;
pub mod host;
pub mod hub;
pub mod input;
pub mod instance;
pub mod methods;
pub mod openrpc;
pub mod persona;
pub mod project;
pub mod run;
pub mod schedule;
pub mod session;

/// Raised when a face of one version can no longer speak to a hub of another.
pub const REVISION: u32 = 1;

/// Tells "not given" from "given as null": `None` leaves a field as it is, `Some(None)` clears it.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    <Option<T> as serde::Deserialize>::deserialize(deserializer).map(Some)
}
