//! What SQLite says, in the store's words.

use crate::store::StoreError;
use sqlx::{Error, error::DatabaseError};

/// Primary result codes of a database that cannot be used now, whatever is asked of it.
const UNAVAILABLE: [i32; 12] = [
    3,  // PERM
    5,  // BUSY
    6,  // LOCKED
    7,  // NOMEM
    8,  // READONLY
    10, // IOERR
    11, // CORRUPT
    13, // FULL
    14, // CANTOPEN
    15, // PROTOCOL
    22, // NOLFS
    26, // NOTADB
];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        // The rest are faults of ours: a wrong statement, a column that does not decode. sqlx adds kinds as it grows.
        let unavailable = error.as_database_error().is_some_and(is_unavailable)
            || matches!(
                error,
                Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed
            );
        if unavailable {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

fn is_unavailable(refusal: &dyn DatabaseError) -> bool {
    refusal
        .code()
        .and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|extended| UNAVAILABLE.contains(&(extended & 0xff)))
}

/// Whether a unique index refused the row.
pub(in crate::store::sql) fn is_duplicate(error: &Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}
