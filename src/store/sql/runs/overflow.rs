//! Leasing beyond the slots of a class, for cold attempts, where many wait for one.
//!
//! Nobody ever needs such a lease: what is passed over here gets a slot of its class in time. So it cannot be waited for in a circle, and
//! all cold attempts of all levels count against it.

use super::{
    caps::{slots, turns_in_project},
    claim::{classes_with_ready, tree_is_free},
};
use crate::store::{
    StoreError,
    sql::{connection::Readers, tx::Tx, value::values},
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// How far a class is looked through for sessions that may go cold: what a look costs does not grow with the queue.
const LOOKED_AT: u32 = 256;

pub(in crate::store::sql) const ROOM: &str = "SELECT coalesce((SELECT h.cold_cap FROM host h WHERE h.place=$1),(SELECT value FROM setting WHERE name='cold_cap')) \
 -(SELECT count(*) FROM session a INDEXED BY session_active CROSS JOIN class g ON g.class_key=a.class_key \
 WHERE a.lease_holder IS NOT NULL AND g.place=$1 AND (g.cold OR a.overflow))";
/// Classes of place $2 whose every slot is taken though nothing stands against them, and how many wait for one; counted up to $1.
pub(in crate::store::sql) const CROWDS: &str = concat!(
    "WITH RECURSIVE ",
    classes_with_ready!(),
    " SELECT c.class_key, (SELECT count(*) FROM (SELECT 1 FROM session z INDEXED BY session_ready WHERE z.class_key=c.class_key \
     AND z.ready_rank IS NOT NULL AND ",
    tree_is_free!(),
    " LIMIT $1+0)) AS waiting FROM k CROSS JOIN class c ON c.class_key=k.key WHERE NOT c.cold AND c.allowed IS NULL AND ",
    slots!(),
    "<=0 AND ",
    turns_in_project!(),
    ">0"
);
/// Up to $2 of a class that may go cold, the longest waiting first. A run that insists on a warm agent waits for one, and a conversation that
/// goes on waits for the agent that has it.
pub(in crate::store::sql) const FIRST: &str = concat!(
    "SELECT w.id FROM (SELECT z.id, z.head_run, z.agent_session, z.ready_rank FROM session z INDEXED BY session_ready WHERE z.class_key=$1 \
     AND z.ready_rank IS NOT NULL AND ",
    tree_is_free!(),
    " ORDER BY z.ready_rank LIMIT $3+0) w CROSS JOIN run r ON r.id=w.head_run \
     WHERE r.mode='auto' AND w.agent_session IS NULL ORDER BY w.ready_rank LIMIT $2+0"
);

#[derive(Debug, FromRow, Deserialize)]
struct Crowd {
    class_key: String,
    #[sqlx(try_from = "i64")]
    waiting: u32,
}

/// Whether some may go cold.
pub(super) async fn any(readers: &Readers, place: &str, depth: u32) -> Result<bool, StoreError> {
    let room: i64 = readers.scalar(ROOM, values![place]).await?;
    if room <= 0 {
        return Ok(false);
    }
    let most = depth.saturating_add(1);
    let crowds: Vec<Crowd> = readers.all(CROWDS, values![most, place]).await?;
    Ok(crowds.iter().any(|crowd| crowd.waiting > depth))
}

/// At most `limit` sessions to be leased beyond the slots of their classes, where more than `depth` wait for one.
pub(super) async fn pick(
    tx: &mut Tx<'_>,
    place: &str,
    depth: u32,
    limit: u32,
) -> Result<Vec<Uuid>, StoreError> {
    let room: i64 = tx.scalar(ROOM, values![place]).await?;
    let room = u32::try_from(room.max(0)).unwrap_or(u32::MAX).min(limit);
    if room == 0 {
        return Ok(Vec::new());
    }
    let most = depth.saturating_add(room);
    let crowds: Vec<Crowd> = tx.all(CROWDS, values![most, place]).await?;
    let waiting: Vec<u32> = crowds.iter().map(|crowd| crowd.waiting).collect();
    let mut picked = Vec::new();
    for (crowd, share) in crowds.iter().zip(shares(&waiting, depth, room)) {
        if share == 0 {
            continue;
        }
        let looked_at = LOOKED_AT.max(depth);
        let first: Vec<Uuid> = tx
            .scalars(FIRST, values![&crowd.class_key, share, looked_at])
            .await?;
        picked.extend(first);
    }
    Ok(picked)
}

/// How many of each crowd go cold: no crowd is brought below `depth`, `room` go in all, and each goes from where most are too many.
fn shares(waiting: &[u32], depth: u32, room: u32) -> Vec<u32> {
    let mut shares = vec![0; waiting.len()];
    for _ in 0..room {
        let excess = |at: &usize| waiting[*at].saturating_sub(depth + shares[*at]);
        // The first of equals: those behind it have their turn next.
        let Some(most) = (0..waiting.len()).rev().max_by_key(excess) else {
            break;
        };
        if excess(&most) == 0 {
            break;
        }
        shares[most] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn what_is_above_the_depth_goes_cold_as_far_as_there_is_room() {
        for (waiting, depth, room, expected) in [
            (vec![], 16, 2, vec![]),
            (vec![16], 16, 2, vec![0]),
            (vec![17], 16, 2, vec![1]),
            (vec![40], 16, 2, vec![2]),
            (vec![40], 16, 0, vec![0]),
            (vec![3, 3, 3], 0, 2, vec![1, 1, 0]),
            (vec![3, 9, 3], 2, 3, vec![0, 3, 0]),
            (vec![3, 5, 4], 2, 4, vec![1, 2, 1]),
            (vec![1, 1], u32::MAX, 9, vec![0, 0]),
        ] {
            let shared = shares(&waiting, depth, room);
            assert_eq!(shared, expected, "{waiting:?} above {depth}, room {room}");
        }
    }
}
