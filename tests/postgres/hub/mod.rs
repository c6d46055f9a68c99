//! Homes, and the binary run in them.

#[allow(dead_code, reason = "it serves more tests than those that are here")]
#[path = "../../suite/hub/nest.rs"]
pub(crate) mod nest;
