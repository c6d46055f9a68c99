//! Keys under which instances were created, kept as long as the instances are.

use super::{
    connection::Readers,
    instances::{INSERT, Put},
    place::Place,
    tx::Tx,
    value::values,
    writer::Write,
};
use crate::{
    domain::{ids::InstanceId, instance::Instance},
    store::{Idempotency, StoreError},
};
use async_trait::async_trait;
use uuid::Uuid;

const KEY: &str = "INSERT INTO instance_key(scope,key,fingerprint,instance,created_at) VALUES($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING";
const SEEN: &str = "SELECT fingerprint, instance FROM instance_key WHERE scope=$1 AND key=$2";
const GONE: &str = "DELETE FROM instance_key WHERE instance=$1";

/// A new instance with its key.
#[derive(Debug)]
pub(super) struct PutOnce {
    pub(super) instance: Instance,
    pub(super) key: Idempotency,
    pub(super) place: Place,
}

#[async_trait]
impl Write for PutOnce {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Idempotency {
            scope,
            key,
            fingerprint,
        } = &self.key;
        let put = Put {
            sql: INSERT,
            instance: self.instance.clone(),
            place: Some(self.place.clone()),
        };
        put.write(tx).await?;
        let fresh = tx
            .execute(
                KEY,
                values![scope, key, fingerprint, self.instance.id.0, tx.now],
            )
            .await?;
        if fresh == 1 {
            Ok(())
        } else {
            Err(StoreError::NameExists(self.instance.name.clone()))
        }
    }
}

/// The instance that a key stands for.
pub(super) async fn seen(
    readers: &Readers,
    key: &Idempotency,
) -> Result<Option<InstanceId>, StoreError> {
    let seen: Option<(String, Uuid)> = readers
        .optional(SEEN, values![&key.scope, &key.key])
        .await?;
    match seen {
        Some((fingerprint, id)) if fingerprint == key.fingerprint => Ok(Some(InstanceId(id))),
        Some(_) => Err(StoreError::IdempotencyConflict(key.key.clone())),
        None => Ok(None),
    }
}

/// Forgets the keys of an instance that is gone for good.
pub(super) async fn forget(tx: &mut Tx<'_>, instance: Uuid) -> Result<(), StoreError> {
    tx.execute(GONE, values![instance]).await?;
    Ok(())
}
