//! Who a peer is, by its pid and its ancestors; what it says of itself does not count.

use crate::domain::caller::Caller;
use std::{fmt, sync::Arc};

/// Asks the one who launches agents whose child a pid is: `None` for a process that no agent of ours is.
#[derive(Clone)]
pub struct Lineage(Arc<dyn Fn(u32) -> Option<Caller> + Send + Sync>);

impl Lineage {
    /// `find` is asked with each ancestor of a peer, nearest first.
    pub fn new(find: impl Fn(u32) -> Option<Caller> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// Below an agent of ours a peer is that agent's session, or a stray; otherwise a person. A peer whose ancestors cannot be told is a
    /// stray: a process that hands its connection to a child and ends must not win rights by it.
    #[must_use]
    pub fn caller(&self, pid: u32) -> Caller {
        let mut pid = pid;
        // Deeper than any real tree of processes: a guard against reading a table that changes under us in circles.
        for _ in 0..256 {
            if let Some(caller) = (self.0)(pid) {
                return caller;
            }
            match parent(pid) {
                Some(above) if above > 1 => pid = above,
                Some(_) => return (self.0)(1).unwrap_or(Caller::Person),
                None => return Caller::Stray,
            }
        }
        Caller::Stray
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lineage")
    }
}

/// The parent of a process that is there.
#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, parentheses too.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Without a process table to read, only the peer itself can be told.
#[cfg(not(target_os = "linux"))]
fn parent(_: u32) -> Option<u32> {
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::Lineage;
    use crate::domain::{caller::Caller, ids::SessionId};

    #[test]
    fn a_process_below_an_agent_of_ours_is_its_session() {
        let session = Caller::Session(SessionId(crate::stdx::mint()));
        let parent = std::os::unix::process::parent_id();
        let lineage = Lineage::new(move |pid| (pid == parent).then_some(session));
        assert_eq!(lineage.caller(std::process::id()), session);
    }

    #[test]
    fn any_other_process_is_a_person_and_one_that_is_gone_a_stray() {
        let lineage = Lineage::new(|_| None);
        assert_eq!(lineage.caller(std::process::id()), Caller::Person);
        assert_eq!(lineage.caller(u32::MAX), Caller::Stray);
    }
}
