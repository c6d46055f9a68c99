//! A turn of an attempt: the prompt, what happens while it is worked on, and its end.

use super::{
    asking::{Questions, Settled},
    attempt::{Attempt, Ready, until},
    calls::{Call, Callable},
    dispatch::Stop,
    ending::End,
};
use crate::{
    agents::acp::{Permit, Petition, TurnEnd, TurnEvent},
    domain::{
        fault::Fault,
        policy::{Grounds, Policy},
    },
};
use std::{pin::Pin, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// What happened while a turn was under way.
enum Happened {
    Told(TurnEvent),
    /// The agent wants to do something that a person should decide.
    Wants(Petition),
    /// The agent used one of our own tools.
    Called(Call),
    Settled(Settled),
    /// Something is to be written.
    Due,
    Ended(Result<TurnEnd, Fault>),
}

/// Everything that a turn is told by.
struct Ears {
    told: mpsc::UnboundedReceiver<TurnEvent>,
    petitions: mpsc::UnboundedReceiver<Petition>,
    calls: Callable,
    questions: Questions,
}

impl Ears {
    /// What the agent said before its end comes before it.
    async fn next(
        &mut self,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        due: Option<Instant>,
    ) -> Happened {
        tokio::select! {
            biased;
            Some(event) = self.told.recv() => Happened::Told(event),
            Some(petition) = self.petitions.recv() => Happened::Wants(petition),
            Some(call) = self.calls.next() => Happened::Called(call),
            Some(settled) = self.questions.next() => Happened::Settled(settled),
            end = turn => Happened::Ended(end),
            () = until(due) => Happened::Due,
        }
    }
}

impl Attempt<'_> {
    /// Puts the prompt, and stays with it until the turn has ended or is ended.
    pub(super) async fn turn(
        &mut self,
        ready: Ready,
        mut stopped: Pin<&mut impl Future<Output = Stop>>,
    ) -> End {
        let Ready {
            berth,
            session,
            opening,
            prompt,
            policy,
            grounds,
            patience,
        } = ready;
        self.pump.step("has its prompt");
        let begun = Instant::now();
        let (mut ears, permit, tell) = self.ears(policy, grounds);
        let link = berth.link().clone();
        let turn = link.prompt(&session, prompt, permit, tell);
        tokio::pin!(turn);
        let came = tokio::select! {
            biased;
            why = stopped.as_mut() => Err(why),
            end = self.follow(turn.as_mut(), &mut ears) => Ok(end),
        };
        match came {
            Ok(Ok(end)) => {
                berth.settle(opening);
                let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
                End::Turn { end, duration_ms }
            }
            Ok(Err(fault)) => {
                self.failed(berth, &fault);
                End::Fault(fault)
            }
            Err(why @ (Stop::Cancelled | Stop::TimedOut)) => {
                link.cancel(&session);
                ears.questions.withdraw();
                // The tree is another run's from the end of this one: the agent must have let go of it.
                let ended = self.last_of(turn, &mut ears, patience).await;
                if ended.is_none() {
                    berth.forsake();
                }
                let usage = ended.and_then(|end| end.usage);
                End::Stopped { why, usage }
            }
            Err(why @ Stop::LeaseLost) => {
                berth.abandon();
                End::Stopped { why, usage: None }
            }
            // The turn is cancelled as it is dropped; its agent is about to end. What it asks stays open: the next attempt takes it up.
            Err(why @ Stop::HubEnds) => End::Stopped { why, usage: None },
        }
    }

    /// What a turn under this policy is told by, and the other ends of it.
    fn ears(
        &self,
        policy: Policy,
        grounds: Grounds,
    ) -> (Ears, Permit, mpsc::UnboundedSender<TurnEvent>) {
        let (tell, told) = mpsc::unbounded_channel();
        let (petition, petitions) = mpsc::unbounded_channel();
        let (store, lease) = (&self.tools.store, self.claimed.lease);
        let ears = Ears {
            told,
            petitions,
            calls: self.tools.calls.enter(lease),
            questions: Questions::new(store, lease, policy, self.pause.clone()),
        };
        let permit = Permit {
            policy,
            grounds,
            petitions: Some(petition),
            touches: None,
            pause: self.pause.clone(),
        };
        (ears, permit, tell)
    }

    /// The turn, and what comes before its end.
    async fn follow(
        &mut self,
        mut turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
    ) -> Result<TurnEnd, Fault> {
        loop {
            match ears.next(turn.as_mut(), self.pump.due()).await {
                Happened::Told(event) => self.hear(event),
                Happened::Wants(petition) => self.wants(petition, ears).await?,
                Happened::Called(call) => self.called(call, ears).await?,
                Happened::Settled(settled) => self.settled(settled, ears)?,
                Happened::Due => self.flush().await?,
                Happened::Ended(end) => {
                    while let Ok(event) = ears.told.try_recv() {
                        self.hear(event);
                    }
                    ears.questions.close().await;
                    return end;
                }
            }
        }
    }

    /// The end of a turn that was asked to end, if it comes in time and the hub has so long.
    async fn last_of(
        &mut self,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
        patience: Duration,
    ) -> Option<TurnEnd> {
        let mut stop = self.stop.clone();
        let hurried = stop.wait_for(|stop| matches!(stop, Some(Stop::HubEnds | Stop::LeaseLost)));
        tokio::select! {
            end = tokio::time::timeout(patience, self.follow(turn, ears)) => end.ok()?.ok(),
            _ = hurried => None,
        }
    }

    fn hear(&mut self, event: TurnEvent) {
        self.heard = true;
        self.pump.push(event);
    }

    /// What led to it is written first: whoever is asked reads it.
    async fn wants(&mut self, petition: Petition, ears: &mut Ears) -> Result<(), Fault> {
        self.heard = true;
        self.pump
            .step(&format!("waits for an answer: {}", petition.title));
        self.flush().await?;
        ears.questions.petition(petition);
        Ok(())
    }

    async fn called(&mut self, call: Call, ears: &mut Ears) -> Result<(), Fault> {
        self.heard = true;
        match call {
            Call::Conclude { report, reply } => {
                self.report = Some(report);
                drop(reply.send(Ok(())));
            }
            Call::Progress {
                text,
                percent,
                reply,
            } => {
                self.pump.progress(&text, percent);
                drop(reply.send(Ok(())));
            }
            Call::Ask { question, reply } => {
                self.pump
                    .step(&format!("waits for an answer: {}", question.title));
                self.flush().await?;
                ears.questions.question(question, reply);
            }
        }
        Ok(())
    }

    fn settled(&mut self, settled: Settled, ears: &Ears) -> Result<(), Fault> {
        match settled {
            Settled::Done(warning) => self.warnings.extend(warning),
            Settled::LeaseLost(fault) => return Err(fault),
        }
        if ears.questions.is_empty() {
            self.pump.step("goes on");
        }
        Ok(())
    }
}
