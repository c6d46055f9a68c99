//! Running statements, on whichever database it is.
//!
//! Every statement is prepared once per connection and kept, as its text is the same each time.

use super::{
    postgres,
    statement::Statement,
    value::{Value, Values},
};
use futures::TryStreamExt as _;
use sqlx::{
    Arguments as _, ConnectOptions as _, Connection as _, Either, Error, Executor as _, FromRow,
    PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow},
};
use std::fmt;

/// A transaction, and the savepoint of its first item; answers the database's clock, in milliseconds.
const BEGIN: &str =
    "BEGIN IMMEDIATE; SAVEPOINT item; SELECT CAST(unixepoch('subsec')*1000 AS INTEGER)";

/// What can be read from a row of any of the databases: `derive(FromRow)` makes it so, and tuples are.
pub(super) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// The one that writes.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Those that read; cheap to clone.
#[derive(Clone)]
pub(super) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// `$way` of running `$sql` on what `$of` stands for.
macro_rules! run {
    ($sql:expr, $values:expr, $way:ident, $of:expr, $enum:ident, $row:ty) => {
        match $of {
            $enum::Sqlite(one) => {
                sqlx::query_as_with::<Sqlite, $row, _>($sql.for_sqlite(), sqlite($values)?)
                    .$way(one)
                    .await
            }
            $enum::Postgres(one) => {
                sqlx::query_as_with::<Postgres, $row, _>($sql.for_postgres(), postgres($values)?)
                    .$way(one)
                    .await
            }
        }
    };
}

/// The forms of `one`, `optional` and `all` for rows of one column.
macro_rules! scalars {
    ($of:ty, $me:ty) => {
        impl $of {
            /// The one column of the one row.
            pub(super) async fn scalar<T>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<T, Error>
            where
                (T,): Row,
            {
                let (value,) = self.one::<(T,)>(sql, values).await?;
                Ok(value)
            }

            /// The one column of the row, if there is one.
            pub(super) async fn optional_scalar<T>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<Option<T>, Error>
            where
                (T,): Row,
            {
                let row = self.optional::<(T,)>(sql, values).await?;
                Ok(row.map(|(value,)| value))
            }

            /// The one column of every row.
            pub(super) async fn scalars<T>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<Vec<T>, Error>
            where
                (T,): Row,
            {
                let rows = self.all::<(T,)>(sql, values).await?;
                Ok(rows.into_iter().map(|(value,)| value).collect())
            }
        }
    };
}
pub(super) use scalars;

/// The forms of a statement that answers rows.
macro_rules! rows {
    ($enum:ident, $me:ty) => {
        impl $enum {
            /// The one row there is.
            pub(super) async fn one<T: Row>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<T, Error> {
                run!(sql, values, fetch_one, self, $enum, T)
            }

            /// The row, if there is one.
            pub(super) async fn optional<T: Row>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<Option<T>, Error> {
                run!(sql, values, fetch_optional, self, $enum, T)
            }

            /// Every row.
            pub(super) async fn all<T: Row>(
                self: $me,
                sql: impl Statement,
                values: Values<'_>,
            ) -> Result<Vec<T>, Error> {
                run!(sql, values, fetch_all, self, $enum, T)
            }
        }
    };
}

rows!(Connection, &mut Self);
rows!(Readers, &Self);
scalars!(Readers, &Self);

/// The rows of each statement of a script.
#[derive(Debug)]
pub(super) enum Told {
    Sqlite(Vec<Vec<SqliteRow>>),
    Postgres(Vec<Vec<PgRow>>),
}

impl Told {
    /// The first row of the `statement`-th, if it has one.
    pub(super) fn first<T: Row>(&self, statement: usize) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(rows) => {
                let first = rows.get(statement).and_then(|rows| rows.first());
                first.map(T::from_row).transpose()
            }
            Self::Postgres(rows) => {
                let first = rows.get(statement).and_then(|rows| rows.first());
                first.map(T::from_row).transpose()
            }
        }
    }
}

/// How the connection that writes is made.
pub(super) enum Target {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Target {
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(options) => options.connect().await.map(Connection::Sqlite),
            Self::Postgres(options) => postgres::connect::writer(options)
                .await
                .map(Connection::Postgres),
        }
    }

    /// Whether it may be gone for a while and come back: it is waited for, and what was not committed is tried again.
    pub(super) fn is_remote(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) => true,
        }
    }
}

// By hand, as the options hold a password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_remote() {
            "Postgres"
        } else {
            "Sqlite"
        })
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
        })
    }
}

impl Connection {
    /// Begins a transaction that writes, with a savepoint `item`; nobody else writes until its end. Answers the database's clock, in
    /// milliseconds, as it is then.
    pub(super) async fn begin(&mut self) -> Result<i64, Error> {
        match self {
            Self::Sqlite(_) => {
                let (clock,) = self.one(BEGIN, Values::new()).await?;
                Ok(clock)
            }
            Self::Postgres(one) => postgres::connect::begin(one).await,
        }
    }

    /// Runs a statement that answers no rows; how many it changed.
    pub(super) async fn execute(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<u64, Error> {
        match self {
            Self::Sqlite(one) => sqlx::query_with(sql.for_sqlite(), sqlite(values)?)
                .execute(one)
                .await
                .map(|done| done.rows_affected()),
            Self::Postgres(one) => sqlx::query_with(sql.for_postgres(), postgres(values)?)
                .execute(one)
                .await
                .map(|done| done.rows_affected()),
        }
    }

    /// Runs statements that stand in one text, parted by semicolons, which is one way to `SQLite`'s thread and back: that costs more than most
    /// statements do. Values are numbered over the whole text.
    pub(super) async fn script(
        &mut self,
        script: &'static str,
        values: Values<'_>,
    ) -> Result<Told, Error> {
        match self {
            Self::Sqlite(one) => {
                let mut told = vec![Vec::new()];
                let mut steps = one.fetch_many(sqlx::query_with(script, sqlite(values)?));
                while let Some(step) = steps.try_next().await? {
                    match (step, told.last_mut()) {
                        (Either::Right(row), Some(rows)) => rows.push(row),
                        (Either::Left(_), _) | (_, None) => told.push(Vec::new()),
                    }
                }
                Ok(Told::Sqlite(told))
            }
            Self::Postgres(one) => {
                let mut told = Vec::new();
                for step in postgres::script::steps(script).iter() {
                    let given = step.values.iter().map(|n| values[*n].clone()).collect();
                    let query = sqlx::query_with(step.text.clone(), postgres(given)?);
                    told.push(query.fetch_all(&mut *one).await?);
                }
                Ok(Told::Postgres(told))
            }
        }
    }

    /// Closes in order.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(one) => one.close().await,
            Self::Postgres(one) => one.close().await,
        }
    }
}

impl Readers {
    /// Waits for those at work, then closes.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn sqlite(values: Values<'_>) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Uuid(id) => arguments.add(id),
            Value::Int(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bool(answer) => arguments.add(answer),
        }
        .map_err(Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres(values: Values<'_>) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Uuid(id) => arguments.add(id),
            Value::Int(number) => arguments.add(number),
            // The one character that no text there can hold.
            Value::Text(Some(text)) if text.contains('\0') => {
                arguments.add(text.replace('\0', "\u{fffd}"))
            }
            Value::Text(text) => arguments.add(text),
            Value::Bool(answer) => arguments.add(answer),
        }
        .map_err(Error::Encode)?;
    }
    Ok(arguments)
}
