//! Who a peer is, by its pid and its ancestors; what it says of itself does not count, but for a badge that is given to it alone.

use crate::{
    agents::badge::Worn,
    domain::{
        caller::{Caller, Token},
        ids::SessionId,
    },
};
use std::{fmt, sync::Arc};

/// Asks the one who launches agents whose child a pid is, and whose badge a token.
#[derive(Clone)]
pub struct Lineage {
    find: Arc<Find>,
    badge: Arc<Look>,
}

type Find = dyn Fn(u32) -> Option<Caller> + Send + Sync;
type Look = dyn Fn(&Token) -> Option<Worn> + Send + Sync;

/// What a token is worth to whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It was never given out, or not to him.
    Nothing,
    /// It is his, and no run of its session is being worked on.
    Idle,
    /// He speaks for this session now.
    Session(SessionId),
}

/// Where a peer stands among processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descent {
    pub caller: Caller,
    /// The agent of ours that it is below.
    pub agent: Option<u32>,
}

impl Lineage {
    /// `find` is asked with each ancestor of a peer, nearest first: `None` for a process that no agent of ours is.
    pub fn new(find: impl Fn(u32) -> Option<Caller> + Send + Sync + 'static) -> Self {
        Self {
            find: Arc::new(find),
            badge: Arc::new(|_| None),
        }
    }

    /// `badge` is asked for every token that a peer shows.
    #[must_use]
    pub fn with_badges(
        mut self,
        badge: impl Fn(&Token) -> Option<Worn> + Send + Sync + 'static,
    ) -> Self {
        self.badge = Arc::new(badge);
        self
    }

    /// What a token is worth to a peer of this descent. It narrows what a person may, and says which session of its agent an agent's child
    /// is, nothing else.
    #[must_use]
    pub fn worth(&self, token: &Token, descent: Descent) -> Worth {
        let Some(worn) = (self.badge)(token) else {
            return Worth::Nothing;
        };
        let theirs = match descent.agent {
            Some(agent) => agent == worn.agent,
            // A process of which nobody knows whose child it is may be another agent's.
            None => descent.caller == Caller::Person,
        };
        match worn.session {
            Some(session) if theirs => Worth::Session(session),
            None if theirs => Worth::Idle,
            Some(_) | None => Worth::Nothing,
        }
    }

    /// Below an agent of ours a peer is that agent's session, or a stray; otherwise a person. A peer whose ancestors cannot be told is a
    /// stray: a process that hands its connection to a child and ends must not win rights by it.
    #[must_use]
    pub fn caller(&self, pid: u32) -> Caller {
        self.descent(pid).caller
    }

    /// The same, with the agent that the peer is below.
    #[must_use]
    pub fn descent(&self, pid: u32) -> Descent {
        let free = |caller| Descent {
            caller,
            agent: None,
        };
        let mut pid = pid;
        // Deeper than any real tree of processes: a guard against reading a table that changes under us in circles.
        for _ in 0..256 {
            if let Some(caller) = (self.find)(pid) {
                let agent = Some(pid);
                return Descent { caller, agent };
            }
            match parent(pid) {
                Some(above) if above > 1 => pid = above,
                Some(_) => {
                    return match (self.find)(1) {
                        Some(caller) => Descent {
                            caller,
                            agent: Some(1),
                        },
                        None => free(Caller::Person),
                    };
                }
                None => return free(Caller::Stray),
            }
        }
        free(Caller::Stray)
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
    use super::{Descent, Lineage, Worn, Worth};
    use crate::domain::{
        caller::{Caller, Token},
        ids::SessionId,
    };

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

    #[test]
    fn a_token_narrows_and_never_widens() {
        let (own, agent) = (SessionId(crate::stdx::mint()), 7);
        let known = move |token: &Token| {
            (token.0 == "known").then_some(Worn {
                agent,
                session: Some(own),
            })
        };
        let lineage = Lineage::new(|_| None).with_badges(known);
        let other = Caller::Session(SessionId(crate::stdx::mint()));
        let table = [
            (Caller::Person, None, Worth::Session(own)),
            (Caller::Stray, Some(agent), Worth::Session(own)),
            (other, Some(agent), Worth::Session(own)),
            (Caller::Stray, Some(8), Worth::Nothing),
            (other, Some(8), Worth::Nothing),
            (Caller::Stray, None, Worth::Nothing),
        ];
        for (caller, agent, worth) in table {
            let descent = Descent { caller, agent };
            let token = |text: &str| Token(text.to_owned());
            assert_eq!(
                lineage.worth(&token("known"), descent),
                worth,
                "{descent:?}"
            );
            assert_eq!(lineage.worth(&token("garbage"), descent), Worth::Nothing);
        }
    }
}
