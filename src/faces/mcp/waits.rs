//! Waiting for runs: in slices, so that a cancelled request, the end of the input, or a hub that was replaced ends or mends the wait,
//! and never the run.

use super::{
    asking::Manner,
    era,
    handler::Face,
    rounds::{self, Round},
    tasks, tools,
    tools::Until,
};
use crate::{
    api::run::{RunApiClient as _, RunWait},
    domain::{
        fault::Fault,
        ids::RunId,
        run::{Run, Warning},
    },
};
use futures::future::{select_all, try_join_all};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, ProgressNotificationParam, ProgressToken},
    service::{Peer, RequestContext},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Inside every client's time-out.
const LONGEST_MS: u64 = 45_000;
/// Slices of a wait that nobody watches, and of one that is told about.
const SLICE: Duration = Duration::from_secs(5);
const WATCHED_SLICE: Duration = Duration::from_secs(1);
/// The longest silence towards one who watches.
const SILENCE: Duration = Duration::from_secs(8);
/// How long after its time a wait ends whether the hub answers or not.
const LATE: Duration = Duration::from_secs(1);
/// A hub that answers early is not asked again sooner than this.
const PACE: Duration = Duration::from_millis(50);

/// How long a caller wants to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    until: Instant,
    /// It is more than a look.
    waits: bool,
    /// What was asked for, where it was more than is given.
    pub(super) asked_ms: Option<u64>,
}

impl Patience {
    /// From now on, for as long as was asked, else for `default_ms`.
    pub(super) fn new(asked_ms: Option<u64>, default_ms: u64) -> Self {
        let asked = asked_ms.unwrap_or(default_ms);
        Self {
            until: Instant::now() + Duration::from_millis(asked.min(LONGEST_MS)),
            waits: asked > 0,
            asked_ms: Some(asked).filter(|asked| *asked > LONGEST_MS),
        }
    }

    /// That it was shortened, for who reads the answer.
    pub(super) fn note(&self) -> Option<Warning> {
        let asked = self.asked_ms?;
        Some(Warning::new(
            "wait_shortened",
            format!("wait_ms {asked} was taken as {LONGEST_MS}"),
        ))
    }

    /// Whether the caller has time for a person to be asked: who wants an answer at once does not.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// The time that a person took is not the caller's.
    pub(super) fn extend(&mut self, by: Duration) {
        self.until += by;
    }

    /// The time is over, and the hub has not said so.
    async fn overdue(&self) {
        tokio::time::sleep_until(self.until + LATE).await;
    }

    fn left(&self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero())
    }
}

/// Who asked, and how to tell them something meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) cancelled: CancellationToken,
    pub(super) peer: Peer<RoleServer>,
    /// How a person behind the client can be asked.
    pub(super) manner: Manner,
    /// What the call carries from an earlier round of it.
    pub(super) round: Option<Round>,
    /// The client takes a task for an answer.
    pub(super) takes_tasks: bool,
    token: Option<ProgressToken>,
    /// Progress told so far: it only grows, however often the wait begins anew.
    told: Arc<AtomicU32>,
    /// Which call it is.
    pub(super) call: String,
}

