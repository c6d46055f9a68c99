//! Whatever is done in whatever order, the store agrees with a model of the rules, and its log replays to the same states.

use super::kit::{Home, LEASE_MS, asks, ends, is_lost, option, run_in, says, session};
use eyas::{
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId},
        request::{Answer, DecidedBy},
        retry::Left,
        run::{AttemptOutcome, RunState, Waiting},
        spent::Spent,
        time::Timestamp,
    },
    stdx::mint,
    store::{Back, Claimed, Lease, NewRun, Release, SessionRow},
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

const CAP: u32 = 2;
const SESSIONS: usize = 6;

#[derive(Clone, Debug)]
enum Act {
    Accept {
        session: usize,
        tree: Option<u8>,
    },
    Claim {
        hub: usize,
        limit: u32,
    },
    Append(usize),
    Finish {
        which: usize,
        failed: bool,
    },
    Release {
        which: usize,
        later: bool,
    },
    Back {
        which: usize,
        counts: bool,
        later: bool,
    },
    Touch(usize),
    Cancel(usize),
    Recover {
        dead: usize,
    },
    Wake,
    Ask {
        which: usize,
        what: u8,
    },
    Answer(usize),
    Close(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..SESSIONS, proptest::option::of(0..2u8)).prop_map(|(session, tree)| Act::Accept { session, tree }),
        4 => (0..2usize, 1..5u32).prop_map(|(hub, limit)| Act::Claim { hub, limit }),
        2 => any::<usize>().prop_map(Act::Append),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, failed)| Act::Finish { which, failed }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, later)| Act::Release { which, later }),
        2 => (any::<usize>(), any::<bool>(), any::<bool>()).prop_map(|(which, counts, later)| Act::Back { which, counts, later }),
        2 => any::<usize>().prop_map(Act::Touch),
        2 => any::<usize>().prop_map(Act::Cancel),
        1 => (0..2usize).prop_map(|dead| Act::Recover { dead }),
        1 => Just(Act::Wake),
        3 => (any::<usize>(), 0..2u8).prop_map(|(which, what)| Act::Ask { which, what }),
        2 => any::<usize>().prop_map(Act::Answer),
        1 => any::<usize>().prop_map(Act::Close),
    ]
}

#[derive(Debug)]
struct Known {
    id: RunId,
    session: usize,
    tree: Option<u8>,
    state: RunState,
    cancel: bool,
    later: bool,
    /// It waits for its next attempt, which no wake brings nearer.
    delayed: bool,
    holder: Option<usize>,
    /// Number of its attempt, and those that its policy has.
    attempt: u32,
    /// Its attempt has begun to change things.
    touched: bool,
    /// A person must say whether it is tried again.
    asks: bool,
}

#[derive(Debug)]
struct Asked {
    id: String,
    run: RunId,
    what: u8,
    /// Of the attempt that waits, or has waited, for it.
    fence: Option<i64>,
    decided: bool,
    used: bool,
}

impl Known {
    /// Its hub has died.
    fn lose(&mut self) {
        let waits = self.state == RunState::InputRequired;
        let counts = self.touched || !waits;
        self.state = if self.cancel {
            RunState::Cancelled
        } else if self.asks {
            self.attempt -= 1;
            RunState::Queued
        } else if counts && self.attempt >= 2 {
            RunState::Failed
        } else {
            self.attempt -= u32::from(!counts);
            self.asks = self.touched;
            RunState::Queued
        };
    }
}

/// The rules, without a database.
#[derive(Debug)]
struct Model {
    sessions: Vec<SessionRow>,
    hubs: [HubId; 2],
    runs: Vec<Known>,
    /// Every lease ever given, the newest of a run last.
    leases: Vec<Lease>,
    fences: HashMap<usize, i64>,
    asked: Vec<Asked>,
}

impl Model {
    fn new() -> Self {
        let sessions = (0..SESSIONS)
            .map(|n| SessionRow {
                agent: if n % 2 == 0 { "even" } else { "odd" }.to_owned(),
                ..session()
            })
            .collect();
        Self {
            sessions,
            hubs: [HubId(mint()), HubId(mint())],
            runs: Vec::new(),
            leases: Vec::new(),
            fences: HashMap::new(),
            asked: Vec::new(),
        }
    }

    fn held(&self) -> impl Iterator<Item = &Known> {
        self.runs.iter().filter(|run| run.state.is_held())
    }

