//! Running statements, on whichever database it is.
//!
//! Every statement is prepared once per connection and kept, as its text is the same each time.

use super::{
    error::{Error, is_cut},
    postgres,
    sqlite::{self, cells::Cells, connection::Local},
    statement::{Either, Statement},
    value::{Value, Values},
};
use serde::de::DeserializeOwned;
use sqlx::{
    Arguments as _, Connection as _, FromRow, PgConnection, PgPool, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};
use std::{fmt, path::PathBuf};

/// A transaction; answers the database's clock, in milliseconds.
const BEGIN: &str = "BEGIN IMMEDIATE; SELECT CAST(unixepoch('subsec')*1000 AS INTEGER)";

/// What can be read from a row of any of the databases: `derive(FromRow, Deserialize)` makes it so, and tuples are.
pub(super) trait Row: DeserializeOwned + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: DeserializeOwned + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// The one that writes.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(Local),
    Postgres(PgConnection),
}

/// Those that read; cheap to clone.
#[derive(Clone)]
pub(super) enum Readers {
    Sqlite(sqlite::readers::Pool),
    Postgres(PgPool),
}

/// `$way` of running `$sql`, a server's text.
macro_rules! ask {
    ($sql:expr, $values:expr, $way:ident, $of:expr, $row:ty) => {
        async {
            let query = sqlx::query_as_with::<Postgres, $row, _>($sql, postgres($values)?);
            Ok::<_, Error>(query.$way($of).await?)
        }
        .await
    };
}

/// The same by a reader. One that was cut while it was at rest says so only now; a question may be asked again.
macro_rules! read {
    ($sql:expr, $values:expr, $way:ident, $pool:expr, $row:ty) => {{
        let (sql, mut left) = ($sql.for_postgres(), postgres::connect::READERS);
        loop {
            match ask!(sql.clone(), $values.clone(), $way, $pool, $row) {
                Err(error) if left > 0 && is_cut(&error) => left -= 1,
                asked => break asked,
            }
        }
    }};
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

impl Connection {
    /// The one row there is.
    pub(super) async fn one<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<T, Error> {
        self.optional(sql, values).await?.ok_or(Error::NoRow)
    }

    /// The row, if there is one.
    pub(super) async fn optional<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(one) => first(&one.rows(sql.for_sqlite().as_str(), &values, 1)?),
            Self::Postgres(one) => ask!(sql.for_postgres(), values, fetch_optional, one, T),
        }
    }

    /// Every row.
    pub(super) async fn all<T: Row>(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(one) => each(&one.rows(sql.for_sqlite().as_str(), &values, usize::MAX)?),
            Self::Postgres(one) => ask!(sql.for_postgres(), values, fetch_all, one, T),
        }
    }
}

impl Readers {
    /// The one row there is.
    pub(super) async fn one<T: Row>(
        &self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<T, Error> {
        self.optional(sql, values).await?.ok_or(Error::NoRow)
    }

    /// The row, if there is one.
    pub(super) async fn optional<T: Row>(
        &self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(pool) => {
                let sql = sql.for_sqlite();
                first(&pool.here(|one| one.rows(sql.as_str(), &values, 1))?)
            }
            Self::Postgres(pool) => read!(sql, values, fetch_optional, pool, T),
        }
    }

    /// Every row.
    pub(super) async fn all<T: Row>(
        &self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(pool) => {
                let sql = sql.for_sqlite();
                let values: Vec<_> = values.into_iter().map(Value::into_owned).collect();
                let read = move |one: &Local| one.rows(sql.as_str(), &values, usize::MAX);
                each(&pool.beside(read).await?)
            }
            Self::Postgres(pool) => read!(sql, values, fetch_all, pool, T),
        }
    }
}

scalars!(Readers, &Self);

fn first<T: Row>(rows: &[Cells]) -> Result<Option<T>, Error> {
    Ok(rows.first().map(Cells::read).transpose()?)
}

fn each<T: Row>(rows: &[Cells]) -> Result<Vec<T>, Error> {
    Ok(rows.iter().map(Cells::read).collect::<Result<_, _>>()?)
}

