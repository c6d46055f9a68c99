//! One table on its way.

use super::cells::{Cells, Kind, Sum};
use crate::store::StoreError;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

/// What goes over at once: so many rows, or so many bytes of text.
const ROWS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// A table that is the same in both databases.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: Vec<(String, Kind)>,
}

impl Table {
    /// By what PostgreSQL says of it, but for columns that it reckons out itself.
    pub(super) async fn seen(
        name: &'static str,
        from: &mut SqliteConnection,
        to: &mut PgConnection,
    ) -> Result<Self, StoreError> {
        let there: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(column_name AS TEXT), CAST(udt_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema=current_schema() AND table_name=$1 AND is_generated='NEVER' ORDER BY column_name",
        )
        .bind(name)
        .fetch_all(to)
        .await?;
        let here: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM pragma_table_xinfo($1) WHERE hidden=0 ORDER BY name",
        )
        .bind(name)
        .fetch_all(from)
        .await?;
        if !there.iter().map(|(name, _)| name).eq(&here) {
            let detail = format!("{name} has other columns there: {there:?}, not {here:?}");
            return Err(StoreError::Internal(detail));
        }
        let columns = there
            .into_iter()
            .map(|(name, kind)| Ok((name, Kind::named(&kind)?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { name, columns })
    }

    /// Answers how many rows went over.
    pub(super) async fn copy(
        &self,
        from: &mut SqliteConnection,
        to: &mut PgConnection,
    ) -> Result<u64, StoreError> {
        let mut cells = self.cells();
        let (mut all, mut rows, mut bytes) = (0_u64, 0_usize, 0_usize);
        let select = self.select();
        let mut reading = sqlx::query(AssertSqlSafe(select)).fetch(from);
        while let Some(row) = reading.try_next().await? {
            for (at, column) in cells.iter_mut().enumerate() {
                bytes += column.push(&row, at)?;
            }
            all += 1;
            rows += 1;
            if rows >= ROWS || bytes >= BYTES {
                self.write(&mut cells, to).await?;
                (rows, bytes) = (0, 0);
            }
        }
        if rows > 0 {
            self.write(&mut cells, to).await?;
        }
        Ok(all)
    }

    async fn write(&self, cells: &mut [Cells], to: &mut PgConnection) -> Result<(), StoreError> {
        let insert = self.insert();
        let mut query = sqlx::query(AssertSqlSafe(insert));
        for column in cells {
            query = column.bound(query);
        }
        query.execute(to).await?;
        Ok(())
    }

    /// Every row is there, and nothing else.
    pub(super) async fn compare(
        &self,
        rows: u64,
        from: &mut SqliteConnection,
        to: &mut PgConnection,
    ) -> Result<(), StoreError> {
        let mut cells = self.cells();
        let (mut here, mut there) = (Sum::default(), Sum::default());
        let mut reading = sqlx::query(AssertSqlSafe(self.select())).fetch(from);
        while let Some(row) = reading.try_next().await? {
            for (at, column) in cells.iter_mut().enumerate() {
                column.push(&row, at)?;
            }
            here.add(&mut cells);
        }
        let mut reading = sqlx::query(AssertSqlSafe(self.select())).fetch(to);
        while let Some(row) = reading.try_next().await? {
            for (at, column) in cells.iter_mut().enumerate() {
                column.push_there(&row, at)?;
            }
            there.add(&mut cells);
        }
        if here == there && here.rows == rows {
            return Ok(());
        }
        Err(StoreError::Internal(format!(
            "{} is not the same there: {} rows of {}, {rows} were written",
            self.name, there.rows, here.rows
        )))
    }

    fn cells(&self) -> Vec<Cells> {
        self.columns
            .iter()
            .map(|(_, kind)| Cells::of(*kind))
            .collect()
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        names.join(",")
    }

    fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.names(), self.name)
    }

    /// Numbers that the database would draw itself are those that they were.
    fn insert(&self) -> String {
        let arrays: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| format!("${}::{}", at + 1, kind.array()))
            .collect();
        format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
            self.name,
            self.names(),
            arrays.join(",")
        )
    }
}
