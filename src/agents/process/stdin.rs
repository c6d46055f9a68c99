//! The agent's stdin, which its handle can close while another writes.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::{io::AsyncWrite, process::ChildStdin};

/// The writing end of the agent's stdin.
#[derive(Debug)]
pub struct Stdin {
    shared: Arc<Mutex<Shared>>,
}

/// Closes the pipe from the handle's side.
#[derive(Clone, Debug)]
pub(super) struct StdinGate {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    pipe: Option<ChildStdin>,
    /// Whoever waits for room in the pipe must learn that it was closed.
    writer: Option<Waker>,
}

pub(super) fn gated(pipe: ChildStdin) -> (Stdin, StdinGate) {
    let shared = Arc::new(Mutex::new(Shared {
        pipe: Some(pipe),
        writer: None,
    }));
    (
        Stdin {
            shared: Arc::clone(&shared),
        },
        StdinGate { shared },
    )
}

impl StdinGate {
    /// Closes the pipe now; a writer gets `BrokenPipe`.
    pub(super) fn close(&self) {
        let mut shared = lock(&self.shared);
        shared.pipe = None;
        if let Some(writer) = shared.writer.take() {
            writer.wake();
        }
    }
}

/// A panic elsewhere leaves the pipe as good as it was.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stdin {
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        step: impl FnOnce(Pin<&mut ChildStdin>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut shared = lock(&self.shared);
        let Some(pipe) = shared.pipe.as_mut() else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let polled = step(Pin::new(pipe), cx);
        shared.writer = polled.is_pending().then(|| cx.waker().clone());
        polled
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |pipe, cx| pipe.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        StdinGate {
            shared: Arc::clone(&self.shared),
        }
        .close();
        Poll::Ready(Ok(()))
    }
}
