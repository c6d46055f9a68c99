//! A batch in its parts: what is written, and refused, as one.

use super::{Item, Pending};
use crate::store::{
    Change, StoreError,
    sql::{
        connection::Connection,
        runs::accept::{Accept, Set},
        tx::Tx,
    },
};
use std::{any::Any, collections::VecDeque};

/// The parts that are still to be written.
#[derive(Debug)]
pub(super) struct Parts<'b>(VecDeque<Part<'b>>);

impl<'b> Parts<'b> {
    /// Each item is one; but on a server, runs that can be accepted in the same statements are one together, and the first.
    pub(super) fn of(batch: &'b mut [Box<dyn Item>], together: bool) -> Self {
        let mut set = Set::default();
        let (mut accepted, mut parts) = (Vec::new(), VecDeque::new());
        for item in batch {
            if together && accepting(item.as_ref()).is_some_and(|one| set.takes(&one.write)) {
                accepted.push(item);
            } else {
                parts.push_back(Part(vec![item]));
            }
        }
        if !accepted.is_empty() {
            parts.push_front(Part(accepted));
        }
        Self(parts)
    }

    pub(super) fn next(&mut self) -> Option<Part<'b>> {
        self.0.pop_front()
    }

    /// Nothing of it was written. One of several spoils it for all: so each is tried by itself.
    pub(super) fn refused(&mut self, Part(items): Part<'b>) {
        if items.len() > 1 {
            for item in items.into_iter().rev() {
                self.0.push_front(Part(vec![item]));
            }
        }
    }
}

/// One item, or several runs to be accepted.
#[derive(Debug)]
pub(super) struct Part<'b>(Vec<&'b mut Box<dyn Item>>);

impl Part<'_> {
    /// What it changed; `None` when it was refused. An error when the database itself refuses: SQLite may then have rolled back
    /// everything, and what follows would be written outside of any transaction.
    pub(super) async fn write(
        &mut self,
        connection: &mut Connection,
        now: i64,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        let mut tx = Tx {
            connection,
            now,
            changes: Vec::new(),
        };
        let refusal = if let [item] = self.0.as_mut_slice() {
            item.write(&mut tx).await;
            item.refusal().map(unavailable)
        } else {
            let together = self.write_together(&mut tx).await;
            together.err().as_ref().map(unavailable)
        };
        match refusal {
            None => Ok(Some(tx.changes)),
            Some(Some(unavailable)) => Err(unavailable),
            Some(None) => Ok(None),
        }
    }

    async fn write_together(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let accepts = self.0.iter().filter_map(|item| accepting(item.as_ref()));
        let accepts: Vec<&Accept> = accepts.map(|one| &one.write).collect();
        let outcomes = Set::write(tx, &accepts).await?;
        for (item, outcome) in self.0.iter_mut().zip(outcomes) {
            let any: &mut dyn Any = item.as_mut();
            if let Some(one) = any.downcast_mut::<Pending<Accept>>() {
                one.outcome = Some(outcome);
            }
        }
        Ok(())
    }
}

/// The item, if it is a run to be accepted.
fn accepting(item: &dyn Item) -> Option<&Pending<Accept>> {
    let any: &dyn Any = item;
    any.downcast_ref()
}

/// The refusal, if it is the database's, of everything.
fn unavailable(refusal: &StoreError) -> Option<StoreError> {
    if let StoreError::Unavailable(why) = refusal {
        Some(StoreError::Unavailable(why.clone()))
    } else {
        None
    }
}
