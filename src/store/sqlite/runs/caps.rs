//! How many sessions of a class may be leased at once.

use crate::store::{
    StoreError,
    sqlite::{Base, tx::Tx, writer::Write},
};
use async_trait::async_trait;

const IS_SO: &str = "SELECT count(*) FROM class WHERE class_key='local/'||?1||'/'||?2 AND own_cap=1 AND \
 max_concurrent=min(?3,(SELECT value FROM setting WHERE name='default_cap'))";
const SET: &str = "INSERT INTO class(class_key,place,agent,lane,max_concurrent,own_cap) VALUES('local/'||?1||'/'||?2,'local',?1,?2, \
 min(?3,(SELECT value FROM setting WHERE name='default_cap')),1) \
 ON CONFLICT(class_key) DO UPDATE SET max_concurrent=excluded.max_concurrent, own_cap=1";

/// Every delegation to a project with a cap comes by; one that changes nothing costs no write.
pub(super) async fn set(base: &Base, agent: &str, lane: &str, cap: u32) -> Result<(), StoreError> {
    let is_so: i64 = sqlx::query_scalar(IS_SO)
        .bind(agent)
        .bind(lane)
        .bind(cap)
        .fetch_one(&base.readers)
        .await?;
    if is_so > 0 {
        return Ok(());
    }
    let (agent, lane) = (agent.to_owned(), lane.to_owned());
    base.writer.send(OwnCap { agent, lane, cap }).await
}

#[derive(Debug)]
struct OwnCap {
    agent: String,
    lane: String,
    cap: u32,
}

#[async_trait]
impl Write for OwnCap {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        sqlx::query(SET)
            .bind(&self.agent)
            .bind(&self.lane)
            .bind(self.cap)
            .execute(&mut *tx.connection)
            .await?;
        tx.changed_elsewhere();
        Ok(())
    }
}

/// Changes the cap of every class that has none of its own.
#[derive(Debug)]
pub(super) struct DefaultCap(pub(super) u32);

#[async_trait]
impl Write for DefaultCap {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        sqlx::query("UPDATE setting SET value=?1 WHERE name='default_cap' AND value<>?1")
            .bind(self.0)
            .execute(&mut *tx.connection)
            .await?;
        let changed = sqlx::query(
            "UPDATE class SET max_concurrent=?1 WHERE own_cap=0 AND max_concurrent<>?1",
        )
        .bind(self.0)
        .execute(&mut *tx.connection)
        .await?;
        if changed.rows_affected() > 0 {
            tx.changed_elsewhere();
        }
        Ok(())
    }
}
