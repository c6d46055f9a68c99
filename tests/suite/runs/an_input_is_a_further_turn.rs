//! What is said to a run is put to its agent in the same attempt, and none of it is lost.

use super::kit::{PATIENCE, Yard};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        input::{
            Delivery, DeliveryOutcome,
            InputMode::{self, Followup, Interrupt, Queue},
            InputState,
        },
        request::DecidedBy,
        run::{Mode, Run, RunState},
    },
    store::{AcceptedInput, EventFilter, NewInput, NewRun, SessionRow},
};
use std::time::{Duration, Instant};

impl Yard {
    async fn input(&self, run: RunId, mode: InputMode, message: &str) -> AcceptedInput {
        let new = NewInput {
            run,
            mode,
            message: message.to_owned(),
            idempotency: None,
            between: self.calls.rests(run),
        };
        self.store.inputs.accept(new).await.unwrap()
    }

    /// As a person does it who knows that the run goes on.
    async fn tell(
        &self,
        session: &SessionRow,
        run: RunId,
        mode: InputMode,
        message: &str,
    ) -> Delivery {
        let AcceptedInput::Taken { delivery, .. } = self.input(run, mode, message).await else {
            panic!("the run has ended");
        };
        if delivery.outcome == DeliveryOutcome::Interrupted {
            self.calls.interrupt(session.id);
        }
        delivery
    }

    /// All that the agent said, in all turns.
    async fn output(&self, run: RunId) -> String {
        let filter = EventFilter {
            run: Some(run),
            ..EventFilter::default()
        };
        let events = self.store.events.after(None, filter, 1_000).await.unwrap();
        let said = events
            .iter()
            .filter(|event| event.kind == EventKind::Message);
        said.filter_map(|event| event.data["text"].as_str())
            .collect()
    }

