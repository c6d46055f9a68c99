//! What a delegation may bring along, and which runs are added up.

use crate::domain::{
    ids::{HostId, InstanceId, ProjectId, SessionId},
    time::Timestamp,
};

/// A caller's own name of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey {
    /// Project, or the directory where there is none.
    pub scope: String,
    pub key: String,
}

/// The session that a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedSession {
    pub session: SessionId,
    pub extra_system_prompt: Option<String>,
}

/// What travels with a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Given to the session that the run opens; `SessionKeyTaken` when it is another's.
    pub session_key: Option<SessionKey>,
    /// Of the session that the run opens: added to who its agent is.
    pub extra_system_prompt: Option<String>,
    /// Opaque text of whoever delegated.
    pub hook: Option<String>,
    /// Where its session is, or is opened; `None`: on the host whose store this is.
    pub host: Option<HostId>,
}

/// Which runs to add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsFilter {
    pub project: Option<ProjectId>,
    pub instance: Option<InstanceId>,
    pub agent: Option<String>,
    /// Only those accepted at or after.
    pub since: Option<Timestamp>,
}
