//! Who is asking.

use super::ids::SessionId;

/// Decided by the hub from the socket's peer credentials and the pid's ancestors, never by what the peer says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A person at a face, who may do everything.
    Person,
    /// A process below an agent that the hub launched for this session: it has that session's rights.
    Session(SessionId),
    /// Below an agent of ours, but of no session that is open: it may read, nothing else.
    Stray,
}
