//! Whose a store is: the place that stands in its sessions' class keys, and beside projects and instances.
//!
//! The first host of a database has the place `local`, be it the only one of a file or the first of many; the others have their ids for theirs.

use std::sync::{Arc, OnceLock};

/// Of the first host, and of a store that no host has entered.
pub(super) const FIRST: &str = "local";

/// The place of the host that has entered.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(Arc<OnceLock<String>>);

impl Place {
    pub(super) fn get(&self) -> &str {
        self.0.get().map_or(FIRST, String::as_str)
    }

    /// A host enters once in a store's life.
    pub(super) fn take(&self, place: &str) {
        self.0.get_or_init(|| place.to_owned());
    }
}

/// The name of a working tree among those of all hosts: two may have the same path.
pub(super) fn tree_at(place: &str, tree: &str) -> String {
    if place == FIRST {
        tree.to_owned()
    } else {
        format!("{place}{tree}")
    }
}
