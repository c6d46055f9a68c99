//! What is remembered: one trait per aggregate, one backend per folder. No SQL stands outside this floor.
//!
//! Sessions are claimed, not runs: a session row carries its oldest unfinished run, a fence that every claim raises, and at most one
//! lease. Every write of an attempt carries that fence; a write that changes no row means the lease is lost.
//! One writer batches; what it answers has been synced. Every text it writes has passed the [`Redactor`].

mod error;
mod extras;
mod growing;
mod hosts;
mod inputs;
mod redactor;
mod schedules;
pub mod sql;

pub use error::StoreError;
pub use extras::{Extras, KeyedSession, SessionKey, StatsFilter};
pub use hosts::{Hosts, Instead, NewHost};
pub use inputs::{AcceptedInput, Asked, Inputs, InputsWaiting, NewInput, TakenInput};
pub use redactor::Redactor;
pub use schedules::{Occasion, Schedules};

use crate::domain::{
    breaker::ClassView,
    conclusion::Conclusion,
    event::{Event, EventKind, NewEvent},
    fault::Fault,
    ids::{HubId, InstanceId, ProjectId, RunId, SessionId},
    instance::{Instance, InstanceStatus},
    page::Page,
    policy::Policy,
    project::ProjectRow,
    request::{Answer, Decided, DecidedBy, Request, RequestKind, RequestOption},
    retry::{Left, Retry},
    run::{
        Attempt, AttemptOutcome, Continuity, Mode, PersonaRoute, Run, RunState, Waiting, Warning,
    },
    spent::Budget,
    stats::RunStats,
    time::Timestamp,
    usage::{TreeUsage, Usage},
    worktree::{Isolation, Worktree},
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::broadcast;

/// A row was written; whoever waits for it looks again. A hint: a receiver that lagged looks at everything it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The run that changed, if the change is of a run.
    pub run: Option<RunId>,
    /// Its state afterwards.
    pub state: Option<RunState>,
}

/// The right to work on a session's oldest run, until it is lost. `fence` goes with every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub run: RunId,
    pub session: SessionId,
    pub fence: i64,
    pub attempt: u32,
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub instance: Option<InstanceId>,
    pub persona: Option<String>,
    pub agent: String,
    pub project: Option<ProjectId>,
    /// Absolute path the agent works in.
    pub cwd: String,
    /// The agent's own id of the conversation, once it has one.
    pub agent_session: Option<String>,
}

/// A request key and what it stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Project or instance.
    pub scope: String,
    pub key: String,
    /// Digest of the request.
    pub fingerprint: String,
}

/// A run to be accepted.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub id: RunId,
    /// Opened when its id is new, else continued; a continued session keeps its own row.
    pub session: SessionRow,
    pub prompt: String,
    pub previous: Option<RunId>,
    pub label: Option<String>,
    /// A class is place, agent and lane; `~`, `@` and `+` are the store's and the hub's own in it.
    pub lane: String,
    pub mode: Mode,
    /// Of the whole run, waiting in the queue included.
    pub timeout_ms: Option<i64>,
    /// The working tree in which it takes its turn with other writers; `None` when it need not wait.
    pub tree: Option<String>,
    pub warnings: Vec<Warning>,
    pub idempotency: Option<Idempotency>,
    pub policy: Policy,
    pub isolation: Isolation,
    /// `Planned`.
    pub worktree: Option<Worktree>,
    /// The run whose agent delegates this one; it must be held, under this very lease.
    pub parent: Option<Lease>,
    /// How many runs stand above it.
    pub depth: u32,
    /// Turns at once in its project, over all agents and on each level of the run tree, as the project's file says now.
    pub max_in_project: Option<u32>,
    pub retry: Retry,
    pub budget: Budget,
    pub extras: Extras,
    /// Taken in the same transaction, or the run is not accepted: `TickTaken`, `StillOpen`, `UsedUp`.
    pub occasion: Option<Occasion>,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// As it is on disk.
    pub run: Run,
    /// It was accepted before, under the same key.
    pub duplicate: bool,
}

/// A claimed run and all that an attempt needs to know.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub lease: Lease,
    pub run: Run,
    pub session: SessionRow,
    /// From the moment the run was accepted; the time in which it waited for people is added.
    pub timeout_ms: Option<i64>,
    /// It was leased beyond the slots of its class, as more than so many waited for one: it must be cold.
    pub overflow: Option<u32>,
    /// Conclusion of the run before this one in its session.
    pub last_conclusion: Option<Conclusion>,
    pub retry: Retry,
    pub budget: Budget,
    /// By the attempt before this one.
    pub left: Option<Left>,
    /// Of the session: added to who its agent is.
    pub extra_system_prompt: Option<String>,
    /// An earlier attempt ended the turn of its prompt in order: an input is next.
    pub prompted: bool,
}

