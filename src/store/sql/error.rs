//! What a database says, in the store's words.

use super::{postgres, sqlite};
use crate::store::StoreError;
use sqlx::{Error, error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        // The rest are faults of ours: a wrong statement, a column that does not decode. sqlx adds kinds as it grows.
        let unavailable = error.as_database_error().is_some_and(is_unavailable)
            || matches!(
                error,
                Error::Io(_)
                    | Error::Tls(_)
                    | Error::PoolTimedOut
                    | Error::PoolClosed
                    | Error::WorkerCrashed
            );
        if unavailable {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

fn is_unavailable(refusal: &dyn DatabaseError) -> bool {
    if let Some(refusal) = refusal.try_downcast_ref::<PgDatabaseError>() {
        return postgres::error::is_unavailable(refusal.code());
    }
    refusal.try_downcast_ref::<SqliteError>().is_some()
        && refusal
            .code()
            .is_some_and(|code| sqlite::error::is_unavailable(&code))
}

/// Whether waiting may help: the server is not there, or not ready.
pub(super) fn may_pass(error: &Error) -> bool {
    match error.as_database_error().and_then(DatabaseError::code) {
        Some(code) => postgres::error::is_unavailable(&code) && !postgres::error::is_final(&code),
        None => matches!(error, Error::Io(_)),
    }
}

/// Whether a unique index refused the row.
pub(super) fn is_duplicate(error: &Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}
