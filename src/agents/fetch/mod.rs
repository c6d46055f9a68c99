//! Downloads: bounded, verified while they stream, taken up where they broke off; and archives, unpacked without leaving their folder.

mod client;
mod digest;
mod download;
mod miss;
mod progress;
pub mod unpack;

pub use client::{Fetcher, Pace};
pub use digest::{Digest, Hasher};
pub use download::Wanted;
pub use progress::Progress;
