//! Going on where an attempt before left off: a person is asked first where half of its changes may be there, and the agent is told.

use super::{asking::Asker, attempt::Attempt, ending::End, ties::Stop};
use crate::{
    agents::pool::Digest,
    domain::{
        request::{Answer, OptionKind, RequestKind, RequestOption},
        retry::Left,
    },
    stdx::{mint, text::head},
    store::{NewRequest, StoreError},
};
use std::pin::Pin;

const RETRY: &str = "retry";
const FINISH: &str = "finish";
const CANCEL: &str = "cancel";
/// Of why an attempt ended, where it is shown or told.
const WHY: usize = 600;

impl Attempt<'_> {
    /// What the attempt before left, and a person must still say what becomes of it.
    pub(super) fn unsettled(&self) -> Option<&Left> {
        let left = self.claimed.left.as_ref()?;
        (left.asks && !self.approved).then_some(left)
    }

    /// Asks whether it is tried again, before anything is launched. An end if it is not.
    pub(super) async fn resume(
        &mut self,
        mut stopped: Pin<&mut impl Future<Output = Stop>>,
    ) -> Option<End> {
        let left = self.unsettled()?.clone();
        self.pump
            .step("waits for an answer: retry, finish or cancel?");
        if let Err(fault) = self.flush().await {
            return Some(End::fault(fault));
        }
        let asker = Asker::new(&self.tools.store, self.claimed.lease, self.pause.clone());
        let timeout_ms = self.claimed.run.policy.ask_timeout_ms;
        let answer = tokio::select! {
            biased;
            why = stopped.as_mut() => return Some(End::Stopped { why, usage: None }),
            answer = asker.choose(question(&left, timeout_ms), FINISH) => answer,
        };
        match answer.map(choice) {
            Ok(RETRY) => self.approve(left).await,
            Ok(CANCEL) => Some(End::Stopped {
                why: Stop::Cancelled,
                usage: None,
            }),
            Ok(_finish) => Some(End::Given(Box::new(left))),
            Err(StoreError::LeaseLost(_)) => Some(End::Stopped {
                why: Stop::LeaseLost,
                usage: None,
            }),
            Err(error) => Some(End::fault(error.into())),
        }
    }

    /// Nobody is to be asked the same again, whatever becomes of this attempt.
    async fn approve(&mut self, left: Left) -> Option<End> {
        self.approved = true;
        self.pump.left(Left {
            asks: false,
            ..left
        });
        self.pump.step("goes on");
        self.flush().await.err().map(End::fault)
    }
}

/// An option by its id, or text that begins with its name.
fn choice(answer: Answer) -> &'static str {
    let said = answer.option.or(answer.text).unwrap_or_default();
    let said = said.trim().to_lowercase();
    [RETRY, CANCEL]
        .into_iter()
        .find(|word| said.starts_with(word))
        .unwrap_or(FINISH)
}

fn question(left: &Left, timeout_ms: u64) -> NewRequest {
    let title = format!(
        "Attempt {} ended after it had begun to change things. Retry, finish or cancel?",
        left.attempt
    );
    let option = |id: &str, name: &str| RequestOption {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: OptionKind::Choice,
    };
    let at = left.at.to_string();
    NewRequest {
        id: mint().to_string(),
        kind: RequestKind::Question,
        fingerprint: Digest::of(["left", &left.attempt.to_string(), &at]).hex(),
        title,
        detail: Some(format!(
            "{}\nIt began to: {}",
            head(&left.error.to_string(), WHY),
            left.touched.join("; ")
        )),
        options: vec![
            option(
                RETRY,
                "Retry: put the task again, telling the agent what was left",
            ),
            option(
                FINISH,
                "Finish: end the run as failed, with its conclusion so far",
            ),
            option(CANCEL, "Cancel the run"),
        ],
        deadline_ms: i64::try_from(timeout_ms).ok(),
    }
}

impl Asker {
    /// A person's choice, or `fallback` when nobody chooses in time.
    async fn choose(&self, new: NewRequest, fallback: &str) -> Result<Answer, StoreError> {
        let fallback = Answer {
            option: Some(fallback.to_owned()),
            text: None,
        };
        let (decided, _shown) = self.ask(new, &fallback, std::future::pending()).await?;
        Ok(decided.answer)
    }
}

/// What the agent is told of an attempt before it, if that had been given the task.
pub(super) fn note(left: Option<&Left>) -> String {
    let Some(left) = left.filter(|left| left.prompted) else {
        return String::new();
    };
    let why = head(&left.error.detail, WHY);
    let what = if left.touched.is_empty() {
        "As far as is known it had changed nothing yet.".to_owned()
    } else {
        format!(
            "It had begun to change things: {}. Some of it may be done, or half done: look at what is there before you change anything, and repeat nothing that is done.",
            left.touched.join("; ")
        )
    };
    format!(
        "<eyas:interrupted>\nThis task was begun before, and that attempt ended at {} before it was done ({}: {why}). {what}\n</eyas:interrupted>\n\n",
        left.at, left.error.kind
    )
}

#[cfg(test)]
mod tests {
    use super::{CANCEL, FINISH, RETRY, choice, note, question};
    use crate::domain::{
        fault::{ErrorKind, Fault},
        request::Answer,
        retry::Left,
        run::AttemptOutcome,
        spent::Spent,
        time::Timestamp,
    };

    fn left(prompted: bool, touched: &[&str]) -> Left {
        Left {
            attempt: 1,
            outcome: AttemptOutcome::Failed,
            error: Fault::new(ErrorKind::AgentDied, "it died"),
            at: Timestamp(1_700_000_000_000),
            prompted,
            touched: touched.iter().map(|one| (*one).to_owned()).collect(),
            asks: true,
            parks: 0,
            spent: Spent::default(),
            conclusion: None,
        }
    }

    #[test]
    fn the_agent_is_told_what_ended_when_and_what_it_had_touched() {
        assert_eq!(note(None), "");
        assert_eq!(note(Some(&left(false, &[]))), "");
        let told = note(Some(&left(true, &["edit a", "run b"])));
        for part in [
            "2023-11-14",
            "agent_died: it died",
            "edit a; run b",
            "half done",
        ] {
            assert!(told.contains(part), "{told}");
        }
        assert!(note(Some(&left(true, &[]))).contains("changed nothing"));
    }

    #[test]
    fn there_are_three_ways_to_answer_and_no_other() {
        let asked = question(&left(true, &["edit a"]), 1_000);
        let ids: Vec<_> = asked.options.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, [RETRY, FINISH, CANCEL]);
        assert!(asked.detail.is_some_and(|detail| detail.contains("edit a")));
        let again = question(&left(true, &["edit a"]), 1_000);
        assert_eq!(asked.fingerprint, again.fingerprint);
        let said = |option: Option<&str>, text: Option<&str>| {
            choice(Answer {
                option: option.map(str::to_owned),
                text: text.map(str::to_owned),
            })
        };
        assert_eq!(said(Some("retry"), None), RETRY);
        assert_eq!(said(None, Some(" Cancel it")), CANCEL);
        for nothing in [
            said(None, None),
            said(None, Some("?")),
            said(Some("finish"), None),
        ] {
            assert_eq!(nothing, FINISH);
        }
    }
}
