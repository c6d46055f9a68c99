//! The death of the process that started us. Some clients die without closing the pipe, because a grandchild still holds it.

/// Completes when the parent process has ended; never, where that cannot be told.
#[cfg(not(target_os = "linux"))]
pub(super) async fn ended() {
    std::future::pending().await
}

/// Completes when the parent process has ended; never, where that cannot be told.
#[cfg(target_os = "linux")]
pub(super) async fn ended() {
    use crate::stdx;
    use rustix::{
        io::Errno,
        process::{PidfdFlags, getppid, pidfd_open},
    };
    let Some(parent) = getppid() else {
        return std::future::pending().await;
    };
    let fd = match pidfd_open(parent, PidfdFlags::NONBLOCK) {
        Ok(fd) => fd,
        Err(Errno::SRCH) => return,
        Err(error) => {
            tracing::debug!(%error, "the parent cannot be watched");
            return std::future::pending().await;
        }
    };
    // The pid may have been another process's by the time it was opened.
    if getppid() != Some(parent) {
        return;
    }
    let ended = match stdx::watched(fd) {
        Ok(fd) => fd.readable().await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "the parent cannot be watched");
        std::future::pending::<()>().await;
    }
}
