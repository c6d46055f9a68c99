//! The one task that writes.
//!
//! It owns the connection, so nothing ever waits for a lock of ours. What has gathered while it committed goes into the next transaction.
//! Where some of it is refused, it is written once more with a savepoint before each part, so that a refusal is that part's alone: most often
//! nothing is, and a savepoint copies every page that changes after it. Answers are given after the commit, never before.

mod parts;

use super::{
    connection::{Connection, Target},
    death::{Death, Moment as Due},
    error::{Error, may_pass},
    moment::Moment,
    tx::Tx,
};
use crate::store::{Change, StoreError};
use async_trait::async_trait;
use parts::Parts;
use std::{
    any::Any,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    task::yield_now,
    time::sleep,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

const QUEUE: usize = 1024;
const BATCH: usize = 256;
/// How long a server that is gone is waited for, before those that wait for us hear of it.
const PATIENCE: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A write, as a value. `write` may run any statements; what it answers is sent once they are synced.
#[async_trait]
pub(super) trait Write: fmt::Debug + Send + Sync + 'static {
    type Answer: Send + Sync + 'static;
    /// Goes in front: of an attempt that works, whose lease may run out behind a burst of new runs.
    const URGENT: bool = false;
    async fn write(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError>;
}

/// Two as one: the second is written once the first was, and what refuses either refuses both.
#[derive(Debug)]
pub(super) struct Then<A, B>(pub(super) A, pub(super) B);

#[async_trait]
impl<A: Write, B: Write> Write for Then<A, B> {
    type Answer = (A::Answer, B::Answer);
    const URGENT: bool = A::URGENT;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        Ok((self.0.write(tx).await?, self.1.write(tx).await?))
    }
}

/// Handle of the writer; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    urgent: mpsc::Sender<Parcel>,
    patient: mpsc::Sender<Parcel>,
    closing: CancellationToken,
    task: TaskTracker,
    /// The task ends with the last handle.
    _end: Arc<DropGuard>,
}

impl Writer {
    /// Sends a write and waits until it is synced. A caller that stops waiting does not take the write back.
    pub(super) async fn send<W: Write>(&self, write: W) -> Result<W::Answer, StoreError> {
        let (item, answer) = pending(write);
        self.post::<W>(vec![item]).await?;
        answered(answer).await
    }

    /// Sends two that go into one transaction, the first before the second. Each is refused for itself.
    pub(super) async fn send_both<A: Write, B: Write>(
        &self,
        first: A,
        second: B,
    ) -> (Result<A::Answer, StoreError>, Result<B::Answer, StoreError>) {
        let ((first, one), (second, other)) = (pending(first), pending(second));
        match self.post::<A>(vec![first, second]).await {
            Ok(()) => (answered(one).await, answered(other).await),
            Err(_) => (Err(closed()), Err(closed())),
        }
    }

    async fn post<W: Write>(&self, parcel: Parcel) -> Result<(), StoreError> {
        let queue = if W::URGENT {
            &self.urgent
        } else {
            &self.patient
        };
        queue.send(parcel).await.or(Err(closed()))
    }

    /// Writes what was sent before, then ends.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// What goes into one transaction together.
type Parcel = Vec<Box<dyn Item>>;
type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

fn pending<W: Write>(write: W) -> (Box<dyn Item>, Answer<W::Answer>) {
    let (reply, answer) = oneshot::channel();
    let item = Pending {
        write,
        outcome: None,
        reply,
    };
    (Box::new(item), answer)
}

async fn answered<T>(answer: Answer<T>) -> Result<T, StoreError> {
    answer.await.unwrap_or_else(|_gone| Err(closed()))
}

/// A write that somebody waits for.
#[async_trait]
trait Item: Any + fmt::Debug + Send + Sync {
    /// What it is.
    fn name(&self) -> &'static str;
    async fn write(&mut self, tx: &mut Tx<'_>);
    /// Why it was refused, if it was.
    fn refusal(&self) -> Option<&StoreError>;
    /// `fate`: why the batch was lost, if it was.
    fn answer(self: Box<Self>, fate: Option<&str>);
}

struct Pending<W: Write> {
    write: W,
    outcome: Option<Result<W::Answer, StoreError>>,
    reply: oneshot::Sender<Result<W::Answer, StoreError>>,
}

impl<W: Write> fmt::Debug for Pending<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write.fmt(f)
    }
}

