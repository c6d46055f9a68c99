//! A statement in the words of each database.
//!
//! The text is SQLite's, in what both understand as far as that goes. PostgreSQL gets the same with a few words changed; where that would be
//! right but slow, a statement brings a text of its own.

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// What SQLite says, and what PostgreSQL says instead.
const WORDS: [(&str, &str); 7] = [
    // To SQLite, which has no statistics here, this names the order of the join.
    ("CROSS JOIN", "JOIN"),
    ("json_group_array(", "json_agg("),
    ("json_object(", "json_build_object("),
    ("json_each(", "each_of("),
    (
        "CAST(unixepoch('subsec')*1000 AS INTEGER)",
        "CAST(extract(epoch FROM clock_timestamp())*1000 AS BIGINT)",
    ),
    // Written as the condition of a partial index is, or SQLite does not take the index.
    ("unregistered=0", "unregistered=FALSE"),
    ("unregistered=1", "unregistered=TRUE"),
];
/// PostgreSQL has statistics, and no hints.
const HINT: &str = " INDEXED BY ";

/// What can be run.
pub(super) trait Statement: Send {
    fn for_sqlite(self) -> SqlStr;
    fn for_postgres(self) -> SqlStr;
}

impl Statement for &'static str {
    fn for_sqlite(self) -> SqlStr {
        self.into_sql_str()
    }

    fn for_postgres(self) -> SqlStr {
        match translated(self) {
            Some(text) => AssertSqlSafe(text).into_sql_str(),
            None => self.into_sql_str(),
        }
    }
}

/// Put together from fixed parts; what a caller gave is among the values.
impl Statement for String {
    fn for_sqlite(self) -> SqlStr {
        AssertSqlSafe(self).into_sql_str()
    }

    fn for_postgres(self) -> SqlStr {
        AssertSqlSafe(translated(&self).unwrap_or(self)).into_sql_str()
    }
}

/// One text each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Either {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// The same for both.
impl From<&'static str> for Either {
    fn from(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

impl Statement for Either {
    fn for_sqlite(self) -> SqlStr {
        self.sqlite.into_sql_str()
    }

    fn for_postgres(self) -> SqlStr {
        self.postgres.for_postgres()
    }
}

/// A list of which one value says how many rows are wanted.
#[derive(Debug)]
pub(super) struct Page {
    /// Without a limit.
    pub(super) list: String,
    /// The name of that value.
    pub(super) limit: &'static str,
    /// It is never above this: PostgreSQL makes one plan for all values, and would have to guess how much of the list is ever read.
    pub(super) most: u32,
}

impl Statement for Page {
    fn for_sqlite(self) -> SqlStr {
        format!("{} LIMIT {}+0", self.list, self.limit).for_sqlite()
    }

    fn for_postgres(self) -> SqlStr {
        let Self { list, limit, most } = self;
        format!("SELECT * FROM ({list} LIMIT {most}) AS page LIMIT {limit}").for_postgres()
    }
}

/// `None`: as it is.
fn translated(sql: &str) -> Option<String> {
    let mut text: Option<String> = None;
    for (ours, theirs) in WORDS {
        let now = text.as_deref().unwrap_or(sql);
        if now.contains(ours) {
            text = Some(now.replace(ours, theirs));
        }
    }
    let now = text.as_deref().unwrap_or(sql);
    if now.contains(HINT) {
        text = Some(without_hints(now));
    }
    text
}

fn without_hints(sql: &str) -> String {
    let mut parts = sql.split(HINT);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(part.len());
        text.push_str(&part[name..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_and_words_of_sqlite_are_not_said_to_the_other() {
        let text = "SELECT 1 FROM run r INDEXED BY run_open CROSS JOIN session s ON s.id=r.session WHERE r.id IN (SELECT id FROM q INDEXED BY q_a)";
        assert_eq!(
            translated(text).as_deref(),
            Some(
                "SELECT 1 FROM run r JOIN session s ON s.id=r.session WHERE r.id IN (SELECT id FROM q)"
            )
        );
        assert_eq!(translated("SELECT 1"), None);
        assert_eq!(text.for_sqlite().as_str(), text);
    }

    #[test]
    fn a_page_is_bounded_where_its_plan_is_made_once() {
        let page = || Page {
            list: "SELECT a FROM b ORDER BY a".to_owned(),
            limit: "$2",
            most: 7,
        };
        let (sqlite, postgres) = (page().for_sqlite(), page().for_postgres());
        assert_eq!(sqlite.as_str(), "SELECT a FROM b ORDER BY a LIMIT $2+0");
        assert_eq!(
            postgres.as_str(),
            "SELECT * FROM (SELECT a FROM b ORDER BY a LIMIT 7) AS page LIMIT $2"
        );
    }
}
