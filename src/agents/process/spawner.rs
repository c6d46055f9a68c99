//! The thread that starts every shim.
//!
//! The kernel sends the parent-death signal when the *thread* that started the child ends, not the process. A thread of tokio's blocking
//! pool retires after ten idle seconds and would take every agent it started with it. So one thread of our own starts them all; it is never
//! joined and lives as long as the process.

use rustix::process::Signal;
use std::{
    io,
    sync::{LazyLock, mpsc},
    thread,
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

use super::grip::Grip;

struct Request {
    command: Command,
    /// Whose reactor the pipes belong to.
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Newborn>>,
}

/// One per process, as the thread's life is the process's: an owner with a shorter life would end other people's agents.
static THREAD: LazyLock<io::Result<mpsc::Sender<Request>>> = LazyLock::new(|| {
    let (send, receive) = mpsc::channel::<Request>();
    thread::Builder::new()
        .name("launcher".to_owned())
        .spawn(move || serve(&receive))?;
    Ok(send)
});

#[allow(clippy::disallowed_methods, reason = "this is agents::process")]
fn serve(requests: &mpsc::Receiver<Request>) {
    for Request {
        mut command,
        runtime,
        reply,
    } in requests
    {
        let entered = runtime.enter();
        let born = command.spawn().map(Newborn::of);
        drop(entered);
        // Nobody waits any more: the newborn is killed as it is dropped.
        drop(reply.send(born));
    }
}

/// A shim that nobody has taken over yet.
#[derive(Debug)]
pub(super) struct Newborn {
    child: Option<Child>,
    grip: Option<Grip>,
}

impl Newborn {
    fn of(child: Child) -> Self {
        let grip = child.id().and_then(Grip::of);
        Self {
            child: Some(child),
            grip,
        }
    }

    /// The child and the hold on it; from here on its drop is the taker's care.
    pub(super) fn take(mut self) -> Option<(Child, Grip)> {
        Some((self.child.take()?, self.grip.take()?))
    }
}

impl Drop for Newborn {
    fn drop(&mut self) {
        if let Some(grip) = &self.grip {
            // The shim takes all below it along; one that has not got that far dies of the signal itself.
            grip.signal(Signal::USR1);
        }
    }
}

/// Starts `command` on the launching thread.
pub(super) async fn spawn(command: Command) -> io::Result<Newborn> {
    let (reply, born) = oneshot::channel();
    let request = Request {
        command,
        runtime: Handle::current(),
        reply,
    };
    let gone = || io::Error::other("the launching thread is gone");
    let thread = THREAD
        .as_ref()
        .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    thread.send(request).map_err(|_unsent| gone())?;
    born.await.map_err(|_dropped| gone())?
}