/// What an attempt has learnt about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptNote {
    pub warm: Option<bool>,
    pub reason: Option<String>,
    pub persona_route: Option<PersonaRoute>,
    pub pid: Option<u32>,
    pub continuity: Option<Continuity>,
    /// The agent's own id of the conversation.
    pub agent_session: Option<String>,
    /// All calls so far that may have changed something; empty: as it was.
    pub touched: Vec<String>,
}

/// Written while an attempt works.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub events: Vec<NewEvent>,
    /// What the agent is doing now.
    pub step: Option<String>,
    /// The tool it uses now; `Some(None)`: none any more.
    pub tool: Option<Option<String>>,
    /// The end of what it last said.
    pub said: Option<String>,
    pub worktree: Option<Worktree>,
    pub note: AttemptNote,
    /// What the attempt before left, once a person has said what becomes of it.
    pub left: Option<Left>,
    /// Prompts put since what was written last.
    pub turns: u32,
}

/// Written when an attempt ends its run.
#[derive(Clone, Debug)]
pub struct Finish {
    /// A terminal state.
    pub state: RunState,
    pub outcome: AttemptOutcome,
    pub error: Option<Fault>,
    pub conclusion: Option<Conclusion>,
    pub usage: Option<Usage>,
    /// Added to those that the run was accepted with.
    pub warnings: Vec<Warning>,
    pub stderr_tail: Option<String>,
    /// The last of the attempt's events and notes, written with the end.
    pub progress: Progress,
    /// The end of a turn, which is the run's only if no input waits: `InputsWait` otherwise. Another end drops what waits.
    pub unless_input: bool,
}

/// Written when an attempt gives its run back to the queue without using up an attempt.
#[derive(Clone, Debug)]
pub struct Release {
    pub waiting: Option<Waiting>,
    /// Not to be claimed before so many milliseconds have passed.
    pub delay_ms: i64,
    pub reason: String,
}

/// Written when an attempt has not done its run's work, which goes back to the queue to be tried again. What the attempt asks stays asked.
#[derive(Clone, Debug)]
pub struct Back {
    /// `Failed`, `Lost` or `Interrupted`.
    pub outcome: AttemptOutcome,
    pub reason: String,
    /// For the next attempt; `None`: as it was.
    pub left: Option<Left>,
    /// An attempt is used up; else the next one has its number.
    pub counts: bool,
    /// Not to be claimed before so many milliseconds have passed.
    pub delay_ms: i64,
    pub stderr_tail: Option<String>,
    /// The last of the attempt's events and notes.
    pub progress: Progress,
}

/// Something to ask a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// UUIDv7.
    pub id: String,
    pub kind: RequestKind,
    pub title: String,
    pub detail: Option<String>,
    pub options: Vec<RequestOption>,
    /// Digest of what is asked. An attempt that asks what an earlier attempt of its run asked takes up that request, answered or not.
    pub fingerprint: String,
    /// From now.
    pub deadline_ms: Option<i64>,
}

/// A request with its run and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    pub run: RunId,
    pub request: Request,
    pub created_at: Timestamp,
    /// `None` while it is open.
    pub decided: Option<Decided>,
}

/// The state of a lease after renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    pub lease: Lease,
    /// `false`: lost.
    pub held: bool,
    pub cancel_requested: bool,
}

/// Which runs to list; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    pub state: Option<RunState>,
    pub project: Option<ProjectId>,
    pub instance: Option<InstanceId>,
    pub label: Option<String>,
    /// Also those that were archived.
    pub archived: bool,
    /// Of this host alone.
    pub here: bool,
}

/// Which events to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub run: Option<RunId>,
    pub project: Option<ProjectId>,
    pub instance: Option<InstanceId>,
}

/// A page to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageAt {
    /// Of the page before; `None` = the first.
    pub cursor: Option<String>,
    /// At most so many items; 0 = the store's default (50). Never above 200.
    pub limit: u32,
}

impl PageAt {
    /// How many items to read.
    pub(crate) fn rows(&self) -> usize {
        let limit = if self.limit == 0 {
            50
        } else {
            self.limit.min(200)
        };
        usize::try_from(limit).unwrap_or(200)
    }
}