/// The rows of each statement of a script.
#[derive(Debug)]
pub(super) enum Told {
    Sqlite(Vec<Vec<Cells>>),
    Postgres(Vec<Vec<PgRow>>),
}

impl Told {
    /// The first row of the last statement, if it has one.
    pub(super) fn last<T: Row>(&self) -> Result<Option<T>, Error> {
        let statements = match self {
            Self::Sqlite(rows) => rows.len(),
            Self::Postgres(rows) => rows.len(),
        };
        self.first(statements.saturating_sub(1))
    }

    /// The first row of the `statement`-th, if it has one.
    pub(super) fn first<T: Row>(&self, statement: usize) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(rows) => rows.get(statement).map_or(Ok(None), |rows| first(rows)),
            Self::Postgres(rows) => {
                let first = rows.get(statement).and_then(|rows| rows.first());
                Ok(first.map(T::from_row).transpose()?)
            }
        }
    }
}

/// How the connection that writes is made.
pub(super) enum Target {
    /// The file, and how many pages it may have at most.
    Sqlite(PathBuf, Option<u32>),
    Postgres(Box<PgConnectOptions>),
}

impl Target {
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        match self {
            Self::Sqlite(path, max_pages) => {
                sqlite::connect::writer(path, *max_pages).map(Connection::Sqlite)
            }
            Self::Postgres(options) => Ok(Connection::Postgres(
                postgres::connect::writer(options).await?,
            )),
        }
    }

    /// Whether it may be gone for a while and come back: it is waited for, and what was not committed is tried again.
    pub(super) fn is_remote(&self) -> bool {
        match self {
            Self::Sqlite(..) => false,
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
    /// Begins a transaction that writes; nobody else writes until its end. Answers the database's clock, in milliseconds, as it is then.
    pub(super) async fn begin(&mut self) -> Result<i64, Error> {
        match self {
            Self::Sqlite(one) => {
                let told = one.script(BEGIN, &[])?;
                let (clock,) = told
                    .last()
                    .map_or(Ok(None), |rows| first(rows))?
                    .ok_or(Error::NoRow)?;
                Ok(clock)
            }
            Self::Postgres(one) => Ok(postgres::connect::begin(one).await?),
        }
    }

    /// Whether each statement is a journey.
    pub(super) fn is_server(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) => true,
        }
    }

    /// Runs a statement that answers no rows; how many it changed.
    pub(super) async fn execute(
        &mut self,
        sql: impl Statement,
        values: Values<'_>,
    ) -> Result<u64, Error> {
        match self {
            Self::Sqlite(one) => one.execute(sql.for_sqlite().as_str(), &values),
            Self::Postgres(one) => {
                let query = sqlx::query_with(sql.for_postgres(), postgres(values)?);
                Ok(query.execute(one).await?.rows_affected())
            }
        }
    }

    /// Runs statements that stand in one text, parted by a semicolon and a blank. Values are numbered over the whole text.
    pub(super) async fn script(
        &mut self,
        script: impl Into<Either>,
        values: Values<'_>,
    ) -> Result<Told, Error> {
        let script = script.into();
        match self {
            Self::Sqlite(one) => Ok(Told::Sqlite(one.script(script.sqlite, &values)?)),
            Self::Postgres(one) => {
                let mut told = Vec::new();
                for step in postgres::script::steps(script.postgres).iter() {
                    let given = step.values.iter().map(|n| values[*n].clone()).collect();
                    let query = sqlx::query_with(step.text.clone(), postgres(given)?);
                    told.push(query.fetch_all(&mut *one).await?);
                }
                Ok(Told::Postgres(told))
            }
        }
    }

    /// Runs statements that take and answer nothing, parted as in a script, in one journey.
    pub(super) async fn go_on(&mut self, script: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(one) => {
                one.script(script, &[])?;
            }
            Self::Postgres(one) => {
                sqlx::raw_sql(script).execute(one).await?;
            }
        }
        Ok(())
    }

    /// Closes in order.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(one) => one.close(),
            Self::Postgres(one) => Ok(one.close().await?),
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

fn postgres(values: Values<'_>) -> Result<PgArguments, sqlx::Error> {
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
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
