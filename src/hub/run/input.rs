//! A further prompt for a run's agent: a turn more of the run, or a new run in its session when it has ended.

use super::{RunDesk, delegate::check_word, lineage::Origin};
use crate::{
    agents::pool::Digest,
    api::{
        input::{RunDelivery, RunInput},
        run::Delegate,
    },
    domain::{
        fault::{ErrorKind, Fault},
        input::{Delivery, DeliveryOutcome, InputMode},
        policy::PolicyWish,
        rights::{self, Deed},
        run::Run,
    },
    hub::{peers::PeerRef, rights::Asker},
    runs,
    store::{AcceptedInput, Idempotency, NewInput},
};
use std::time::Duration;

/// For the end of a run that was asked to end.
const ENDING: Duration = Duration::from_secs(10);

impl RunDesk {
    /// Gives a run a message; it is on disk when this answers.
    pub(super) async fn say(
        &self,
        params: RunInput,
        asker: Asker,
        peer: Option<&PeerRef>,
    ) -> Result<RunDelivery, Fault> {
        self.may_say(&params, &asker).await?;
        self.check_message(&params)?;
        let run = self.store.runs.get(params.id).await?;
        let mode = params.mode.unwrap_or_default();
        let idempotency = params.idempotency_key.clone().map(|key| Idempotency {
            scope: format!("input/{}", run.id),
            key,
            fingerprint: fingerprint(mode, &params.message),
        });
        let new = NewInput {
            run: run.id,
            mode,
            message: params.message.clone(),
            idempotency: idempotency.clone(),
            between: self.rights.calls().rests(run.id),
        };
        let mut accepted = self.store.inputs.accept(new.clone()).await?;
        if accepted == AcceptedInput::Ending {
            runs::ended(&self.store, run.id, ENDING).await?;
            accepted = self.store.inputs.accept(new).await?;
        }
        match accepted {
            AcceptedInput::Taken {
                delivery,
                duplicate,
            } => self.taken(&run, delivery, duplicate).await,
            AcceptedInput::Ending => Err(Fault::new(
                ErrorKind::Busy,
                format!("run {} is asked to end, and has not ended yet", run.id),
            )
            .hint("say it again when the run has ended")),
            AcceptedInput::Ended => {
                let origin = self.origin(asker, peer).await?;
                self.restart(params, origin, idempotency).await
            }
        }
    }

    /// Whoever may cancel a run may say something to it.
    async fn may_say(&self, params: &RunInput, asker: &Asker) -> Result<(), Fault> {
        match asker {
            Asker::Person => Ok(()),
            Asker::Agent(worker) => {
                let begun_by_it = self.begun_by(worker.session.id, params.id).await?;
                asker.may(&Deed::InputRun { begun_by_it })
            }
            Asker::Stray => Err(rights::stray()),
        }
    }

    fn check_message(&self, params: &RunInput) -> Result<(), Fault> {
        if params.message.trim().is_empty() {
            return Err(Fault::required("message").hint("say what the agent is to do next"));
        }
        if params.message.len() > self.prompt_bytes {
            let (bytes, most) = (params.message.len(), self.prompt_bytes);
            let detail = format!("the message has {bytes} bytes, at most {most} are taken");
            return Err(Fault::new(ErrorKind::TooLarge, detail)
                .field("message")
                .hint("put long material in a file of the project and name it"));
        }
        check_word("idempotency_key", params.idempotency_key.as_deref())
    }

    async fn taken(
        &self,
        run: &Run,
        delivery: Delivery,
        duplicate: bool,
    ) -> Result<RunDelivery, Fault> {
        if delivery.outcome == DeliveryOutcome::Interrupted {
            self.rights.calls().interrupt(run.session);
        }
        let mut run = self.store.runs.get(run.id).await?;
        run.duplicate = duplicate.then_some(true);
        Ok(RunDelivery { run, delivery })
    }

    /// A new run goes on where the ended one was, and may do no more than that might.
    async fn restart(
        &self,
        params: RunInput,
        origin: Origin<'_>,
        idempotency: Option<Idempotency>,
    ) -> Result<RunDelivery, Fault> {
        if let Some(run) = self.restarted(idempotency.as_ref()).await? {
            return Ok(run);
        }
        self.takes_work()?;
        let ended = self.store.runs.get(params.id).await?;
        let delegate = Delegate {
            prompt: params.message,
            previous: Some(ended.id),
            label: ended.label,
            hook: ended.hook,
            policy: Some(PolicyWish {
                security: Some(ended.policy.security),
                ask: Some(ended.policy.ask),
                ask_timeout_ms: Some(ended.policy.ask_timeout_ms),
            }),
            ..Delegate::default()
        };
        let run = self.accept(delegate, origin, idempotency, None).await?;
        Ok(in_a_new_run(run))
    }

    /// What this very message has come to, whatever has become since of what it needed.
    async fn restarted(&self, key: Option<&Idempotency>) -> Result<Option<RunDelivery>, Fault> {
        let Some(key) = key else { return Ok(None) };
        let known = self.store.runs.keyed(&key.scope, &key.key).await?;
        let Some((_, run)) = known.filter(|(seen, _)| *seen == key.fingerprint) else {
            return Ok(None);
        };
        let mut run = self.store.runs.get(run).await?;
        run.duplicate = Some(true);
        Ok(Some(in_a_new_run(run)))
    }
}

fn in_a_new_run(run: Run) -> RunDelivery {
    let outcome = DeliveryOutcome::Restarted;
    let delivery = Delivery { outcome, seq: 0 };
    RunDelivery { run, delivery }
}

fn fingerprint(mode: InputMode, message: &str) -> String {
    Digest::of(["input", &format!("{mode:?}"), message]).hex()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::domain::input::InputMode::{Followup, Queue};

    #[test]
    fn the_message_and_how_it_is_to_be_put_are_the_request() {
        assert_eq!(fingerprint(Queue, "on"), fingerprint(Queue, "on"));
        assert_ne!(fingerprint(Queue, "on"), fingerprint(Queue, "off"));
        assert_ne!(fingerprint(Queue, "on"), fingerprint(Followup, "on"));
    }
}
