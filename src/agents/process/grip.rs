//! A hold on one process that outlives the reuse of its number.

use rustix::{
    fd::OwnedFd,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};

/// One process, whatever becomes of its number.
#[derive(Debug)]
pub(super) enum Grip {
    Fd(OwnedFd),
    /// Where the kernel has no pidfds: the number, as good as it gets.
    Number(Pid),
}

impl Grip {
    /// Takes hold of `pid`; `None` when there is no such process.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Some(Self::Fd(fd)),
            Err(rustix::io::Errno::SRCH) => None,
            Err(_unsupported) => Some(Self::Number(pid)),
        }
    }

    /// Sends `signal`. A process that has ended, or is another user's, is not a failure: there is nothing left to be done here.
    pub(super) fn signal(&self, signal: Signal) {
        let sent = match self {
            Self::Fd(fd) => pidfd_send_signal(fd, signal),
            Self::Number(pid) => kill_process(*pid, signal),
        };
        if let Err(errno) = sent {
            tracing::trace!(%errno, "a signal found no process");
        }
    }
}
