//! What a database says, in the store's words.

use super::{postgres, sqlite};
use crate::store::StoreError;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

/// Why a statement could not be run, or what it answers not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Of a server, or of a file that is looked at from outside.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A column that is missing, or not of its field's type.
    #[error("a row that cannot be read: {0}")]
    Cells(#[from] serde::de::value::Error),
    #[error("a statement names a value that it is not given: {0}")]
    Unbound(String),
    #[error("no row, where there is one")]
    NoRow,
    #[error("the database is closed")]
    Closed,
}

impl Error {
    /// Whether it cannot be used now, whatever is asked of it. The rest are faults of ours: a wrong statement, a column that does not decode.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Sqlite(refusal) => {
                let code = refusal.sqlite_error().map(|error| error.extended_code);
                code.is_some_and(sqlite::error::is_unavailable)
            }
            // sqlx adds kinds as it grows.
            Self::Sqlx(error) => {
                error.as_database_error().is_some_and(refuses_all)
                    || matches!(
                        error,
                        sqlx::Error::Io(_)
                            | sqlx::Error::Tls(_)
                            | sqlx::Error::PoolTimedOut
                            | sqlx::Error::PoolClosed
                            | sqlx::Error::WorkerCrashed
                    )
            }
            Self::Cells(_) | Self::Unbound(_) | Self::NoRow => false,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if error.is_unavailable() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Error::from(error).into()
    }
}

fn refuses_all(refusal: &dyn DatabaseError) -> bool {
    if let Some(refusal) = refusal.try_downcast_ref::<PgDatabaseError>() {
        return postgres::error::is_unavailable(refusal.code());
    }
    let code = refusal.code().and_then(|code| code.parse().ok());
    refusal.try_downcast_ref::<SqliteError>().is_some()
        && code.is_some_and(sqlite::error::is_unavailable)
}

/// Whether waiting may help: the server is not there, or not ready.
pub(super) fn may_pass(error: &Error) -> bool {
    let Error::Sqlx(error) = error else {
        return false;
    };
    match error.as_database_error().and_then(DatabaseError::code) {
        Some(code) => postgres::error::is_unavailable(&code) && !postgres::error::is_final(&code),
        None => matches!(error, sqlx::Error::Io(_)),
    }
}

/// Whether the connection is gone, by whomever's hand.
pub(super) fn is_cut(error: &Error) -> bool {
    let Error::Sqlx(error) = error else {
        return false;
    };
    match error.as_database_error().and_then(DatabaseError::code) {
        Some(code) => postgres::error::ends_connection(&code),
        None => matches!(error, sqlx::Error::Io(_)),
    }
}

/// Whether a unique index refused the row.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match error {
        Error::Sqlx(error) => error
            .as_database_error()
            .is_some_and(DatabaseError::is_unique_violation),
        Error::Sqlite(refusal) => {
            let code = refusal.sqlite_error().map(|error| error.extended_code);
            code.is_some_and(sqlite::error::is_duplicate)
        }
        Error::Cells(_) | Error::Unbound(_) | Error::NoRow | Error::Closed => false,
    }
}
