//! Which roots this process serves: one claim a root, held as long as a warm process of it lives.

use crate::{
    domain::fault::Fault,
    workspace::lock::{self, Claim, Server, Standing},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};
use tokio::sync::Mutex;

/// Who a pool is to others, so that no two serve one project.
#[derive(Clone, Debug)]
pub struct Serving {
    pub server: Arc<Server>,
    /// What lies below is ours alone and needs no claim.
    pub own: PathBuf,
}

/// One at a time: the second who starts an agent in a root must find the claim of the first, not take it for another's.
type Slot = Arc<Mutex<Weak<Claim>>>;

#[derive(Debug)]
pub(super) struct Claims {
    serving: Option<Serving>,
    slots: HashMap<PathBuf, Slot>,
}

/// A claim that is to be taken.
#[derive(Debug)]
pub(super) struct Claiming {
    root: PathBuf,
    server: Arc<Server>,
    slot: Slot,
}

impl Claims {
    pub(super) fn new(serving: Option<Serving>) -> Self {
        Self {
            serving,
            slots: HashMap::new(),
        }
    }

    /// How to claim `root`; `None` where nobody else can come.
    pub(super) fn claiming(&mut self, root: &Path) -> Option<Claiming> {
        let serving = self.serving.as_ref()?;
        if root.starts_with(&serving.own) {
            return None;
        }
        let in_use = |slot: &Slot| {
            Arc::strong_count(slot) > 1
                || slot.try_lock().is_ok_and(|claim| claim.strong_count() > 0)
        };
        self.slots.retain(|_, slot| in_use(slot));
        Some(Claiming {
            root: root.to_owned(),
            server: serving.server.clone(),
            slot: self.slots.entry(root.to_owned()).or_default().clone(),
        })
    }

    /// The directory that is served is not the one that has its name now.
    pub(super) fn is_replaced(&self, root: &Path) -> bool {
        let claim = self
            .slots
            .get(root)
            .and_then(|slot| slot.try_lock().ok()?.upgrade());
        claim.is_some_and(|claim| claim.standing() == Standing::Replaced)
    }
}

impl Claiming {
    /// The claim of this root, taken if it is not there. A lock that was removed from under us is taken anew beside the old one.
    pub(super) async fn take(self) -> Result<Arc<Claim>, Fault> {
        let Self { root, server, slot } = self;
        let mut held = slot.lock().await;
        let there = held.upgrade();
        if let Some(claim) = there.filter(|claim| claim.standing() == Standing::Held) {
            return Ok(claim);
        }
        let taken = tokio::task::spawn_blocking(move || lock::claim(&root, &server)).await;
        let claim = Arc::new(taken.map_err(Fault::internal)??);
        *held = Arc::downgrade(&claim);
        Ok(claim)
    }
}
