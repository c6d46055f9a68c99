//! What becomes of requests when their attempt or their run ends.

use super::decide::{Verdict, decide};
use crate::{
    domain::{
        event::EventKind,
        ids::RunId,
        request::{Answer, DecidedBy},
    },
    store::{
        StoreError,
        sql::{
            log::{Subject, append_all, count, event},
            tx::Tx,
            value::values,
            words::json,
        },
    },
};
use uuid::Uuid;

pub(in crate::store::sql) const WITHDRAW: &str = "UPDATE request SET decided_by='withdrawn', decided_at=$2, used=TRUE, answer=$3, why=$4 \
 WHERE run=$1 AND decided_by IS NULL RETURNING id";
pub(in crate::store::sql) const NUMBERS: &str =
    "UPDATE run SET event_seq=event_seq+$2 WHERE id=$1 RETURNING event_seq";
pub(in crate::store::sql) const LEAVE: &str =
    "UPDATE request SET fence=NULL WHERE run=$1 AND NOT used AND fence IS NOT NULL";
/// Of those that nobody waits for, as an attempt ends what it waits for itself.
pub(in crate::store::sql) const OVERDUE: &str = "SELECT run, id FROM request INDEXED BY request_left \
 WHERE decided_by IS NULL AND fence IS NULL AND deadline IS NOT NULL AND deadline<=$1 ORDER BY deadline LIMIT 500";

/// Takes back what a run that has ended still asks. `last` is the number of its last event, which moves up to make room; answers where to.
pub(in crate::store::sql) async fn withdraw(
    tx: &mut Tx<'_>,
    subject: Subject,
    last: i64,
) -> Result<i64, StoreError> {
    let verdict = Verdict {
        by: DecidedBy::Withdrawn,
        face: None,
        answer: Answer::default(),
        why: Some("its run has ended".to_owned()),
    };
    let open: Vec<String> = tx
        .scalars(
            WITHDRAW,
            values![subject.run, tx.now, json(&verdict.answer)?, &verdict.why],
        )
        .await?;
    let events: Vec<_> = open
        .iter()
        .map(|request| event(EventKind::Answered, verdict.told(request)))
        .collect();
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

/// The attempt that asked gives its run back: what it asked stays for the next one.
pub(in crate::store::sql) async fn leave(tx: &mut Tx<'_>, run: Uuid) -> Result<(), StoreError> {
    tx.execute(LEAVE, values![run]).await?;
    Ok(())
}

/// Decides what nobody answered in time and nobody waits for.
pub(in crate::store::sql) async fn sweep(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let late: Vec<(Uuid, String)> = tx.all(OVERDUE, values![tx.now]).await?;
    for (run, request) in late {
        decide(tx, RunId(run), &request, &Verdict::late()).await?;
    }
    Ok(())
}
