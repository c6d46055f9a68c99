//! What becomes of inputs when their run ends.

use crate::{
    domain::event::EventKind,
    store::{
        StoreError,
        sql::{
            log::{Subject, append_all, count, event},
            requests::end::NUMBERS,
            tx::Tx,
            value::values,
        },
    },
};
use serde_json::json as data;
use uuid::Uuid;

pub(in crate::store::sql) const WAITS: &str =
    "SELECT EXISTS(SELECT 1 FROM input WHERE run=$1 AND state='pending')";
pub(in crate::store::sql) const DROP: &str =
    "UPDATE input SET state='dropped', ended_at=$2 WHERE run=$1 AND state='pending' RETURNING seq";

/// Whether one waits to be put.
pub(in crate::store::sql) async fn waits(tx: &mut Tx<'_>, run: Uuid) -> Result<bool, StoreError> {
    Ok(tx.scalar(WAITS, values![run]).await?)
}

/// Drops what waits to be said to a run that has ended. `last` is the number of its last event, which moves up to make room; answers where to.
pub(in crate::store::sql) async fn drop_pending(
    tx: &mut Tx<'_>,
    subject: Subject,
    last: i64,
) -> Result<i64, StoreError> {
    let mut dropped: Vec<i64> = tx.scalars(DROP, values![subject.run, tx.now]).await?;
    dropped.sort_unstable();
    let told = |seq: &i64| {
        let why = "its run has ended";
        event(
            EventKind::Input,
            data!({"seq": seq, "state": "dropped", "reason": why}),
        )
    };
    let events: Vec<_> = dropped.iter().map(told).collect();
    let moved: i64 = tx
        .scalar(NUMBERS, values![subject.run, count(events.len())])
        .await?;
    debug_assert_eq!(
        moved,
        last + count(events.len()),
        "nobody else draws numbers"
    );
    append_all(tx, subject, moved - 1, &events).await?;
    Ok(moved)
}