/// Runs, their attempts and the sessions they are claimed by.
#[async_trait]
pub trait Runs: Send + Sync + std::fmt::Debug {
    /// Writes run, session, idempotency key, first event and outbox row in one transaction, and answers when it is synced. `LeaseLost`
    /// when its parent is not held under that lease any more, or is asked to end.
    async fn accept(&self, run: NewRun) -> Result<Accepted, StoreError>;
    /// As `accept`, with a claim of one in the same commit: of that run most often, or of one that has waited longer.
    async fn accept_and_claim(
        &self,
        run: NewRun,
        holder: HubId,
        lease_ms: i64,
    ) -> (
        Result<Accepted, StoreError>,
        Result<Option<Claimed>, StoreError>,
    );
    /// Whether a claim would find something: a look, which costs no write.
    async fn ready(&self) -> Result<bool, StoreError>;
    /// What a request key stood for in this scope: the request's digest, and its run. A look, which decides nothing: `accept` does.
    async fn keyed(&self, scope: &str, key: &str) -> Result<Option<(String, RunId)>, StoreError>;
    /// Leases up to `limit` ready sessions of this host whose class, project and tree are free, fairly over the classes; raises each fence. A host
    /// that is draining leases none. Cold runs take
    /// no slots of a class: they are bounded together, by level. Where overflow is on and many wait for a slot, some more are leased.
    async fn claim(
        &self,
        holder: HubId,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<Claimed>, StoreError>;
    /// Prolongs leases, and says which are lost and which runs are to be cancelled.
    async fn renew(&self, leases: Vec<Lease>, lease_ms: i64) -> Result<Vec<Renewed>, StoreError>;
    /// Leases of this holder that are over by the database's clock and that nobody has taken: a look.
    async fn overdue(&self, holder: HubId) -> Result<Vec<Lease>, StoreError>;
    /// Writes under the fence; `LeaseLost` when it is stale.
    async fn append(&self, lease: Lease, progress: Progress) -> Result<(), StoreError>;
    /// Adds to the log of a run, also one that has ended: what its agent said just after its turn.
    async fn trail(&self, run: RunId, events: Vec<NewEvent>) -> Result<(), StoreError>;
    /// Ends the run under the fence and lets the session's next run come forward. `InputsWait` when it ends only if no input waits, and one
    /// does: decided in the same transaction, so that no input falls between the last look and the end.
    async fn finish(&self, lease: Lease, finish: Finish) -> Result<(), StoreError>;
    /// As `finish`, with a claim of one in the same commit. An end that is refused claims nothing.
    async fn finish_and_claim(
        &self,
        lease: Lease,
        finish: Finish,
        holder: HubId,
        lease_ms: i64,
    ) -> Result<Option<Claimed>, StoreError>;
    /// Gives the run back under the fence.
    async fn release(&self, lease: Lease, release: Release) -> Result<(), StoreError>;
    /// Gives the run back under the fence to be tried again; one whose end was asked for is cancelled instead.
    async fn back(&self, lease: Lease, back: Back) -> Result<(), StoreError>;
    /// Makes every run that waits for `waiting` claimable now.
    async fn wake(&self, waiting: Waiting) -> Result<(), StoreError>;
    /// Queued: ended at once. Held: asked of the holder. Terminal: nothing. Answers the state afterwards.
    async fn cancel(&self, run: RunId, reason: String) -> Result<RunState, StoreError>;
    /// Takes every run of this host whose holder is not among `alive` from it: it is tried again by its policy, or fails with `hub_lost`; answers which. One
    /// that is `input_required` and has changed nothing uses no attempt: its agent was waiting, not working.
    async fn recover(&self, alive: Vec<HubId>) -> Result<Vec<RunId>, StoreError>;
    /// Ends as `timed_out` every queued run whose time is over, promotes sessions whose delay is over, decides requests that nobody
    /// answered in time and no attempt waits for, and takes runs from holders whose lease is over by the database's clock, as [`Self::recover`]
    /// does; not from `own`, whose attempts end by themselves. Answers the milliseconds until the next such moment, if there is one.
    async fn sweep(&self, own: HubId) -> Result<Option<i64>, StoreError>;
    /// Removes some of the runs that ended before this moment, with all that belongs to them; answers how many. To be asked until 0, which
    /// also removes what was kept beside them.
    async fn prune(&self, ended_before: Timestamp) -> Result<u32, StoreError>;
    /// One run.
    async fn get(&self, run: RunId) -> Result<Run, StoreError>;
    /// Runs, newest first.
    async fn list(&self, filter: RunFilter, page: PageAt) -> Result<Page<Run>, StoreError>;
    /// Attempts of a run, oldest first.
    async fn attempts(&self, run: RunId) -> Result<Vec<Attempt>, StoreError>;
    /// A conversation.
    async fn session(&self, session: SessionId) -> Result<SessionRow, StoreError>;
    /// Runs that a run's agent delegated, newest first.
    async fn children(&self, run: RunId) -> Result<Vec<RunId>, StoreError>;
    /// What the tree below a run, itself included, has cost.
    async fn tree_usage(&self, run: RunId) -> Result<TreeUsage, StoreError>;
    /// What has become of the worktree of a run that has ended; an error while its attempt has it.
    async fn set_worktree(&self, run: RunId, worktree: Worktree) -> Result<(), StoreError>;
    /// Runs of this host whose worktree is `Planned`, `Open` or `Kept`, oldest first.
    async fn with_worktree(&self) -> Result<Vec<Run>, StoreError>;
    /// Conversations in a project, most recently used first.
    async fn sessions(
        &self,
        project: ProjectId,
        page: PageAt,
    ) -> Result<Page<SessionRow>, StoreError>;
    /// The session that a caller's own name stands for.
    async fn keyed_session(&self, key: &SessionKey) -> Result<Option<KeyedSession>, StoreError>;
    /// Hides a terminal run from lists, or shows it again; answers its state, which is as it was. One that is not terminal stays as it is.
    async fn archive(&self, run: RunId, archived: bool) -> Result<RunState, StoreError>;
    /// What was asked of this holder's runs, perhaps by way of another hub: a look.
    async fn asked(&self, holder: HubId) -> Result<Vec<Asked>, StoreError>;
    /// What the runs of this filter add up to, archived ones too.
    async fn stats(&self, filter: StatsFilter) -> Result<RunStats, StoreError>;
    /// How many runs are not terminal; of a project, or of all that are this host's.
    async fn open(&self, project: Option<ProjectId>) -> Result<u32, StoreError>;
    /// Classes that have something to do, or against which failures stand, by name. One with too many failures is given no more than a few
    /// attempts to claim, which [`Self::claim`] keeps to and [`Self::sweep`] raises again.
    async fn classes(&self) -> Result<Vec<ClassView>, StoreError>;
    /// How many sessions of a class (`place/agent/lane`) may be leased at once. New classes begin with `default_cap`.
    async fn set_default_cap(&self, default_cap: u32) -> Result<(), StoreError>;
}

/// What agents ask of people.
#[async_trait]
pub trait Requests: Send + Sync + std::fmt::Debug {
    /// Asks, under the fence; the run is `input_required` while any of its requests is open. What an earlier attempt of this run asked in the
    /// same words is not asked twice: what is still open comes back, and what a person answered while no attempt waited for it, which is used
    /// up by that. What is open comes back with the options of this request; where one of its ids now means something else, it is withdrawn
    /// and asked anew, so that nobody chooses what they were not shown.
    async fn open(&self, lease: Lease, request: NewRequest) -> Result<RequestRow, StoreError>;
    /// A person's answer. `NotFound` for another run's; `Unfit` when the request, as it stands now, does not take it. A request that is decided
    /// stays as it is and comes back so, with `false`. After the deadline it comes back decided by that.
    async fn answer(
        &self,
        run: RunId,
        request: &str,
        answer: Answer,
        face: Option<String>,
    ) -> Result<(RequestRow, bool), StoreError>;
    /// The attempt's own end of a request, by deadline or withdrawal; what a person decided meanwhile comes back instead.
    async fn close(
        &self,
        lease: Lease,
        request: &str,
        by: DecidedBy,
        answer: Answer,
        why: Option<String>,
    ) -> Result<RequestRow, StoreError>;
    /// All of a run, oldest first: who decided what.
    async fn of(&self, run: RunId) -> Result<Vec<RequestRow>, StoreError>;
    /// One of them.
    async fn get(&self, run: RunId, request: &str) -> Result<RequestRow, StoreError>;
}

/// Instances.
#[async_trait]
pub trait Instances: Send + Sync + std::fmt::Debug {
    /// A new row; `NameExists` when the name is taken.
    async fn insert(&self, instance: Instance) -> Result<(), StoreError>;
    /// As `insert`, with its key in the same transaction; `NameExists` also when the key was used before.
    async fn insert_once(&self, instance: Instance, key: Idempotency) -> Result<(), StoreError>;
    /// The instance that was inserted under this key, trash included. `IdempotencyConflict` for another request.
    async fn keyed(&self, key: &Idempotency) -> Result<Option<InstanceId>, StoreError>;
    /// Replaces the row of `instance.id`, trash included.
    async fn update(&self, instance: Instance) -> Result<(), StoreError>;
    /// Makes one that is `created` and not in the trash `running`, in one step with looking; answers whether it was.
    async fn begin(&self, id: InstanceId) -> Result<bool, StoreError>;
    /// By id, trash included.
    async fn get(&self, id: InstanceId) -> Result<Instance, StoreError>;
    /// By name, trash excluded.
    async fn by_name(&self, name: &str) -> Result<Instance, StoreError>;
    /// The most recently deleted one of that name.
    async fn in_trash(&self, name: &str) -> Result<Instance, StoreError>;
    /// By name, trash excluded.
    async fn list(
        &self,
        project: Option<ProjectId>,
        status: Option<InstanceStatus>,
        page: PageAt,
    ) -> Result<Page<Instance>, StoreError>;
    /// How many instances (trash excluded) use the persona.
    async fn using_persona(&self, persona: &str) -> Result<u32, StoreError>;
    /// Those of this host that were deleted before `before`: gone for good; answers their ids.
    async fn purge(&self, before: Timestamp) -> Result<Vec<InstanceId>, StoreError>;
}

/// Projects.
#[async_trait]
pub trait Projects: Send + Sync + std::fmt::Debug {
    /// Inserts on this host, or answers its row of that path; an unregistered one comes back only with `explicit`.
    async fn register(&self, row: ProjectRow, explicit: bool) -> Result<ProjectRow, StoreError>;
    /// Replaces the row of `row.id`.
    async fn update(&self, row: ProjectRow) -> Result<(), StoreError>;
    /// By id.
    async fn get(&self, id: ProjectId) -> Result<ProjectRow, StoreError>;
    /// By canonical path on this host, unregistered ones included.
    async fn by_path(&self, path: &str) -> Result<ProjectRow, StoreError>;
    /// By name, registered ones; names need not be unique.
    async fn by_name(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError>;
    /// By name, unregistered ones.
    async fn forgotten(&self, name: &str) -> Result<Vec<ProjectRow>, StoreError>;
    /// Registered ones, by name.
    async fn list(&self, page: PageAt) -> Result<Page<ProjectRow>, StoreError>;
}

/// The log.
#[async_trait]
pub trait Events: Send + Sync + std::fmt::Debug {
    /// An event without a run.
    async fn record(
        &self,
        project: Option<ProjectId>,
        instance: Option<InstanceId>,
        event: NewEvent,
    ) -> Result<(), StoreError>;
    /// Events after `after` (`None` = from the first), oldest first, at most `limit`.
    async fn after(
        &self,
        after: Option<String>,
        filter: EventFilter,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
    /// Whether the event at this cursor is still there. Where it is gone others after it may be, too: they were kept long enough.
    async fn keeps(&self, cursor: &str) -> Result<bool, StoreError>;
    /// Those of a run that are of one of these kinds, oldest first.
    async fn of_kinds(&self, run: RunId, kinds: &[EventKind]) -> Result<Vec<Event>, StoreError>;
    /// The newest cursor, to start watching from now.
    async fn latest(&self) -> Result<Option<String>, StoreError>;
}

/// An open store.
#[derive(Clone, Debug)]
pub struct Store {
    pub runs: Arc<dyn Runs>,
    pub requests: Arc<dyn Requests>,
    pub inputs: Arc<dyn Inputs>,
    pub instances: Arc<dyn Instances>,
    pub projects: Arc<dyn Projects>,
    pub schedules: Arc<dyn Schedules>,
    pub hosts: Arc<dyn Hosts>,
    pub events: Arc<dyn Events>,
    /// Told after every commit.
    pub changes: broadcast::Sender<Change>,
    /// What must never be written; faces' values are added as they come.
    pub redactor: Arc<Redactor>,
    /// Closes the connections once the last write is synced.
    pub closer: Arc<dyn Close>,
}

/// Closing a store.
#[async_trait]
pub trait Close: Send + Sync + std::fmt::Debug {
    /// Waits for writes under way, then closes.
    async fn close(&self);
}