    /// Whether a claim may take it, and must if it is asked for enough.
    fn is_eligible(&self, run: &Known) -> bool {
        let first = self
            .runs
            .iter()
            .find(|other| other.session == run.session && !other.state.is_terminal());
        let turns = self
            .held()
            .filter(|other| other.session % 2 == run.session % 2)
            .count();
        first.is_some_and(|first| first.id == run.id)
            && run.state == RunState::Queued
            && !run.later
            && !run.delayed
            && turns < CAP as usize
            && !self
                .held()
                .any(|other| run.tree.is_some() && other.tree == run.tree)
    }

    fn is_current(&self, lease: &Lease) -> bool {
        let newest = self.leases.iter().rfind(|other| other.run == lease.run);
        newest == Some(lease) && self.find(lease.run).state.is_held()
    }

    fn find(&self, id: RunId) -> &Known {
        self.runs
            .iter()
            .find(|run| run.id == id)
            .expect("only known runs are leased")
    }

    fn find_mut(&mut self, id: RunId) -> &mut Known {
        self.runs
            .iter_mut()
            .find(|run| run.id == id)
            .expect("only known runs are leased")
    }

    /// A held run waits for a person while its attempt waits for one of its requests.
    fn settle_input(&mut self, id: RunId) {
        let fence = self
            .leases
            .iter()
            .rfind(|lease| lease.run == id)
            .map(|lease| lease.fence);
        let waits = self
            .asked
            .iter()
            .any(|one| one.run == id && !one.decided && one.fence == fence);
        let run = self.find_mut(id);
        if run.state.is_held() {
            run.state = if waits {
                RunState::InputRequired
            } else {
                RunState::Running
            };
        }
    }

    /// Its attempt has given it back.
    fn leave(&mut self, id: RunId) {
        for one in self
            .asked
            .iter_mut()
            .filter(|one| one.run == id && !one.used)
        {
            one.fence = None;
        }
    }

    /// What has ended asks nothing.
    fn withdraw(&mut self) {
        let ended: HashSet<RunId> = self
            .runs
            .iter()
            .filter(|run| run.state.is_terminal())
            .map(|run| run.id)
            .collect();
        for one in self.asked.iter_mut().filter(|one| ended.contains(&one.run)) {
            one.used |= !one.decided;
            one.decided = true;
        }
    }

    fn claimed(&mut self, claimed: &[Claimed], hub: usize, limit: u32) {
        for one in claimed {
            let run = self.find(one.lease.run);
            assert!(self.is_eligible(run), "{run:?} is not to be claimed");
            let session = run.session;
            let fence = self.fences.insert(session, one.lease.fence);
            assert!(
                fence.is_none_or(|before| before < one.lease.fence),
                "the fence rises"
            );
            let run = self.find_mut(one.lease.run);
            run.state = RunState::Running;
            run.holder = Some(hub);
            run.attempt += 1;
            run.touched = false;
            assert_eq!(run.attempt, one.lease.attempt);
            let asks = one.left.as_ref().is_some_and(|left| left.asks);
            assert_eq!(run.asks, asks, "{run:?}");
            self.leases.push(one.lease);
        }
        if claimed.len() < limit as usize {
            let missed = self.runs.iter().find(|run| self.is_eligible(run));
            assert!(missed.is_none(), "{missed:?} should have been claimed");
        }
    }
}

async fn act_out(home: &Home, model: &mut Model, act: Act) {
    let runs = &home.store.runs;
    match act {
        Act::Accept { session, tree } => accept(home, model, session, tree).await,
        Act::Claim { hub, limit } => {
            let claimed = runs.claim(model.hubs[hub], limit, LEASE_MS).await.unwrap();
            model.claimed(&claimed, hub, limit);
        }
        Act::Append(which) => {
            let Some(lease) = pick(&model.leases, which) else {
                return;
            };
            let outcome = runs.append(lease, says("at it")).await;
            assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
        }
        Act::Finish { which, failed } => {
            let Some(lease) = pick(&model.leases, which) else {
                return;
            };
            let (state, outcome) = if failed {
                (RunState::Failed, AttemptOutcome::Failed)
            } else {
                (RunState::Succeeded, AttemptOutcome::Succeeded)
            };
            let outcome = runs.finish(lease, ends(state, outcome)).await;
            assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
            if outcome.is_ok() {
                model.find_mut(lease.run).state = state;
            }
        }
        Act::Release { which, later } => release(home, model, which, later).await,
        Act::Back {
            which,
            counts,
            later,
        } => back(home, model, which, counts, later).await,
        Act::Touch(which) => {
            let Some(lease) = pick(&model.leases, which) else {
                return;
            };
            let mut progress = says("at it");
            progress.note.touched = vec!["edit".to_owned()];
            let outcome = runs.append(lease, progress).await;
            assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
            if outcome.is_ok() {
                model.find_mut(lease.run).touched = true;
            }
        }
        Act::Cancel(which) => cancel(home, model, which).await,
        Act::Recover { dead } => {
            let alive = model.hubs[1 - dead];
            runs.recover(vec![alive]).await.unwrap();
            let mut left = Vec::new();
            for run in &mut model.runs {
                if run.state.is_held() && run.holder == Some(dead) {
                    run.lose();
                    left.push(run.id);
                }
            }
            for id in left {
                model.leave(id);
            }
        }
        Act::Wake => {
            runs.wake(Waiting::Environment).await.unwrap();
            model.runs.iter_mut().for_each(|run| run.later = false);
        }
        Act::Ask { which, what } => ask(home, model, which, what).await,
        Act::Answer(which) => answer(home, model, which).await,
        Act::Close(which) => close(home, model, which).await,
    }
    model.withdraw();
}