#[async_trait]
impl<W: Write> Item for Pending<W> {
    fn name(&self) -> &'static str {
        std::any::type_name::<W>()
    }

    async fn write(&mut self, tx: &mut Tx<'_>) {
        self.outcome = Some(self.write.write(tx).await);
    }

    fn refusal(&self) -> Option<&StoreError> {
        self.outcome
            .as_ref()
            .and_then(|outcome| outcome.as_ref().err())
    }

    fn answer(self: Box<Self>, fate: Option<&str>) {
        let outcome = match (fate, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(why), _) => Err(StoreError::Unavailable(why.to_owned())),
            (None, None) => Err(StoreError::Internal("a write was passed over".to_owned())),
        };
        // Nobody waits any more: what was written stays written.
        drop(self.reply.send(outcome));
    }
}

/// Connects, and starts the task.
pub(super) async fn start(
    target: Target,
    changes: broadcast::Sender<Change>,
    written: Arc<Notify>,
    death: Option<Death>,
) -> Result<Writer, StoreError> {
    let connection = target.connect().await?;
    let remote = target.is_remote();
    let (urgent, urgent_queue) = mpsc::channel(QUEUE);
    let (patient, patient_queue) = mpsc::channel(QUEUE);
    let closing = CancellationToken::new();
    let writer = Writer {
        urgent,
        patient,
        closing: closing.clone(),
        task: TaskTracker::new(),
        _end: Arc::new(closing.drop_guard()),
    };
    let task = Task {
        target,
        connection: Some(connection),
        urgent: urgent_queue,
        patient: patient_queue,
        closing: writer.closing.clone(),
        changes,
        written,
        moment: Moment::default(),
        death,
    };
    if remote {
        writer.task.spawn(task.run());
    } else {
        alone(writer.task.track_future(task.run()))?;
    }
    writer.task.close();
    Ok(writer)
}

/// On a thread of its own: a file's statements, and the wait for the disk, hold up nobody else there.
fn alone(task: impl Future<Output = ()> + Send + 'static) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Unavailable(format!("no thread: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(failed)?;
    let thread = std::thread::Builder::new().name("store".to_owned());
    let spawned = thread.spawn(move || runtime.block_on(task));
    spawned.map(drop).map_err(failed)
}

struct Task {
    target: Target,
    /// `None` after a commit or a roll-back failed: what state it was in, nobody knows.
    connection: Option<Connection>,
    urgent: mpsc::Receiver<Parcel>,
    patient: mpsc::Receiver<Parcel>,
    closing: CancellationToken,
    changes: broadcast::Sender<Change>,
    /// Told after a commit that changed something.
    written: Arc<Notify>,
    moment: Moment,
    death: Option<Death>,
}

impl Task {
    async fn run(mut self) {
        while let Some(mut batch) = self.next().await {
            let written = self.write(&mut batch).await;
            let fate = written.as_ref().err().map(why);
            tell(batch.len(), fate.as_deref());
            let changes = written.unwrap_or_default();
            if !changes.is_empty() {
                self.written.notify_one();
            }
            for change in changes {
                // Nobody listens: nobody need be told.
                drop(self.changes.send(change));
            }
            // Last, so that whoever is answered, and listens from then on, hears of what comes after.
            for item in batch {
                item.answer(fate.as_deref());
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database did not close in order");
        }
    }

    /// Waits for a write, and takes along what else is there; `None` at the end.
    async fn next(&mut self) -> Option<Parcel> {
        let mut batch = Vec::new();
        while batch.is_empty() {
            let open = !self.urgent.is_closed() || !self.patient.is_closed();
            tokio::select! {
                biased;
                // What was sent before is still received from a closed queue.
                () = self.closing.cancelled(), if open => {
                    self.urgent.close();
                    self.patient.close();
                }
                Some(parcel) = self.urgent.recv() => batch = parcel,
                Some(parcel) = self.patient.recv() => batch = parcel,
                else => return None,
            }
        }
        if self.target.is_remote() {
            // Those who were answered together have more to say, and here the first of them wakes us before the others have had their turn.
            yield_now().await;
        }
        take(&mut self.urgent, &mut batch, BATCH);
        // A few in any case, lest a stream of urgent ones hold them up for ever.
        let full = BATCH.max(batch.len() + BATCH / 4);
        take(&mut self.patient, &mut batch, full);
        Some(batch)
    }

    /// One transaction; answers what changed. An error is the fate of the whole batch.
    async fn write(&mut self, batch: &mut [Box<dyn Item>]) -> Result<Vec<Change>, StoreError> {
        let due = Death::due(&mut self.death, batch.iter().map(|item| item.name()));
        let (mut again, mut guarded) = (self.target.is_remote(), false);
        loop {
            let (mut connection, now) = self.begin().await?;
            let at = Instant::now();
            match commit(&mut connection, batch, now, (due, guarded)).await {
                Ok(changes) => {
                    Death::at(due, Due::After);
                    self.moment.was(now, at);
                    // Only a connection that has ended its transaction is used again: after a failure, nobody knows in what state it is.
                    self.connection = Some(connection);
                    return Ok(changes);
                }
                Err(Lost::Refused) => {
                    self.connection = Some(connection);
                    if batch.len() == 1 {
                        return Ok(Vec::new());
                    }
                    guarded = true;
                }
                // Nothing of it is there, for sure: what a dead connection or a deadlock took is done once more.
                Err(Lost::Before(StoreError::Unavailable(why))) if again => {
                    tracing::warn!(why, "a batch is written again");
                    again = false;
                }
                Err(Lost::Before(error) | Lost::Within(error)) => return Err(error),
            }
        }
    }

    /// A transaction in which nothing is written yet, and its moment. A server that is gone for a while is waited for.
    async fn begin(&mut self) -> Result<(Connection, i64), StoreError> {
        let patience = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.try_to_begin().await {
                Ok(begun) => return Ok(begun),
                Err(error) => error,
            };
            if !self.target.is_remote()
                || !may_pass(&error)
                || Instant::now() + pause > patience
                || self.closing.is_cancelled()
            {
                return Err(error.into());
            }
            tracing::debug!(%error, "the database is waited for");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_to_begin(&mut self) -> Result<(Connection, i64), Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.target.connect().await?,
        };
        // Before the clock is read, and `was` after it, lest what lies between is counted twice and ours runs away from the clock.
        let not_before = self.moment.at_least(Instant::now());
        let clock = connection.begin().await?;
        Ok((connection, clock.max(not_before)))
    }
}

