//! Request ids: the client's, kept letter by letter, against ours.
//!
//! rmcp keys what is in flight by a 64-bit number or a string and loses one answer of two that share an id. It gets numbers of
//! ours, unique for the life of the process, and never sees the client's.

use serde_json::value::RawValue;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// More requests than this at once are refused: a client that never reads must not make us grow.
const MOST_OPEN: usize = 1024;

#[derive(Debug, Default)]
struct Open {
    last: i64,
    raw: HashMap<i64, Box<RawValue>>,
}

/// The open requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Ids(Mutex<Open>);

impl Ids {
    /// Our number for a new request; none when too many are open.
    pub(super) fn open(&self, raw: Box<RawValue>) -> Option<i64> {
        let mut open = self.lock();
        if open.raw.len() >= MOST_OPEN {
            return None;
        }
        open.last += 1;
        let number = open.last;
        open.raw.insert(number, raw);
        Some(number)
    }

    /// The client's id of a request that stays open; none when it was cancelled.
    pub(super) fn of(&self, number: i64) -> Option<Box<RawValue>> {
        self.lock().raw.get(&number).cloned()
    }

    /// The client's id of a request that is about to be answered; none when it was cancelled meanwhile.
    pub(super) fn close(&self, number: i64) -> Option<Box<RawValue>> {
        self.lock().raw.remove(&number)
    }

    /// Our number of the latest open request with the client's id. It is closed by this: a cancelled request gets no answer.
    pub(super) fn cancel(&self, raw: &RawValue) -> Option<i64> {
        let mut open = self.lock();
        let number = open
            .raw
            .iter()
            .filter(|(_, id)| id.get() == raw.get())
            .map(|(number, _)| *number)
            .max()?;
        open.raw.remove(&number);
        Some(number)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ids, MOST_OPEN};
    use serde_json::value::RawValue;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn ids_come_back_as_they_were_also_twice() {
        let ids = Ids::default();
        let big = "123456789012345678901234567890";
        let one = ids.open(raw(big)).expect("room");
        let two = ids.open(raw(big)).expect("room");
        assert_ne!(one, two);
        assert_eq!(ids.close(one).expect("open").get(), big);
        assert_eq!(ids.cancel(&raw(big)), Some(two));
        assert!(ids.close(two).is_none(), "a cancelled request is answered");
    }

    #[test]
    fn there_is_an_end_to_open_requests() {
        let ids = Ids::default();
        for _ in 0..MOST_OPEN {
            ids.open(raw("1")).expect("room");
        }
        assert!(ids.open(raw("1")).is_none());
    }
}