    async fn until_said(&self, run: RunId, what: &str) {
        let begun = Instant::now();
        while !self.output(run).await.contains(what) {
            assert!(begun.elapsed() < PATIENCE, "{}", self.output(run).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn summary(run: &Run) -> &str {
    &run.conclusion
        .as_ref()
        .unwrap_or_else(|| panic!("{run:#?}"))
        .summary
}

/// A run whose first turn ends only when it is cancelled.
async fn long(yard: &Yard) -> (SessionRow, RunId) {
    let session = yard.session();
    let prompt = "!say first.\n!sleep 60000";
    let run = yard.accept(Yard::asking_in(session.clone(), prompt)).await;
    yard.until_said(run, "first.").await;
    (session, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_attempt_in_the_order_asked_for() {
    let yard = Yard::new().await;
    let session = yard.session();
    let prompt = "!tool look read\n!usage\n!say one.\n!sleep 400";
    let run = yard.accept(Yard::asking_in(session.clone(), prompt)).await;
    yard.until_said(run, "one.").await;
    for (mode, message) in [
        (Queue, "!say three.\n!tool look read"),
        (Queue, "!history\n!say four."),
        (Followup, "!say two."),
    ] {
        let delivery = yard.tell(&session, run, mode, message).await;
        assert_eq!(delivery.outcome, DeliveryOutcome::Queued);
    }
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
    assert_eq!(yard.output(run).await, "one.two.three.4four.");
    assert_eq!(summary(&ended), "4four.", "of the last turn");
    assert_eq!(ended.attempt, 1);
    let tools = ended.conclusion.as_ref().unwrap().tools.clone().unwrap();
    assert_eq!(tools.total, 2, "of all turns");
    assert!(ended.conclusion.as_ref().unwrap().duration_ms >= 400);
    let all = yard.store.inputs.of(run).await.unwrap();
    assert!(all.iter().all(|one| one.state == InputState::Delivered));
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_when_it_interrupts() {
    let yard = Yard::new().await;
    let (session, run) = long(&yard).await;
    yard.tell(&session, run, Queue, "!say last.").await;
    let begun = Instant::now();
    let delivery = yard
        .tell(&session, run, Interrupt, "!told interrupted\n!say now.")
        .await;
    assert_eq!(delivery.outcome, DeliveryOutcome::Interrupted);
    let ended = yard.end_of(run).await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
    assert_eq!(ended.attempt, 1);
    assert_eq!(yard.output(run).await, "first.truenow.last.");
    yard.pool.close().await;
}

/// The hub that took it in may be another one, or nobody was there to hear it.
#[tokio::test(flavor = "multi_thread")]
async fn at_once_though_nobody_said_so() {
    let yard = Yard::new().await;
    let (_, run) = long(&yard).await;
    yard.input(run, Interrupt, "!say now.").await;
    let ended = yard.end_of(run).await;
    assert_eq!(summary(&ended), "now.");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_of_what_was_asked() {
    let yard = Yard::new().await;
    let session = yard.session();
    let ask = "!permission execute git push\n!say asked.";
    let run = yard.accept(Yard::asking_in(session.clone(), ask)).await;
    yard.asked(run, 1).await;
    let waiting = yard.tell(&session, run, Queue, "!say later.").await;
    assert_eq!(waiting.outcome, DeliveryOutcome::Queued);
    let delivery = yard.tell(&session, run, Interrupt, "!say instead.").await;
    assert_eq!(delivery.outcome, DeliveryOutcome::Interrupted);
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
    assert_eq!(summary(&ended), "later.");
    let output = yard.output(run).await;
    assert!(output.ends_with("instead.later."), "{output}");
    assert_eq!(yard.decisions(run).await, [(DecidedBy::Withdrawn, None)]);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_that_was_waited_for() {
    let yard = Yard::new().await;
    let session = yard.session();
    let ask = "!permission execute git push";
    let run = yard.accept(Yard::asking_in(session.clone(), ask)).await;
    let open = yard.asked(run, 1).await;
    yard.tell(&session, run, Followup, "!say and more.").await;
    yard.answer(run, &open[0], "yes").await;
    let ended = yard.end_of(run).await;
    assert_eq!(summary(&ended), "and more.");
    assert_eq!(yard.output(run).await, "permission: yes\nand more.");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_turn_before_it_ended_with() {
    let yard = Yard::new().await;
    let session = yard.session();
    let run = yard
        .accept(Yard::asking_in(
            session.clone(),
            "!say no.\n!sleep 300\n!stop refusal",
        ))
        .await;
    yard.until_said(run, "no.").await;
    yard.tell(&session, run, Queue, "!say but this.").await;
    let ended = yard.end_of(run).await;
    assert_eq!(
        (ended.state, summary(&ended)),
        (RunState::Succeeded, "but this.")
    );
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_none_is_lost_though_it_races_the_end() {
    let yard = Yard::new().await;
    let (mut turns, mut late) = (0, 0);
    for n in 0..200_u64 {
        let session = yard.session();
        let cold = n % 20 == 19;
        let new = NewRun {
            mode: if cold { Mode::Cold } else { Mode::Auto },
            ..Yard::asking_in(session.clone(), "!say a.")
        };
        let run = yard.accept(new).await;
        if cold {
            yard.until_said(run, "a.").await;
        }
        tokio::time::sleep(Duration::from_micros(n * 97 % 6_000)).await;
        match yard.input(run, Queue, "!say b.").await {
            AcceptedInput::Taken { delivery, .. } => {
                assert_ne!(delivery.outcome, DeliveryOutcome::Restarted);
                let ended = yard.end_of(run).await;
                assert_eq!(
                    (ended.state, summary(&ended)),
                    (RunState::Succeeded, "b."),
                    "{n}"
                );
                assert_eq!(yard.output(run).await, "a.b.", "{n}");
                turns += 1;
            }
            AcceptedInput::Ended => {
                let ended = yard.end_of(run).await;
                assert_eq!(summary(&ended), "a.", "{n}");
                late += 1;
            }
            AcceptedInput::Ending => panic!("nobody asked for the end"),
        }
    }
    assert_eq!(turns + late, 200);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_next_hub_when_the_first_has_ended() {
    let mut yard = Yard::with_args(&["--load"]).await;
    let session = yard.session();
    let prompt = "!say one.\n!sleep 300";
    let run = yard.accept(Yard::asking_in(session.clone(), prompt)).await;
    yard.until_said(run, "one.").await;
    yard.tell(&session, run, Queue, "!say two.\n!sleep 60000")
        .await;
    yard.tell(&session, run, Queue, "!say three.").await;
    yard.until_said(run, "two.").await;
    yard.restart().await;
    let now = yard.store.runs.get(run).await.unwrap();
    assert_eq!(now.state, RunState::Queued);
    let all = yard.store.inputs.of(run).await.unwrap();
    let states: Vec<_> = all.iter().map(|one| one.state).collect();
    assert_eq!(states, [InputState::Delivered, InputState::Pending]);
    yard.resume();
    // The turn that did not end is put again, and the first is not.
    let again = Instant::now();
    while yard.output(run).await.matches("two.").count() < 2 {
        assert!(again.elapsed() < PATIENCE, "{}", yard.output(run).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    yard.tell(&session, run, Interrupt, "!say then.").await;
    let ended = yard.end_of(run).await;
    assert_eq!(ended.state, RunState::Succeeded, "{ended:#?}");
    assert_eq!(yard.output(run).await, "one.two.two.then.three.");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_of_a_mebibyte() {
    let yard = Yard::new().await;
    let session = yard.session();
    let run = yard
        .accept(Yard::asking_in(session.clone(), "!say one.\n!sleep 200"))
        .await;
    yard.until_said(run, "one.").await;
    let message = format!("!say whole.\n{}", "x".repeat(1 << 20));
    yard.tell(&session, run, Queue, &message).await;
    let ended = yard.end_of(run).await;
    assert_eq!(summary(&ended), "whole.");
    yard.pool.close().await;
}
