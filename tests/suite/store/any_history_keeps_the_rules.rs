//! Whatever is done in whatever order, the store agrees with a model of the rules, and its log replays to the same states.

use super::{
    kit::{Home, LEASE_MS, asks, ends, is_lost, option, run_in, says},
    model::{Asked, CAP, Known, Model, SESSIONS},
    model_said,
};
use eyas::{
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        ids::RunId,
        input::InputMode,
        request::{Answer, DecidedBy},
        retry::Left,
        run::{AttemptOutcome, RunState, Waiting},
        spent::Spent,
        time::Timestamp,
    },
    store::{Back, NewRun, Release},
};
use proptest::prelude::*;
use std::collections::HashSet;

#[derive(Clone, Debug)]
enum Act {
    Accept {
        session: usize,
        tree: Option<u8>,
        late: bool,
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
    Say {
        which: usize,
        mode: InputMode,
    },
    Take {
        which: usize,
        ended: bool,
    },
    TurnEnded(usize),
    LastTurn(usize),
    Sweep,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..SESSIONS, proptest::option::of(0..2u8), proptest::bool::weighted(0.2)).prop_map(|(session, tree, late)| Act::Accept { session, tree, late }),
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
        3 => (any::<usize>(), mode()).prop_map(|(which, mode)| Act::Say { which, mode }),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, ended)| Act::Take { which, ended }),
        1 => any::<usize>().prop_map(Act::TurnEnded),
        2 => any::<usize>().prop_map(Act::LastTurn),
        1 => Just(Act::Sweep),
        1 => Just(Act::Reopen),
    ]
}

fn mode() -> impl Strategy<Value = InputMode> {
    proptest::sample::select(vec![
        InputMode::Followup,
        InputMode::Steer,
        InputMode::Interrupt,
        InputMode::Queue,
    ])
}

async fn act_out(home: &Home, model: &mut Model, act: Act) {
    let runs = &home.store.runs;
    match act {
        Act::Accept {
            session,
            tree,
            late,
        } => accept(home, model, session, tree, late).await,
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
        Act::Say { .. } | Act::Take { .. } | Act::TurnEnded(_) | Act::LastTurn(_) => {
            act_on_said(home, model, act).await;
        }
        Act::Sweep => {
            runs.sweep(model.hubs[0]).await.unwrap();
            model.swept();
        }
        // By whoever owns the home.
        Act::Reopen => {}
    }
    model.withdraw();
    model.drop_said();
}

/// What is said, and the turns of it.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "its caller gives it these and no others"
)]
async fn act_on_said(home: &Home, model: &mut Model, act: Act) {
    match act {
        Act::Say { which, mode } => {
            let ids: Vec<RunId> = model.runs.iter().map(|run| run.id).collect();
            if let Some(id) = pick(&ids, which) {
                model_said::say(home, model, id, mode).await;
            }
        }
        Act::Take { which, ended } => {
            if let Some(lease) = pick(&model.leases, which) {
                model_said::take(home, model, lease, ended).await;
            }
        }
        Act::TurnEnded(which) => {
            if let Some(lease) = pick(&model.leases, which) {
                model_said::turn_ended(home, model, lease).await;
            }
        }
        Act::LastTurn(which) => {
            if let Some(lease) = pick(&model.leases, which) {
                model_said::last_turn(home, model, lease).await;
            }
        }
        _ => unreachable!("done by its caller"),
    }
}

fn pick<T: Copy>(from: &[T], which: usize) -> Option<T> {
    // The newest are asked for most, and stale ones often enough.
    let back = which % from.len().clamp(1, 4);
    from.len().checked_sub(1 + back).map(|at| from[at])
}

async fn accept(home: &Home, model: &mut Model, session: usize, tree: Option<u8>, late: bool) {
    let run = NewRun {
        timeout_ms: late.then_some(0),
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
        prompted: false,
        late,
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
        // Not of a kind that tells of its class: how that is judged is a promise of its own.
        error: Fault::new(ErrorKind::Internal, "it broke"),
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
        model_said::check(home, model, run.id).await;
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
            let mut home = Home::capped(CAP).await;
            let mut model = Model::new();
            for act in acts {
                if matches!(act, Act::Reopen) {
                    home = home.reopen_capped(CAP).await;
                }
                act_out(&home, &mut model, act).await;
            }
            check(&home, &model).await;
        });
    }
}
