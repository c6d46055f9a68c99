//! A connection whose statements run on the thread that asks: to hand them to another costs more than most of them take.

use super::cells::Cells;
use crate::store::sql::{error::Error, value::Value};
use rusqlite::{
    CachedStatement, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// More than there are statements.
const STATEMENTS: usize = 256;

/// An open database file.
#[derive(Debug)]
pub(in crate::store::sql) struct Local {
    connection: rusqlite::Connection,
    /// Of the statements that it has prepared, by their texts.
    shapes: RefCell<HashMap<Box<str>, Shape>>,
}

/// What a prepared statement takes and gives, which is asked of SQLite once.
#[derive(Clone, Debug)]
struct Shape {
    /// Which value each of its places takes. `$3` is a name to SQLite, whose places are in the order in which names first occur.
    places: Arc<[usize]>,
    columns: Arc<[String]>,
}

impl Shape {
    fn of(statement: &CachedStatement<'_>) -> Option<Self> {
        let value = |place| {
            let number: usize = statement.parameter_name(place)?.get(1..)?.parse().ok()?;
            number.checked_sub(1)
        };
        let places: Option<_> = (1..=statement.parameter_count()).map(value).collect();
        let columns = statement.column_names().into_iter().map(str::to_owned);
        Some(Self {
            places: places?,
            columns: columns.collect(),
        })
    }
}

impl Local {
    pub(super) fn new(connection: rusqlite::Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self {
            connection,
            shapes: RefCell::default(),
        }
    }

    /// Runs a statement that answers no rows; how many it changed.
    pub(in crate::store::sql) fn execute(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let (mut statement, _shape) = self.bound(sql, values)?;
        let changed = statement.raw_execute()?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// At most so many rows of a statement's.
    pub(in crate::store::sql) fn rows(
        &self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<Cells>, Error> {
        let (mut statement, Shape { columns, .. }) = self.bound(sql, values)?;
        let mut rows = statement.raw_query();
        let mut read = Vec::new();
        while read.len() < most
            && let Some(row) = rows.next()?
        {
            let values = (0..columns.len()).map(|column| row.get(column));
            let values = values.collect::<Result<_, _>>()?;
            read.push(Cells::new(Arc::clone(&columns), values));
        }
        Ok(read)
    }

    /// Runs statements that stand in one text, parted by a semicolon and a blank; the rows of each. Values are numbered over the whole text.
    pub(in crate::store::sql) fn script(
        &self,
        script: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Vec<Cells>>, Error> {
        let steps = script.split("; ");
        steps
            .map(|step| self.rows(step, values, usize::MAX))
            .collect()
    }

    /// In order.
    pub(in crate::store::sql) fn close(self) -> Result<(), Error> {
        self.connection
            .close()
            .map_err(|(_connection, error)| error.into())
    }

    fn bound(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<(CachedStatement<'_>, Shape), Error> {
        let unbound = || Error::Unbound(sql.to_owned());
        let mut statement = self.connection.prepare_cached(sql)?;
        let shape = self.shape(sql, &statement).ok_or_else(unbound)?;
        for (before, number) in shape.places.iter().enumerate() {
            let value = values.get(*number).ok_or_else(unbound)?;
            statement.raw_bind_parameter(before + 1, value)?;
        }
        Ok((statement, shape))
    }

    fn shape(&self, sql: &str, statement: &CachedStatement<'_>) -> Option<Shape> {
        if let Some(known) = self.shapes.borrow().get(sql) {
            return Some(known.clone());
        }
        let shape = Shape::of(statement)?;
        let mut shapes = self.shapes.borrow_mut();
        // Those of texts that are put together for a request are not kept for ever.
        if shapes.len() >= STATEMENTS {
            shapes.clear();
        }
        shapes.insert(sql.into(), shape.clone());
        Some(shape)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Value::Uuid(id) => id.as_ref().map(|id| ValueRef::Blob(id.as_bytes())),
            Value::Int(number) => number.map(ValueRef::Integer),
            Value::Text(text) => text.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Value::Bool(answer) => answer.map(|answer| ValueRef::Integer(answer.into())),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

#[cfg(test)]
mod tests {
    use super::Local;
    use crate::store::sql::{
        error::Error,
        value::{Values, values},
    };

    fn empty() -> Local {
        Local::new(rusqlite::Connection::open_in_memory().unwrap())
    }

    #[test]
    fn values_are_those_of_their_numbers_in_every_statement_of_a_script() {
        let script = "CREATE TABLE t(a TEXT, b INTEGER); INSERT INTO t VALUES($2,$1),('x',$3); \
             SELECT b,a FROM t WHERE a=$2 OR b=$3 ORDER BY b";
        let given: Values<'_> = values![1, "one", 3];
        let told = empty().script(script, &given).unwrap();
        let rows: Vec<(i64, String)> = told[2].iter().map(|row| row.read().unwrap()).collect();
        assert_eq!(rows, [(1, "one".to_owned()), (3, "x".to_owned())]);
    }

    #[test]
    fn a_statement_that_names_what_it_is_not_given_is_not_run() {
        let given: Values<'_> = values![1];
        let refused = empty().rows("SELECT $1,$2", &given, 1);
        assert!(matches!(refused, Err(Error::Unbound(_))), "{refused:?}");
    }
}
