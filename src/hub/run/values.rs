//! The environment values that came with each open run. In memory only: a hub that starts anew has none of them.

use crate::domain::ids::RunId;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Values by run, from its acceptance to its end.
#[derive(Clone, Default)]
pub(crate) struct RunValues(Arc<Mutex<HashMap<RunId, BTreeMap<String, String>>>>);

/// Values stay out of every log.
impl fmt::Debug for RunValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunValues").finish_non_exhaustive()
    }
}

impl RunValues {
    pub(crate) fn keep(&self, run: RunId, values: BTreeMap<String, String>) {
        if !values.is_empty() {
            self.table().insert(run, values);
        }
    }

    pub(crate) fn of(&self, run: RunId) -> Option<BTreeMap<String, String>> {
        self.table().get(&run).cloned()
    }

    pub(crate) fn forget(&self, run: RunId) {
        self.table().remove(&run);
    }

    pub(crate) fn kept(&self) -> Vec<RunId> {
        self.table().keys().copied().collect()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, BTreeMap<String, String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
