//! How many sessions of a class may be leased at once.

use crate::store::{
    StoreError,
    sql::{Base, tx::Tx, value::values, writer::Write},
};
use async_trait::async_trait;

const IS_SO: &str = "SELECT count(*) FROM class WHERE class_key='local/'||$1||'/'||$2 AND own_cap AND \
 max_concurrent=(SELECT CASE WHEN value<$3 THEN value ELSE $3 END FROM setting WHERE name='default_cap')";
const SET: &str = "INSERT INTO class(class_key,place,agent,lane,max_concurrent,own_cap) VALUES('local/'||$1||'/'||$2,'local',$1,$2, \
 (SELECT CASE WHEN value<$3 THEN value ELSE $3 END FROM setting WHERE name='default_cap'),TRUE) \
 ON CONFLICT(class_key) DO UPDATE SET max_concurrent=excluded.max_concurrent, own_cap=TRUE";

/// Every delegation to a project with a cap comes by; one that changes nothing costs no write.
pub(super) async fn set(base: &Base, agent: &str, lane: &str, cap: u32) -> Result<(), StoreError> {
    let is_so: i64 = base
        .readers
        .scalar(IS_SO, values![agent, lane, cap])
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
        tx.execute(SET, values![&self.agent, &self.lane, self.cap])
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
        tx.execute(
            "UPDATE setting SET value=$1 WHERE name='default_cap' AND value<>$1",
            values![self.0],
        )
        .await?;
        let changed = tx
            .execute(
                "UPDATE class SET max_concurrent=$1 WHERE NOT own_cap AND max_concurrent<>$1",
                values![self.0],
            )
            .await?;
        if changed > 0 {
            tx.changed_elsewhere();
        }
        Ok(())
    }
}
