//! What is said to runs, beside the rules of runs: put once, in order, and dropped where nobody is left to hear it.

use super::{
    kit::{Home, is_lost, success},
    model::Model,
};
use eyas::{
    domain::{
        ids::RunId,
        input::{InputMode, InputState},
        run::RunState,
    },
    store::{AcceptedInput, Finish, Lease, NewInput, StoreError},
};

#[derive(Debug)]
pub(super) struct Said {
    run: RunId,
    seq: i64,
    /// The lower the earlier.
    place: i64,
    state: InputState,
    /// That took it last.
    fence: Option<i64>,
    /// Its turn ended in order, or it was dropped.
    over: bool,
}

impl Model {
    fn pending(&self, run: RunId) -> bool {
        self.said
            .iter()
            .any(|one| one.run == run && one.state == InputState::Pending)
    }

    /// What has ended hears nothing more.
    pub(super) fn drop_said(&mut self) {
        let (runs, said) = (&self.runs, &mut self.said);
        for one in said
            .iter_mut()
            .filter(|one| one.state == InputState::Pending)
        {
            let run = runs.iter().find(|run| run.id == one.run);
            if run.is_some_and(|run| run.state.is_terminal()) {
                one.state = InputState::Dropped;
                one.over = true;
            }
        }
    }

    fn turn_is_over(&mut self, run: RunId, turn: i64) {
        if turn == 0 {
            self.find_mut(run).prompted = true;
        }
        let taken = self
            .said
            .iter_mut()
            .find(|one| one.run == run && one.seq == turn && one.state == InputState::Delivered);
        if let Some(one) = taken {
            one.over = true;
        }
    }

    /// The turn that the attempt of a lease is in: the input it took last, or that of its prompt.
    fn turn_of(&self, lease: Lease) -> i64 {
        self.said
            .iter()
            .filter(|one| one.run == lease.run && one.fence == Some(lease.fence))
            .find(|one| !one.over)
            .map_or(0, |one| one.seq)
    }
}

pub(super) async fn say(home: &Home, model: &mut Model, id: RunId, mode: InputMode) {
    let input = NewInput {
        run: id,
        mode,
        message: format!("{mode:?}"),
        idempotency: None,
        between: false,
    };
    let outcome = home.store.inputs.accept(input).await.unwrap();
    let run = model.find(id);
    if run.state.is_terminal() {
        assert_eq!(outcome, AcceptedInput::Ended, "{run:?}");
        return;
    }
    if run.cancel {
        assert_eq!(outcome, AcceptedInput::Ending, "{run:?}");
        return;
    }
    let AcceptedInput::Taken { delivery, .. } = outcome else {
        panic!("{outcome:?}: {run:?}");
    };
    let before = model.said.iter().filter(|one| one.run == id);
    let places: Vec<i64> = before.map(|one| one.place).collect();
    assert_eq!(delivery.seq, i64::try_from(places.len()).unwrap() + 1);
    let place = if mode.goes_first() {
        places.iter().min().copied().unwrap_or(0) - 1
    } else {
        places.iter().max().copied().unwrap_or(0) + 1
    };
    model.said.push(Said {
        run: id,
        seq: delivery.seq,
        place,
        state: InputState::Pending,
        fence: None,
        over: false,
    });
}

pub(super) async fn take(home: &Home, model: &mut Model, lease: Lease, ended: bool) {
    let turn = ended.then(|| model.turn_of(lease));
    let outcome = home.store.inputs.take(lease, turn).await;
    assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
    let Ok(taken) = outcome else { return };
    if let Some(turn) = turn {
        model.turn_is_over(lease.run, turn);
    }
    let next = model
        .said
        .iter_mut()
        .filter(|one| one.run == lease.run && !one.over)
        .min_by_key(|one| (one.state != InputState::Delivered, one.place));
    let Some(next) = next else {
        assert_eq!(taken, None);
        return;
    };
    let taken = taken.expect("one waits");
    let again = next.fence.is_some_and(|fence| fence != lease.fence);
    assert_eq!(
        (taken.input.seq, taken.again),
        (next.seq, again),
        "{next:?}"
    );
    next.state = InputState::Delivered;
    next.fence = Some(lease.fence);
}

pub(super) async fn turn_ended(home: &Home, model: &mut Model, lease: Lease) {
    let turn = model.turn_of(lease);
    let outcome = home.store.inputs.turn_ended(lease, turn).await;
    assert_eq!(is_lost(&outcome), !model.is_current(&lease), "{outcome:?}");
    if outcome.is_ok() {
        model.turn_is_over(lease.run, turn);
    }
}

/// The end of a turn, which is the run's if nothing waits.
pub(super) async fn last_turn(home: &Home, model: &mut Model, lease: Lease) {
    let finish = Finish {
        unless_input: true,
        ..success()
    };
    let outcome = home.store.runs.finish(lease, finish).await;
    match outcome {
        Ok(()) => {
            assert!(model.is_current(&lease) && !model.pending(lease.run));
            model.find_mut(lease.run).state = RunState::Succeeded;
        }
        Err(StoreError::InputsWait(_)) => assert!(model.pending(lease.run)),
        Err(StoreError::LeaseLost(_)) => assert!(!model.is_current(&lease)),
        Err(other) => panic!("{other}"),
    }
}

pub(super) async fn check(home: &Home, model: &Model, id: RunId) {
    let mut found: Vec<(i64, InputState)> = home
        .store
        .inputs
        .of(id)
        .await
        .unwrap()
        .iter()
        .map(|one| (one.seq, one.state))
        .collect();
    found.sort_by_key(|(seq, _)| *seq);
    let said = model.said.iter().filter(|one| one.run == id);
    let expected: Vec<_> = said.map(|one| (one.seq, one.state)).collect();
    assert_eq!(found, expected);
}
