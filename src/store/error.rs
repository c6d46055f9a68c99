//! Why the store could not do what it was asked.

use crate::domain::{
    fault::{ErrorKind, Fault},
    ids::{RunId, ScheduleId, SessionId},
};

/// What a store says when it cannot.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The lease is over: another attempt may own the session. Stop, and kill what works under it.
    #[error("the lease of run {0} is lost")]
    LeaseLost(RunId),
    /// The name is taken by an instance that is not in the trash.
    #[error("the name \"{0}\" is taken")]
    NameExists(String),
    /// The same key came before with another request.
    #[error("the idempotency key \"{0}\" came before with another request")]
    IdempotencyConflict(String),
    /// The run does not end yet: an input waits to be a further turn of it.
    #[error("an input of run {0} waits")]
    InputsWait(RunId),
    /// The caller's name of a session stands for another one.
    #[error("the session key stands for session {0}")]
    SessionKeyTaken(SessionId),
    /// No such row.
    #[error("no {noun} \"{name}\"")]
    NotFound {
        /// A word of the API.
        noun: &'static str,
        /// What was asked for.
        name: String,
    },
    /// An answer that its request does not take, as it stands now; says what it takes.
    #[error("{0}")]
    Unfit(Box<Fault>),
    /// The runs of the schedule have used up what they may; says what.
    #[error("{0}")]
    UsedUp(Box<Fault>),
    /// The schedule is not at that tick any more: another hub was there first, or it was changed.
    #[error("the tick of schedule {0} is taken")]
    TickTaken(ScheduleId),
    /// A run of the schedule is open, and it begins no other beside it.
    #[error("an earlier run of schedule {0} is open")]
    StillOpen(ScheduleId),
    /// A cursor that this store did not make.
    #[error("a cursor that is not ours")]
    BadCursor,
    /// The schema is newer than this binary.
    #[error("the database has schema {found}, this binary knows up to {known}")]
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in the binary.
        known: i64,
    },
    /// The database cannot be written to or read from now: disk full, read-only, gone.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("the database refused a statement: {0}")]
    Internal(String),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::LeaseLost(_) => Self::new(ErrorKind::LeaseLost, detail),
            StoreError::NameExists(_) => Self::new(ErrorKind::NameExists, detail)
                .hint("choose another name, or use the one there"),
            StoreError::IdempotencyConflict(_) => Self::new(ErrorKind::IdempotencyConflict, detail)
                .hint("a new request needs a new key"),
            StoreError::NotFound { noun, name } => Self::not_found(noun, name),
            StoreError::Unfit(fault) | StoreError::UsedUp(fault) => *fault,
            StoreError::TickTaken(_) => Self::new(ErrorKind::Busy, detail),
            StoreError::StillOpen(_) => Self::new(ErrorKind::Busy, detail).hint(
                "wait for it or cancel it, or let the schedule's overlap be queue or parallel",
            ),
            StoreError::BadCursor => Self::invalid("cursor", "is not one that was handed out"),
            StoreError::TooNew { .. } => {
                Self::new(ErrorKind::DatabaseUnavailable, detail).hint("use a newer eyas")
            }
            StoreError::Unavailable(_) => Self::new(ErrorKind::DatabaseUnavailable, detail)
                .hint("look at free space and permissions of the home, or at the server that `store.url` names, then try again"),
            StoreError::Internal(_)
            | StoreError::InputsWait(_)
            | StoreError::SessionKeyTaken(_) => Self::internal(detail),
        }
    }
}