/// Without the words that `Unavailable` adds: whoever waits gets them with an error of his own.
fn why(error: &StoreError) -> String {
    if let StoreError::Unavailable(why) = error {
        why.clone()
    } else {
        error.to_string()
    }
}

/// Each of these lines is a durable commit, or the want of one.
fn tell(items: usize, fate: Option<&str>) {
    if let Some(why) = fate {
        tracing::warn!(items, why, "a batch was lost");
    } else {
        tracing::debug!(items, "a batch was committed");
    }
}

/// Takes along what is there, until the batch is full.
fn take(queue: &mut mpsc::Receiver<Parcel>, batch: &mut Parcel, full: usize) {
    while batch.len() < full {
        match queue.try_recv() {
            Ok(parcel) => batch.extend(parcel),
            Err(mpsc::error::TryRecvError::Empty | mpsc::error::TryRecvError::Disconnected) => {
                break;
            }
        }
    }
}

/// How a batch was lost.
enum Lost {
    /// Before its commit was asked for.
    Before(StoreError),
    /// While it was under way: nobody knows whether it is there.
    Within(StoreError),
    /// As a part of it was refused that nothing guarded the others from. It is rolled back.
    Refused,
}

/// Writes and commits in a transaction that has begun; answers what changed.
async fn commit(
    connection: &mut Connection,
    batch: &mut [Box<dyn Item>],
    now: i64,
    (due, guarded): (Option<Due>, bool),
) -> Result<Vec<Change>, Lost> {
    let mut all = Vec::new();
    let mut parts = Parts::of(batch, connection.is_server());
    if guarded {
        run(connection, "SAVEPOINT item").await?;
    }
    while let Some(mut part) = parts.next() {
        let changes = part.write(connection, now).await.map_err(Lost::Before)?;
        let kept = changes.is_some();
        if !kept && !guarded {
            run(connection, "ROLLBACK").await?;
            return Err(Lost::Refused);
        }
        if !kept {
            parts.refused(part);
        }
        all.extend(changes.unwrap_or_default());
        if guarded {
            run(connection, after(kept)).await?;
        }
    }
    Death::at(due, Due::Before);
    let done = connection.go_on("COMMIT").await;
    done.map_err(|error| Lost::Within(error.into()))?;
    Ok(all)
}

async fn run(connection: &mut Connection, script: &'static str) -> Result<(), Lost> {
    let done = connection.go_on(script).await;
    done.map_err(|error| Lost::Before(error.into()))
}

/// What follows a part that is guarded.
fn after(kept: bool) -> &'static str {
    if kept {
        "RELEASE item; SAVEPOINT item"
    } else {
        // The savepoint itself stays.
        "ROLLBACK TO item"
    }
}
