//! What a delegation brings along: a caller's own name of the session, more of who the agent is, and an opaque text.

use crate::{
    domain::ids::SessionId,
    store::{
        Extras, KeyedSession, NewRun, Redactor, SessionKey, StoreError,
        sql::{connection::Readers, tx::Tx, value::values},
    },
};
use uuid::Uuid;

pub(in crate::store::sql) const NAMED: &str =
    "SELECT id, extra_system_prompt FROM session WHERE key_scope=$1 AND key=$2 AND key IS NOT NULL";
pub(in crate::store::sql) const NAME: &str = "UPDATE session SET key_scope=coalesce(key_scope,$2), key=coalesce(key,$3), \
 extra_system_prompt=coalesce(extra_system_prompt,$4) WHERE id=$1";
pub(in crate::store::sql) const HOOK: &str = "UPDATE run SET hook=$2 WHERE id=$1";

/// Strikes secrets out of it.
pub(super) fn redact(extras: &mut Extras, redactor: &Redactor) {
    let texts = [&mut extras.extra_system_prompt, &mut extras.hook];
    for text in texts.into_iter().flatten() {
        redactor.redact_in_place(text);
    }
}

/// Refuses a name that is another session's.
pub(super) async fn check(tx: &mut Tx<'_>, run: &NewRun) -> Result<(), StoreError> {
    let Some(SessionKey { scope, key }) = &run.extras.session_key else {
        return Ok(());
    };
    let known: Option<(Uuid, Option<String>)> = tx.optional(NAMED, values![scope, key]).await?;
    match known {
        Some((session, _)) if session != run.session.id.0 => {
            Err(StoreError::SessionKeyTaken(SessionId(session)))
        }
        Some(_) | None => Ok(()),
    }
}

/// Writes it; the rows are there.
pub(super) async fn write(tx: &mut Tx<'_>, run: &NewRun) -> Result<(), StoreError> {
    let Extras {
        session_key,
        extra_system_prompt,
        hook,
        host: _,
    } = &run.extras;
    if session_key.is_some() || extra_system_prompt.is_some() {
        let key = session_key.as_ref();
        tx.execute(
            NAME,
            values![
                run.session.id.0,
                key.map(|key| key.scope.as_str()),
                key.map(|key| key.key.as_str()),
                extra_system_prompt
            ],
        )
        .await?;
    }
    if hook.is_some() {
        tx.execute(HOOK, values![run.id.0, hook]).await?;
    }
    Ok(())
}

/// The session of that name.
pub(super) async fn named(
    readers: &Readers,
    key: &SessionKey,
) -> Result<Option<KeyedSession>, StoreError> {
    let known: Option<(Uuid, Option<String>)> = readers
        .optional(NAMED, values![&key.scope, &key.key])
        .await?;
    Ok(known.map(|(session, extra_system_prompt)| KeyedSession {
        session: SessionId(session),
        extra_system_prompt,
    }))
}
