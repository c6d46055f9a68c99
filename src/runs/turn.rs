//! A turn of an attempt: the prompt, what happens while it is worked on, and its end.

use super::{
    asking::{Questions, Settled},
    attempt::{Attempt, Ready, until},
    calls::{Call, Callable},
    ending::End,
    inputs::Interrupts,
    late::Late,
    spending::cost_of,
    ties::Stop,
    vigil::{Alarm, Vigil},
};
use crate::{
    agents::{
        acp::{Permit, Petition, Touch, TurnEnd, TurnEvent},
        pool::{Berth, Contact},
    },
    domain::{
        fault::{ErrorKind, Fault},
        policy::{Grounds, Policy},
        run::Warning,
        usage::Usage,
    },
};
use futures::FutureExt as _;
use std::{pin::Pin, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

/// For a turn to end as its hub does.
const HURRY: Duration = Duration::from_millis(1_500);
/// For a process that was killed, or goes down the ladder, to be gone.
const FUNERAL: Duration = Duration::from_secs(10);

/// What happened while a turn was under way.
enum Happened {
    Told(TurnEvent),
    /// The agent wants to do something that a person should decide.
    Wants(Petition),
    /// The agent used one of our own tools.
    Called(Call),
    Settled(Settled),
    /// The agent is about to change something, or has begun to.
    Touched(Touch),
    /// Something is to be written.
    Due,
    Alarm(Alarm),
    /// An input may have come that interrupts.
    Look,
    Ended(Result<TurnEnd, Fault>),
}

/// Everything that a turn is told by.
struct Ears {
    told: mpsc::UnboundedReceiver<TurnEvent>,
    petitions: mpsc::UnboundedReceiver<Petition>,
    touches: mpsc::UnboundedReceiver<Touch>,
    calls: Callable,
    questions: Questions,
    vigil: Vigil,
    interrupts: Interrupts,
}

/// Why a turn is not followed any more.
enum Broken {
    /// The turn is over.
    Ended(Fault),
    /// It is to be ended.
    Cut(Fault),
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
            // Before what the agent says of it.
            Some(touch) = self.touches.recv() => Happened::Touched(touch),
            Some(event) = self.told.recv() => Happened::Told(event),
            Some(petition) = self.petitions.recv() => Happened::Wants(petition),
            Some(call) = self.calls.next() => Happened::Called(call),
            Some(settled) = self.questions.next() => Happened::Settled(settled),
            end = turn => Happened::Ended(end),
            () = until(due) => Happened::Due,
            alarm = self.vigil.alarm() => Happened::Alarm(alarm),
            () = until(self.interrupts.due()) => Happened::Look,
        }
    }
}

