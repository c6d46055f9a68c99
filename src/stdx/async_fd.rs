//! Descriptors of our own under the runtime's eye.

use std::{io, os::fd::OwnedFd};
use tokio::io::unix::AsyncFd;

/// Has the runtime watch `fd`.
///
/// # Errors
/// When the kernel cannot poll it.
#[expect(
    deprecated,
    reason = "the newer call is unsafe for types that may swap their descriptor; an OwnedFd cannot"
)]
pub fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}
