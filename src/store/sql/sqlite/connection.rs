//! A connection whose statements run on the thread that asks: to hand them to another costs more than most of them take.

use super::cells::Cells;
use crate::store::sql::{error::Error, value::Value};
use rusqlite::{
    CachedStatement, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use std::sync::Arc;

/// More than there are statements.
const STATEMENTS: usize = 256;

/// An open database file.
#[derive(Debug)]
pub(in crate::store::sql) struct Local(rusqlite::Connection);

impl Local {
    pub(super) fn new(connection: rusqlite::Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self(connection)
    }

    /// Runs a statement that answers no rows; how many it changed.
    pub(in crate::store::sql) fn execute(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let changed = self.bound(sql, values)?.raw_execute()?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// At most so many rows of a statement's.
    pub(in crate::store::sql) fn rows(
        &self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<Cells>, Error> {
        let mut statement = self.bound(sql, values)?;
        let names = statement.column_names().into_iter().map(str::to_owned);
        let names: Arc<[String]> = names.collect();
        let mut rows = statement.raw_query();
        let mut read = Vec::new();
        while read.len() < most
            && let Some(row) = rows.next()?
        {
            let values = (0..names.len()).map(|column| row.get(column));
            let values = values.collect::<Result<_, _>>()?;
            read.push(Cells::new(Arc::clone(&names), values));
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
        self.0.close().map_err(|(_connection, error)| error.into())
    }

    fn bound(&self, sql: &str, values: &[Value<'_>]) -> Result<CachedStatement<'_>, Error> {
        let mut statement = self.0.prepare_cached(sql)?;
        for place in 1..=statement.parameter_count() {
            // `$3` is a name to SQLite, whose places are in the order in which names first occur.
            let name = statement.parameter_name(place);
            let number = name.and_then(|name| name.get(1..)?.parse::<usize>().ok());
            let value = number.and_then(|number| values.get(number.checked_sub(1)?));
            let value = value.ok_or_else(|| Error::Unbound(sql.to_owned()))?;
            statement.raw_bind_parameter(place, value)?;
        }
        Ok(statement)
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
