//! Things std might have had.

mod async_fd;
pub mod atomic;
pub mod beneath;
pub mod clock;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod lines;
pub mod machine;
mod near;
mod pause;
pub mod scratch;
pub mod text;

pub use async_fd::watched;
pub use near::nearest;
pub use pause::{Held, Pause};

use uuid::Uuid;

/// A new UUIDv7: ordered by its moment of birth, unique across hubs.
#[must_use]
pub fn mint() -> Uuid {
    Uuid::now_v7()
}