fn pick<T: Copy>(from: &[T], which: usize) -> Option<T> {
    // The newest are asked for most, and stale ones often enough.
    let back = which % from.len().clamp(1, 4);
    from.len().checked_sub(1 + back).map(|at| from[at])
}

async fn accept(home: &Home, model: &mut Model, session: usize, tree: Option<u8>) {
    let run = NewRun {
        tree: tree.map(|tree| format!("/{tree}")),
        ..run_in(model.sessions[session].clone())
    };
    model.runs.push(Known {
        id: home.accept(run).await,
        session,
        tree,
        state: RunState::Queued,
        cancel: false,
        later: false,
        delayed: false,
        holder: None,
        attempt: 0,
        touched: false,
        asks: false,
    });
}

async fn release(home: &Home, model: &mut Model, which: usize, later: bool) {
    let Some(lease) = pick(&model.leases, which) else {
        return;
    };
    let release = Release {
        waiting: later.then_some(Waiting::Environment),
        delay_ms: if later { 3_600_000 } else { 0 },
        reason: "not now".to_owned(),
    };
    let outcome = home.store.runs.release(lease, release).await;
    assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
    if outcome.is_ok() {
        let run = model.find_mut(lease.run);
        run.state = if run.cancel {
            RunState::Cancelled
        } else {
            RunState::Queued
        };
        run.later = later;
        run.attempt -= 1;
        model.leave(lease.run);
    }
}

async fn back(home: &Home, model: &mut Model, which: usize, counts: bool, later: bool) {
    let Some(lease) = pick(&model.leases, which) else {
        return;
    };
    let run = model.find(lease.run);
    // As an attempt does it that came no further than to ask.
    let left = (!run.asks).then(|| Left {
        attempt: lease.attempt,
        outcome: AttemptOutcome::Failed,
        error: Fault::new(ErrorKind::AgentDied, "it died"),
        at: Timestamp(0),
        prompted: true,
        touched: Vec::new(),
        asks: run.touched,
        parks: 0,
        spent: Spent::default(),
        conclusion: None,
    });
    let counts = counts && !run.asks;
    let back = Back {
        outcome: AttemptOutcome::Failed,
        reason: "it died".to_owned(),
        left,
        counts,
        delay_ms: if later { 3_600_000 } else { 0 },
        stderr_tail: None,
        progress: says("the last of it"),
    };
    let outcome = home.store.runs.back(lease, back).await;
    assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
    if outcome.is_ok() {
        let run = model.find_mut(lease.run);
        run.state = if run.cancel {
            RunState::Cancelled
        } else {
            RunState::Queued
        };
        run.asks |= run.touched;
        run.delayed = later;
        run.attempt -= u32::from(!counts);
        model.leave(lease.run);
    }
}

async fn ask(home: &Home, model: &mut Model, which: usize, what: u8) {
    let Some(lease) = pick(&model.leases, which) else {
        return;
    };
    let new = asks(&what.to_string());
    let outcome = home.store.requests.open(lease, new.clone()).await;
    assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
    let Ok(row) = outcome else { return };
    let left = model
        .asked
        .iter_mut()
        .find(|one| one.run == lease.run && one.what == what && one.fence.is_none() && !one.used);
    let expected = if let Some(one) = left {
        one.fence = Some(lease.fence);
        one.used = one.decided;
        (one.id.clone(), one.decided)
    } else {
        model.asked.push(Asked {
            id: new.id.clone(),
            run: lease.run,
            what,
            fence: Some(lease.fence),
            decided: false,
            used: false,
        });
        (new.id, false)
    };
    assert_eq!((row.request.id, row.decided.is_some()), expected);
    model.settle_input(lease.run);
}

