//! The news that a turn is about to change something, or has begun to: whoever keeps the books is told before it is allowed.

use super::tool::Tool;
use crate::stdx::text::head;
use tokio::sync::oneshot;

/// Of one call's title.
const TITLE: usize = 200;

/// A call that may change something. Where the agent asked first it waits until this is kept; dropping it says no.
#[derive(Debug)]
pub struct Touch {
    /// What it is, in the agent's words.
    pub title: String,
    kept: Option<oneshot::Sender<()>>,
}

impl Touch {
    /// One that nobody waits for: it has happened, or is not the first.
    pub(super) fn told(tool: &Tool) -> Self {
        let title = if tool.title.is_empty() {
            &tool.kind
        } else {
            &tool.title
        };
        Self {
            title: head(title, TITLE).to_owned(),
            kept: None,
        }
    }

    /// One that is to be kept before it may happen, and where that is told.
    pub(super) fn ahead(tool: &Tool) -> (Self, oneshot::Receiver<()>) {
        let (kept, told) = oneshot::channel();
        let touch = Self {
            kept: Some(kept),
            ..Self::told(tool)
        };
        (touch, told)
    }

    /// An agent waits for it.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.kept.is_some()
    }

    /// It is on disk.
    pub fn keep(self) {
        if let Some(kept) = self.kept {
            // Its turn may have ended meanwhile.
            kept.send(()).ok();
        }
    }
}
