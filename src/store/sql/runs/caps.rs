//! How many sessions may be leased at once: of a class, of a project, and cold.
//!
//! Every count is derived from the leased rows under the one writer. What bounds several classes does so level by level of the run tree,
//! over runs that have the same number of runs above them: a parent holds its turn while it waits for its children, so a bound that counted
//! both could be used up by parents whose children then waited for ever. The lowest level waits for nobody below it, so somebody always
//! gets on.

use crate::store::{
    StoreError,
    sql::{tx::Tx, value::values, writer::Write},
};
use async_trait::async_trait;

/// More than there ever are: no bound.
macro_rules! unbounded {
    () => {
        "1000000"
    };
}

/// Slots that class `c` has free. A cold class has none: the cold attempts of all agents and lanes are bounded together.
macro_rules! slots {
    () => {
        concat!(
            "(CASE WHEN c.cold THEN ",
            $crate::store::sql::runs::caps::unbounded!(),
            " ELSE c.max_concurrent-(SELECT count(*) FROM session a INDEXED BY session_active \
             WHERE a.class_key=c.class_key AND NOT a.overflow AND a.lease_holder IS NOT NULL) END)"
        )
    };
}

/// Turns that the project of class `c` allows beside those under way on the same level, by whatever agent. O(leases).
macro_rules! turns_in_project {
    () => {
        concat!(
            "(CASE WHEN c.project IS NULL THEN ",
            $crate::store::sql::runs::caps::unbounded!(),
            " ELSE coalesce((SELECT j.max_concurrent FROM project j WHERE j.id=c.project) \
             -(SELECT count(*) FROM session a INDEXED BY session_active CROSS JOIN class g ON g.class_key=a.class_key \
             WHERE a.lease_holder IS NOT NULL AND g.project=c.project AND g.depth=c.depth),",
            $crate::store::sql::runs::caps::unbounded!(),
            ") END)"
        )
    };
}

/// Cold attempts that may begin in class `c`, if it is a cold one, beside those under way on the same level of its host. O(leases).
macro_rules! cold_turns {
    () => {
        concat!(
            "(CASE WHEN NOT c.cold THEN ",
            $crate::store::sql::runs::caps::unbounded!(),
            " ELSE coalesce((SELECT h.cold_cap FROM host h WHERE h.place=c.place),(SELECT value FROM setting WHERE name='cold_cap')) \
             -(SELECT count(*) FROM session a INDEXED BY session_active CROSS JOIN class g ON g.class_key=a.class_key \
             WHERE a.lease_holder IS NOT NULL AND g.place=c.place AND g.depth=c.depth AND (g.cold OR a.overflow)) END)"
        )
    };
}

/// What class `c` allows beside what is under way in it, while too many of its attempts failed: see [`crate::domain::breaker`].
macro_rules! allowed {
    () => {
        concat!(
            "(CASE WHEN c.allowed IS NULL THEN ",
            $crate::store::sql::runs::caps::unbounded!(),
            " ELSE c.allowed-(SELECT count(*) FROM session a INDEXED BY session_active \
             WHERE a.class_key=c.class_key AND a.lease_holder IS NOT NULL) END)"
        )
    };
}

/// How many sessions of class `c` may be leased now; not above 0: none.
macro_rules! room {
    () => {
        concat!(
            "(SELECT min(v) FROM (SELECT ",
            $crate::store::sql::runs::caps::slots!(),
            " AS v UNION ALL SELECT ",
            $crate::store::sql::runs::caps::turns_in_project!(),
            " UNION ALL SELECT ",
            $crate::store::sql::runs::caps::cold_turns!(),
            " UNION ALL SELECT ",
            $crate::store::sql::runs::caps::allowed!(),
            ") m)"
        )
    };
}

pub(in crate::store::sql) use {allowed, cold_turns, room, slots, turns_in_project, unbounded};

/// What a person has set; holds for every class, old and new, but for those of hosts that have entered: those set their own.
#[derive(Debug)]
pub(in crate::store::sql) struct SetCaps {
    /// Slots of a class.
    pub(in crate::store::sql) class: u32,
    /// Cold attempts.
    pub(in crate::store::sql) cold: Option<u32>,
}

#[async_trait]
impl Write for SetCaps {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for (name, value) in [("default_cap", Some(self.class)), ("cold_cap", self.cold)] {
            let Some(value) = value else { continue };
            tx.execute(
                "UPDATE setting SET value=$2 WHERE name=$1 AND value<>$2",
                values![name, value],
            )
            .await?;
        }
        tx.execute(
            "UPDATE class SET max_concurrent=$1 WHERE max_concurrent<>$1 AND place NOT IN (SELECT place FROM host)",
            values![self.class],
        )
        .await?;
        tx.changed_elsewhere();
        Ok(())
    }
}