impl Attempt<'_> {
    /// Puts the prompt, and stays with it until the turn has ended or is ended. Answers how it ended, how long it took, and what another
    /// turn needs; what went wrong otherwise.
    pub(super) async fn turn(
        &mut self,
        ready: Ready,
        mut stopped: Pin<&mut impl Future<Output = Stop>>,
    ) -> Result<(TurnEnd, i64, Ready), End> {
        let Ready {
            berth,
            session,
            opening,
            prompt,
            policy,
            grounds,
            patience,
        } = ready;
        // Its time may have been over for long: nobody looks between two turns.
        if let Some(why) = stopped.as_mut().now_or_never() {
            return Err(End::Stopped { why, usage: None });
        }
        let (begun, contact) = (Instant::now(), berth.contact().clone());
        let interrupts = Interrupts::new(contact.clone(), session.clone());
        let (mut ears, permit, tell) = self.ears(policy, grounds.clone(), interrupts);
        let conversation = session.clone();
        let turn = contact.prompt(&conversation, prompt, permit, tell);
        tokio::pin!(turn);
        let came = tokio::select! {
            biased;
            why = stopped.as_mut() => Err(why),
            end = self.follow(turn.as_mut(), &mut ears) => Ok(end),
        };
        match came {
            Ok(Ok(end)) => {
                self.rest_of(ears.told, &contact);
                let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
                let at = Ready {
                    berth,
                    session,
                    opening,
                    prompt: String::new(),
                    policy,
                    grounds,
                    patience,
                };
                Ok((end, duration_ms, at))
            }
            Ok(Err(Broken::Ended(fault))) => {
                self.failed(berth, &fault);
                Err(End::fault(fault))
            }
            Ok(Err(Broken::Cut(fault))) if fault.kind == ErrorKind::LeaseLost => {
                self.let_go(berth, &session, turn, patience).await;
                Err(End::fault(fault))
            }
            Ok(Err(Broken::Cut(fault))) => {
                self.keep_last_words(&berth);
                let usage = self.cut(berth, &session, turn, &mut ears, patience).await;
                Err(End::Fault { fault, usage })
            }
            Err(why) => {
                let stopped = self.stop_turn(why, berth, &session, turn, &mut ears, patience);
                let usage = stopped.await;
                Err(End::Stopped { why, usage })
            }
        }
    }

    /// Ends the turn as the attempt must stop; answers what it cost, where that is heard.
    async fn stop_turn(
        &mut self,
        why: Stop,
        berth: Berth,
        session: &str,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
        patience: Duration,
    ) -> Option<Usage> {
        match why {
            Stop::Cancelled | Stop::TimedOut => {
                self.cut(berth, session, turn, ears, patience).await
            }
            // What it asks stays open in these: the next attempt takes it up.
            Stop::LeaseLost | Stop::Unrenewed => {
                self.let_go(berth, session, turn, patience).await;
                None
            }
            Stop::HubEnds => {
                berth.contact().cancel(session);
                // Its agent is about to end: what does not end now ends with it.
                drop(timeout(patience.min(HURRY), turn).await);
                None
            }
        }
    }

    /// Ends the turn, and stays until the agent has let go of the tree, which is another run's from the end of this one.
    async fn cut(
        &mut self,
        berth: Berth,
        session: &str,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
        patience: Duration,
    ) -> Option<Usage> {
        let contact = berth.contact().clone();
        contact.cancel(session);
        ears.questions.withdraw();
        let ended = self.last_of(turn, ears, patience).await;
        if ended.is_none() {
            berth.forsake();
        }
        if contact.is_useless() {
            // It was asked, and had its time.
            contact.kill();
            gone(&contact, self.hurried()).await;
        }
        ended.and_then(|end| end.usage)
    }

    /// Ends the turn for somebody else who has the session now, and does not let go before it has: what does not end is killed. Nothing is
    /// written, and nothing taken back.
    async fn let_go(
        &mut self,
        berth: Berth,
        session: &str,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        patience: Duration,
    ) {
        let contact = berth.contact().clone();
        contact.cancel(session);
        let ended = !berth.is_cold() && timeout(patience, turn).await.is_ok();
        if !ended || contact.is_useless() {
            contact.kill();
            gone(&contact, std::future::pending()).await;
        }
    }

    /// What a turn under this policy is told by, and the other ends of it.
    fn ears(
        &self,
        policy: Policy,
        grounds: Grounds,
        interrupts: Interrupts,
    ) -> (Ears, Permit, mpsc::UnboundedSender<TurnEvent>) {
        let (tell, told) = mpsc::unbounded_channel();
        let (petition, petitions) = mpsc::unbounded_channel();
        let (touch, touches) = mpsc::unbounded_channel();
        let (store, lease) = (&self.tools.store, self.claimed.lease);
        let ears = Ears {
            told,
            petitions,
            touches,
            calls: self.tools.calls.enter(lease),
            questions: Questions::new(store, lease, policy, self.pause.clone()),
            vigil: Vigil::new(self.tools.pace, self.pause.clone(), self.wall_left()),
            interrupts,
        };
        let permit = Permit {
            policy,
            grounds,
            petitions: Some(petition),
            touches: Some(touch),
            pause: self.pause.clone(),
        };
        (ears, permit, tell)
    }

    /// The turn, and what comes before its end.
    async fn follow(
        &mut self,
        mut turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
    ) -> Result<TurnEnd, Broken> {
        loop {
            let happened = ears.next(turn.as_mut(), self.pump.due()).await;
            let is_sign = match &happened {
                Happened::Due | Happened::Alarm(_) | Happened::Look | Happened::Ended(_) => false,
                Happened::Told(_)
                | Happened::Wants(_)
                | Happened::Called(_)
                | Happened::Settled(_)
                | Happened::Touched(_) => true,
            };
            if is_sign {
                ears.vigil.sign();
            }
            if let Happened::Ended(end) = happened {
                while let Ok(event) = ears.told.try_recv() {
                    self.hear(event);
                }
                ears.questions.close().await;
                return end.map_err(Broken::Ended);
            }
            let attended = self.attend(happened, ears).await;
            attended.map_err(Broken::Cut)?;
        }
    }

    /// Does what one thing that happened asks for; a fault ends the turn.
    async fn attend(&mut self, happened: Happened, ears: &mut Ears) -> Result<(), Fault> {
        match happened {
            Happened::Told(event) => {
                let cost = cost_of(&event);
                self.hear(event);
                cost.map_or(Ok(()), |usd| self.costs(usd))
            }
            Happened::Wants(petition) => self.wants(petition, ears).await,
            Happened::Called(call) => self.called(call, ears).await,
            Happened::Settled(settled) => self.settled(settled, ears),
            Happened::Touched(touch) => self.touches(touch).await,
            Happened::Due => self.flush().await,
            Happened::Alarm(Alarm::Silent(fault)) => Err(fault),
            Happened::Alarm(Alarm::OutOfTime) => Err(self.out_of_time()),
            Happened::Look => {
                self.heed(ears).await;
                Ok(())
            }
            Happened::Ended(_) => Ok(()),
        }
    }

    /// The end of a turn that was asked to end, if it comes in time and the hub has so long.
    async fn last_of(
        &mut self,
        turn: Pin<&mut impl Future<Output = Result<TurnEnd, Fault>>>,
        ears: &mut Ears,
        patience: Duration,
    ) -> Option<TurnEnd> {
        let hurried = self.hurried();
        let end = async {
            let mut turn = turn;
            loop {
                match self.follow(turn.as_mut(), ears).await {
                    Ok(end) => return Some(end),
                    // It is being ended already.
                    Err(Broken::Cut(fault)) if fault.kind != ErrorKind::LeaseLost => {}
                    Err(Broken::Cut(_) | Broken::Ended(_)) => return None,
                }
            }
        };
        tokio::select! {
            end = timeout(patience, end) => end.ok()?,
            () = hurried => None,
        }
    }

    /// Returns when the hub has no more time for this attempt.
    pub(super) fn hurried(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.clone();
        async move {
            let over = |stop: &Option<Stop>| matches!(stop, Some(Stop::HubEnds | Stop::LeaseLost));
            drop(stop.wait_for(over).await);
        }
    }

    fn hear(&mut self, event: TurnEvent) {
        if let TurnEvent::Learnt { session, .. } = &event {
            self.course.conversation = session.clone().or(self.course.conversation.take());
        } else {
            self.heard = true;
        }
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
            Call::Interrupted => self.heed(ears).await,
        }
        Ok(())
    }

    /// What a turn leaves behind: its last words, which may still come, and what its agent lacked.
    fn rest_of(&mut self, told: mpsc::UnboundedReceiver<TurnEvent>, contact: &Contact) {
        self.late = Some(Late::new(told));
        self.warn_of_trust(contact);
    }

    /// What an agent does not do where it does not trust the directory is said once: to trust it is a person's affair.
    fn warn_of_trust(&mut self, contact: &Contact) {
        const KIND: &str = "folder_untrusted";
        if self.warnings.iter().any(|one| one.kind == KIND) {
            return;
        }
        if let Some(said) = contact.trust_wanted() {
            let detail = format!(
                "the agent leaves out what it needs trust for; nobody answers that for you, trust the directory in the agent itself: {said}"
            );
            self.warnings.push(Warning::new(KIND, detail));
        }
    }

    /// What is still asked is taken back: nobody is to answer for a turn that ends.
    async fn heed(&mut self, ears: &mut Ears) {
        if self.look(&mut ears.interrupts).await {
            ears.questions.withdraw();
        }
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

/// An agent that owes us the end of a turn is waited for until its process has ended, or `hurried` returns.
async fn gone(contact: &Contact, hurried: impl Future<Output = ()>) {
    tokio::select! {
        exit = timeout(FUNERAL, contact.exited()) => {
            if exit.is_err() {
                tracing::error!(agent.pid = contact.pid(), "an agent that was killed does not end");
            }
        }
        () = hurried => {}
    }
}
