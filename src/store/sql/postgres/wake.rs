//! Telling other hubs that something was written, and being told by them.
//!
//! A hint, after the commit and in a transaction of its own: within the commit it would make all commits of the server take turns. What gathers
//! while one is sent goes with the next.

use crate::{stdx::mint, store::Change};
use sqlx::{Error, PgPool, postgres::PgListener};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, broadcast},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const CHANNEL: &str = "eyas_wake";
/// Between two hints.
const PAUSE: Duration = Duration::from_millis(5);
/// Before another try, after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The two tasks, until [`Wake::close`] or the drop of the last handle's store.
#[derive(Debug)]
pub(in crate::store::sql) struct Wake {
    closing: CancellationToken,
    tasks: TaskTracker,
    pool: PgPool,
}

impl Wake {
    /// `written` is told by the writer after each commit; what others write is told on `changes`.
    /// Listens once this is done, so that nothing written after it is missed.
    pub(in crate::store::sql) async fn start(
        pool: PgPool,
        written: Arc<Notify>,
        changes: broadcast::Sender<Change>,
    ) -> Result<Self, Error> {
        let ear = listener(&pool).await?;
        let wake = Self {
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            pool: pool.clone(),
        };
        // Tells our own hints from others'.
        let me = mint().to_string();
        let tell = tell(pool.clone(), written, me.clone());
        let closing = wake.closing.clone();
        wake.tasks
            .spawn(async move { closing.run_until_cancelled(tell).await });
        let closing = wake.closing.clone();
        wake.tasks.spawn(async move {
            closing
                .run_until_cancelled(listen(ear, pool, changes, me))
                .await
        });
        wake.tasks.close();
        Ok(wake)
    }

    pub(in crate::store::sql) async fn close(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
        self.pool.close().await;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

async fn tell(pool: PgPool, written: Arc<Notify>, me: String) {
    loop {
        written.notified().await;
        let told = sqlx::query("SELECT pg_notify($1,$2)")
            .bind(CHANNEL)
            .bind(&me)
            .execute(&pool)
            .await;
        match told {
            Ok(_) => sleep(PAUSE).await,
            Err(error) => {
                // Others look by themselves every few seconds.
                tracing::debug!(%error, "other hubs were not told");
                sleep(BACK_OFF).await;
            }
        }
    }
}

async fn listener(pool: &PgPool) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn listen(mut ear: PgListener, pool: PgPool, changes: broadcast::Sender<Change>, me: String) {
    loop {
        let Err(mut error) = heard(&mut ear, &changes, &me).await;
        ear = loop {
            tracing::warn!(%error, "nothing is heard of other hubs for now");
            sleep(BACK_OFF).await;
            match listener(&pool).await {
                Ok(ear) => break ear,
                Err(again) => error = again,
            }
        };
        // What was said meanwhile is not repeated.
        something(&changes);
    }
}

async fn heard(
    ear: &mut PgListener,
    changes: &broadcast::Sender<Change>,
    me: &str,
) -> Result<Infallible, Error> {
    loop {
        match ear.try_recv().await? {
            Some(hint) if hint.payload() == me => {}
            // None: the connection was lost and made anew, and what was said meanwhile with it.
            Some(_) | None => something(changes),
        }
    }
}

fn something(changes: &broadcast::Sender<Change>) {
    // Nobody listens: nobody need be told.
    drop(changes.send(Change {
        run: None,
        state: None,
    }));
}
