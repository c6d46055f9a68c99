//! What an agent printed on stdout that is no message: counted, and the last lines kept for whoever asks why nothing works.

use crate::stdx::text::head;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Lines that are kept.
const KEPT: usize = 8;
/// Bytes of a line that are kept.
const LINE: usize = 400;

/// Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub(in crate::agents) struct Junk {
    heap: Arc<Mutex<Heap>>,
}

#[derive(Debug, Default)]
struct Heap {
    count: u64,
    last: VecDeque<String>,
}

impl Junk {
    pub(in crate::agents) fn add(&self, line: &str) {
        let mut heap = self.heap();
        heap.count += 1;
        if heap.last.len() == KEPT {
            heap.last.pop_front();
        }
        heap.last
            .push_back(head(line, LINE).escape_debug().to_string());
    }

    /// The count and the last lines for a person; nothing if there were none.
    pub(in crate::agents) fn told(&self) -> Option<String> {
        let heap = self.heap();
        if heap.count == 0 {
            return None;
        }
        let mut text = format!("{} line(s) on stdout were no protocol:", heap.count);
        for line in &heap.last {
            text.push_str("\n  ");
            text.push_str(line);
        }
        Some(text)
    }

    fn heap(&self) -> MutexGuard<'_, Heap> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
