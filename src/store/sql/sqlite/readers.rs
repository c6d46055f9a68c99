//! Those that read.
//!
//! A row by its key is in memory, or a page of the disk away: it is read where it is asked for. What may be many rows is read beside, by a few
//! threads.

use super::{cells::Cells, connect, connection::Local};
use crate::store::sql::error::Error;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// That read beside at once.
const BESIDE: usize = 4;

/// Connections, opened when first needed; cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::store::sql) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Local>>,
    /// Closed with the pool.
    turns: Semaphore,
}

impl Pool {
    pub(in crate::store::sql) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Shared {
            path,
            idle: Mutex::default(),
            turns: Semaphore::new(BESIDE),
        }))
    }

    /// Reads a row or two, at once.
    pub(in crate::store::sql) fn here(
        &self,
        read: impl FnOnce(&Local) -> Result<Vec<Cells>, Error>,
    ) -> Result<Vec<Cells>, Error> {
        if self.0.turns.is_closed() {
            return Err(Error::Closed);
        }
        self.0.read(read)
    }

    /// Reads what may be many rows.
    pub(in crate::store::sql) async fn beside(
        &self,
        read: impl FnOnce(&Local) -> Result<Vec<Cells>, Error> + Send + 'static,
    ) -> Result<Vec<Cells>, Error> {
        let turn = self.0.turns.acquire().await.or(Err(Error::Closed))?;
        let shared = Arc::clone(&self.0);
        let done = spawn_blocking(move || shared.read(read)).await;
        drop(turn);
        done.unwrap_or(Err(Error::Closed))
    }

    /// Waits for those at work beside, then closes.
    pub(in crate::store::sql) async fn close(&self) {
        // All turns at once are nobody's turn.
        let all = u32::try_from(BESIDE).unwrap_or(u32::MAX);
        let held = self.0.turns.acquire_many(all).await;
        self.0.turns.close();
        self.0.idle().clear();
        drop(held);
    }
}

impl Shared {
    fn read<T>(&self, read: impl FnOnce(&Local) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.path)?,
        };
        let done = read(&connection);
        // One that failed may be of a file that is not there any more.
        if done.is_ok() && !self.turns.is_closed() {
            self.idle().push(connection);
        }
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Local>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