async fn answer(home: &Home, model: &mut Model, which: usize) {
    let Some(at) = model
        .asked
        .len()
        .checked_sub(1 + which % model.asked.len().max(1))
    else {
        return;
    };
    let one = &mut model.asked[at];
    let outcome = home
        .store
        .requests
        .answer(one.run, &one.id, option("yes"), None)
        .await;
    assert_eq!(outcome.unwrap().1, !one.decided, "{one:?}");
    if !one.decided {
        one.decided = true;
        one.used = one.fence.is_some();
        let run = one.run;
        model.settle_input(run);
    }
}

async fn close(home: &Home, model: &mut Model, which: usize) {
    let Some(lease) = pick(&model.leases, which) else {
        return;
    };
    let is_current = model.is_current(&lease);
    let Some(one) = model.asked.iter_mut().rfind(|one| one.run == lease.run) else {
        return;
    };
    let (by, nothing) = (DecidedBy::Withdrawn, Answer::default());
    let outcome = home
        .store
        .requests
        .close(lease, &one.id, by, nothing, None)
        .await;
    assert_eq!(is_lost(&outcome), !is_current, "{outcome:?}");
    if is_current && !one.decided {
        one.decided = true;
        one.used = true;
        model.settle_input(lease.run);
    }
}

async fn cancel(home: &Home, model: &mut Model, which: usize) {
    let ids: Vec<RunId> = model.runs.iter().map(|run| run.id).collect();
    let Some(id) = pick(&ids, which) else { return };
    let state = home
        .store
        .runs
        .cancel(id, "enough".to_owned())
        .await
        .unwrap();
    let run = model.find_mut(id);
    match run.state {
        RunState::Queued => run.state = RunState::Cancelled,
        RunState::Running | RunState::InputRequired => run.cancel = true,
        RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::TimedOut => {}
    }
    assert_eq!(state, run.state);
}

/// The rows are as the model says, and the log tells the same story.
async fn check(home: &Home, model: &Model) {
    let mut open = 0;
    for run in &model.runs {
        let found = home.store.runs.get(run.id).await.unwrap();
        assert_eq!(found.state, run.state, "{run:?}");
        let open_ones: Vec<_> = model
            .asked
            .iter()
            .filter(|one| one.run == run.id && !one.decided)
            .map(|one| one.id.as_str())
            .collect();
        let shown: Vec<_> = found.requests.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(shown, open_ones, "{run:?}");
        open += u32::from(!run.state.is_terminal());
        let events = home.events(run.id).await;
        let numbers: Vec<_> = events.iter().filter_map(|event| event.run_seq).collect();
        assert_eq!(
            numbers,
            (1..).take(events.len()).collect::<Vec<i64>>(),
            "no gap"
        );
        assert_eq!(events[0].kind, EventKind::Accepted);
        let ended = events
            .iter()
            .filter(|event| event.kind == EventKind::Finished)
            .count();
        assert_eq!(
            ended,
            usize::from(run.state.is_terminal()),
            "ended once: {run:?}"
        );
        if run.state.is_terminal() {
            let last = events.last().unwrap();
            assert_eq!(
                (last.kind, last.data["state"].as_str()),
                (EventKind::Finished, Some(run.state.as_str()))
            );
        }
        let attempts = home.store.runs.attempts(run.id).await.unwrap();
        let at_work = attempts
            .iter()
            .filter(|attempt| attempt.outcome.is_none())
            .count();
        assert_eq!(at_work, usize::from(run.state.is_held()), "{attempts:?}");
    }
    assert_eq!(home.store.runs.open(None).await.unwrap(), open);
    let cursors: Vec<_> = home
        .store
        .events
        .after(None, eyas::store::EventFilter::default(), 1000)
        .await
        .unwrap();
    let distinct: HashSet<_> = cursors.iter().map(|event| &event.cursor).collect();
    assert_eq!(distinct.len(), cursors.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_the_model(acts in proptest::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = Home::capped(CAP).await;
            let mut model = Model::new();
            for act in acts {
                act_out(&home, &mut model, act).await;
            }
            check(&home, &model).await;
        });
    }
}
