//! Scripts: here each statement goes by itself, with the values that it names.

use crate::store::sql::statement::Statement as _;
use sqlx::{SqlSafeStr as _, SqlStr};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// A statement of a script.
#[derive(Clone, Debug)]
pub(in crate::store::sql) struct Step {
    /// Its values numbered from `$1`.
    pub(in crate::store::sql) text: SqlStr,
    /// Which of the script's values they are, from 0.
    pub(in crate::store::sql) values: Vec<usize>,
}

/// By script: there are few, and each is a constant.
type Known = HashMap<&'static str, Arc<[Step]>>;
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// The statements of a script, read once.
pub(in crate::store::sql) fn steps(script: &'static str) -> Arc<[Step]> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let read = || script.split("; ").map(step).collect();
    Arc::clone(known.entry(script).or_insert_with(read))
}

fn step(statement: &str) -> Step {
    let (text, values) = numbered(statement);
    Step {
        text: text.for_postgres().into_sql_str(),
        values,
    }
}

/// The statement with its values numbered anew, in the order it names them in.
fn numbered(statement: &str) -> (String, Vec<usize>) {
    let mut values: Vec<usize> = Vec::new();
    let mut parts = statement.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let Some(value) = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) else {
            text.push('$');
            text.push_str(part);
            continue;
        };
        let at = values.iter().position(|known| *known == value);
        let at = at.unwrap_or_else(|| {
            values.push(value);
            values.len() - 1
        });
        text.push_str(&format!("${}{rest}", at + 1));
    }
    (text, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_its_own_values_in_the_order_it_names_them() {
        let steps = steps("UPDATE a SET b=$3 WHERE c=$1 OR d=$3; DELETE FROM e; SELECT $12, $2");
        let read: Vec<(&str, &[usize])> = steps
            .iter()
            .map(|step| (step.text.as_str(), step.values.as_slice()))
            .collect();
        assert_eq!(
            read,
            [
                ("UPDATE a SET b=$1 WHERE c=$2 OR d=$1", &[2, 0][..]),
                ("DELETE FROM e", &[]),
                ("SELECT $1, $2", &[11, 1]),
            ]
        );
    }
}
