//! Who may change what.

use crate::domain::{
    caller::Caller,
    fault::{ErrorKind, Fault},
};
use jsonrpsee::Extensions;
use std::future::Future;

/// Passes a person. A caller that the connection layer did not name is a face in this process, which only a person starts.
pub(super) fn person_only(extensions: &Extensions) -> Result<(), Fault> {
    match extensions.get::<Caller>() {
        None | Some(Caller::Person) => Ok(()),
        Some(Caller::Session(_) | Caller::Stray) => Err(Fault::new(
            ErrorKind::Forbidden,
            "an agent may look, not change anything or delegate",
        )
        .hint("ask the person to do it, or put it into follow_up of the conclusion")),
    }
}

/// Runs a change to its end, also when the caller goes away: files and rows must not part halfway.
pub(super) async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(change)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(error)))
}

/// Runs work on files off the event loop.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(error)))
}