impl Asked {
    /// # Errors
    /// Invalid parameters where the call carries what we never gave.
    pub(super) fn of(
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Self, ErrorData> {
        let manner = Manner::of(context);
        let by_rounds = manner == Manner::Rounds;
        let round = if era::is_modern(context) {
            rounds::read(request)?
        } else {
            None
        };
        Ok(Self {
            cancelled: context.ct.clone(),
            peer: context.peer.clone(),
            round,
            takes_tasks: tasks::are_declared(context),
            told: Arc::default(),
            token: context.meta.get_progress_token(),
            call: if by_rounds {
                rounds::digest(request)
            } else {
                String::new()
            },
            manner,
        })
    }

    fn slice(&self, left: Duration) -> Duration {
        left.min(if self.token.is_some() {
            WATCHED_SLICE
        } else {
            SLICE
        })
    }
}

/// The run as it is when the wait ends. A hub that cannot be asked any more ends it with a warning, for the run's id must not be lost.
pub(super) async fn for_run(face: &Face, asked: &Asked, mut run: Run, patience: &Patience) -> Run {
    let mut progress = Progress::new(asked);
    while let Some(left) = patience.left()
        && !run.wants_a_look()
    {
        progress.tell(std::slice::from_ref(&run)).await;
        let id = run.id;
        tokio::select! {
            next = slice(face, id, asked.slice(left)) => match next {
                Ok(next) => run = next,
                Err(fault) => {
                    run.warnings.push(lost(&fault));
                    return run;
                }
            },
            () = patience.overdue() => return run,
            () = asked.cancelled.cancelled() => return run,
            () = face.link().closing.ended() => return run,
        }
    }
    run
}

/// Several runs as they are when the first or the last of them is over, or the time.
pub(super) async fn for_runs(
    face: &Face,
    asked: &Asked,
    ids: &[RunId],
    until: Until,
    patience: &Patience,
) -> Result<Vec<Run>, Fault> {
    let mut progress = Progress::new(asked);
    loop {
        let mut runs = try_join_all(ids.iter().map(|id| tools::known(face, *id))).await?;
        let open: Vec<usize> = (0..runs.len())
            .filter(|at| !runs[*at].wants_a_look())
            .collect();
        let done = match until {
            Until::Any => open.len() < runs.len(),
            Until::All => open.is_empty(),
        };
        let Some(left) = patience.left().filter(|_| !done) else {
            return Ok(runs);
        };
        progress.tell(&runs).await;
        let slices = open
            .iter()
            .map(|at| Box::pin(slice(face, runs[*at].id, asked.slice(left))));
        tokio::select! {
            (next, _, _) = select_all(slices) => if let Err(fault) = next {
                for at in open {
                    runs[at].warnings.push(lost(&fault));
                }
                return Ok(runs);
            },
            () = patience.overdue() => return Ok(runs),
            () = asked.cancelled.cancelled() => return Ok(runs),
            () = face.link().closing.ended() => return Ok(runs),
        }
    }
}

async fn slice(face: &Face, id: RunId, slice: Duration) -> Result<Run, Fault> {
    let wait_ms = u64::try_from(slice.as_millis())
        .unwrap_or(LONGEST_MS)
        .max(1);
    let begun = Instant::now();
    let run = face
        .link()
        .wait(|hub| async move {
            hub.wait(RunWait {
                id,
                wait_ms,
                below: true,
            })
            .await
        })
        .await?;
    if !run.wants_a_look() {
        tokio::time::sleep_until(begun + PACE.min(slice)).await;
    }
    Ok(run)
}

fn lost(fault: &Fault) -> Warning {
    Warning::new(&fault.kind.as_str(), fault.detail.clone())
}

/// What the watcher of a wait was told.
pub(super) struct Progress<'a> {
    asked: &'a Asked,
    last: Option<(String, Instant)>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        Self { asked, last: None }
    }

    /// Tells what is new, and after some silence also what is not.
    pub(super) async fn tell(&mut self, runs: &[Run]) {
        let Some(token) = &self.asked.token else {
            return;
        };
        let message = message(runs);
        let stale = self
            .last
            .as_ref()
            .is_none_or(|(last, at)| *last != message || at.elapsed() >= SILENCE);
        if !stale {
            return;
        }
        let told = self.asked.told.fetch_add(1, Ordering::Relaxed) + 1;
        let note = ProgressNotificationParam::new(token.clone(), f64::from(told))
            .with_message(message.clone());
        if let Err(error) = self.asked.peer.notify_progress(note).await {
            tracing::debug!(%error, "progress could not be told");
        }
        self.last = Some((message, Instant::now()));
    }
}

fn message(runs: &[Run]) -> String {
    match runs {
        [run] => super::results::doing(run),
        several => {
            let over = several.iter().filter(|run| run.wants_a_look()).count();
            format!("{over} of {} runs have ended", several.len())
        }
    }
}
