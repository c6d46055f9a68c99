//! The values of some rows, column by column: read from either database, written to one.

use crate::store::StoreError;
use sha2::{Digest as _, Sha256};
use sqlx::{
    Error, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
    sqlite::SqliteRow,
};
use uuid::Uuid;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Int,
    Bool,
    Text,
}

impl Kind {
    /// By PostgreSQL's name.
    pub(super) fn named(name: &str) -> Result<Self, StoreError> {
        match name {
            "uuid" => Ok(Self::Uuid),
            "int8" => Ok(Self::Int),
            "bool" => Ok(Self::Bool),
            "text" => Ok(Self::Text),
            other => Err(StoreError::Internal(format!("a column of type {other}"))),
        }
    }

    /// As an array's.
    pub(super) fn array(self) -> &'static str {
        match self {
            Self::Uuid => "uuid[]",
            Self::Int => "int8[]",
            Self::Bool => "bool[]",
            Self::Text => "text[]",
        }
    }
}

/// One column.
#[derive(Debug)]
pub(super) enum Cells {
    Uuid(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
}

impl Cells {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Uuid => Self::Uuid(Vec::new()),
            Kind::Int => Self::Int(Vec::new()),
            Kind::Bool => Self::Bool(Vec::new()),
            Kind::Text => Self::Text(Vec::new()),
        }
    }

    /// Takes the value of a row; answers about how many bytes it has.
    pub(super) fn push(&mut self, row: &SqliteRow, at: usize) -> Result<usize, Error> {
        match self {
            Self::Uuid(cells) => cells.push(row.try_get(at)?),
            Self::Int(cells) => cells.push(row.try_get(at)?),
            Self::Bool(cells) => cells.push(row.try_get(at)?),
            Self::Text(cells) => {
                let text: Option<String> = row.try_get(at)?;
                let text = text.map(storable);
                let bytes = text.as_ref().map_or(0, String::len);
                cells.push(text);
                return Ok(bytes);
            }
        }
        Ok(16)
    }

    /// The same of a row over there.
    pub(super) fn push_there(&mut self, row: &PgRow, at: usize) -> Result<(), Error> {
        match self {
            Self::Uuid(cells) => cells.push(row.try_get(at)?),
            Self::Int(cells) => cells.push(row.try_get(at)?),
            Self::Bool(cells) => cells.push(row.try_get(at)?),
            Self::Text(cells) => cells.push(row.try_get(at)?),
        }
        Ok(())
    }

    /// Leaves nothing behind.
    pub(super) fn bound<'q>(
        &mut self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        match self {
            Self::Uuid(cells) => query.bind(std::mem::take(cells)),
            Self::Int(cells) => query.bind(std::mem::take(cells)),
            Self::Bool(cells) => query.bind(std::mem::take(cells)),
            Self::Text(cells) => query.bind(std::mem::take(cells)),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Uuid(cells) => cells.clear(),
            Self::Int(cells) => cells.clear(),
            Self::Bool(cells) => cells.clear(),
            Self::Text(cells) => cells.clear(),
        }
    }

    /// The last value goes into the digest of its row, such that no two rows have the same bytes.
    fn digest_last(&self, digest: &mut Sha256) {
        let mut put = |bytes: Option<&[u8]>| match bytes {
            None => digest.update([0]),
            Some(bytes) => {
                digest.update([1]);
                digest.update((bytes.len() as u64).to_le_bytes());
                digest.update(bytes);
            }
        };
        match self {
            Self::Uuid(cells) => put(last(cells).as_ref().map(|id| &id.as_bytes()[..])),
            Self::Int(cells) => put(last(cells)
                .map(i64::to_le_bytes)
                .as_ref()
                .map(|bytes| &bytes[..])),
            Self::Bool(cells) => put(last(cells)
                .map(|yes| [u8::from(yes)])
                .as_ref()
                .map(|bytes| &bytes[..])),
            Self::Text(cells) => put(cells.last().and_then(Option::as_ref).map(String::as_bytes)),
        }
    }
}

fn last<T: Copy>(cells: &[Option<T>]) -> Option<T> {
    cells.last().copied().flatten()
}

/// The one character that no text there can hold.
fn storable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// What all rows of a table come to, in whatever order they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    sum: [u64; 4],
}

impl Sum {
    /// Adds the row that these hold, and leaves nothing behind in them.
    pub(super) fn add(&mut self, columns: &mut [Cells]) {
        let mut digest = Sha256::new();
        for column in columns.iter_mut() {
            column.digest_last(&mut digest);
            column.clear();
        }
        self.rows += 1;
        let digest = digest.finalize();
        for (part, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let number = bytes
                .iter()
                .fold(0_u64, |so_far, byte| so_far << 8 | u64::from(*byte));
            *part = part.wrapping_add(number);
        }
    }
}
