//! What an agent asks of a person while its turn goes on: each question a durable request, and a wait of its own.
//!
//! A request ends by a person's answer, by its deadline, or because nobody needs the answer any more. Only when the hub ends it stays open:
//! the next attempt asks in the same words, and takes up what was answered meanwhile.

use super::calls::{Question, Reply};
use crate::{
    agents::{acp::Petition, pool::Digest},
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        policy::{Asking, Policy},
        request::{Answer, Decided, DecidedBy, OptionKind, RequestKind, RequestOption},
        run::Warning,
    },
    stdx::{Pause, clock, mint, text::head},
    store::{Change, Lease, NewRequest, RequestRow, Store, StoreError},
};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use std::time::Duration;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        oneshot,
    },
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// A look without being told, as the safety net.
const POLL: Duration = Duration::from_secs(5);
/// Between two tries to write that a request has ended, and how many there are: its agent waits.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 5;
/// For what is still asked to be taken back when the turn has ended.
const LAST: Duration = Duration::from_secs(5);
/// Questions that are open at once in a turn; each is read again whenever one changes.
const OPEN: usize = 32;
/// Answers to choose from, and the length of what is shown of a question.
const CHOICES: usize = 16;
const TITLE: usize = 512;
const DETAIL: usize = 4 * 1024;

/// The questions of one turn.
pub(super) struct Questions {
    asker: Asker,
    policy: Policy,
    open: FuturesUnordered<BoxFuture<'static, Settled>>,
    /// The turn has ended, or is to end.
    over: CancellationToken,
}

/// What came of a question; whoever asked has its answer.
#[derive(Debug)]
pub(super) enum Settled {
    Done(Option<Warning>),
    /// Another attempt may own the session.
    LeaseLost(Fault),
}

impl Questions {
    pub(super) fn new(store: &Store, lease: Lease, policy: Policy, pause: Pause) -> Self {
        let asker = Asker::new(store, lease, pause);
        Self {
            over: asker.over.clone(),
            asker,
            policy,
            open: FuturesUnordered::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Asks whether the agent may do something.
    pub(super) fn petition(&mut self, petition: Petition) {
        let asker = self.asker.clone();
        let new = wanted(&petition, self.policy.ask_timeout_ms);
        self.open.push(asker.permit(petition, new).boxed());
    }

    /// Puts a question of the agent's own. Where nobody is to be asked its default is the answer.
    pub(super) fn question(
        &mut self,
        question: Question,
        reply: oneshot::Sender<Result<Reply, Fault>>,
    ) {
        if self.policy.ask == Asking::Off {
            drop(reply.send(Ok(Reply::Unanswered(question.default))));
            return;
        }
        if self.open.len() >= OPEN {
            let detail = format!("{OPEN} questions of this run are open already");
            let fault = Fault::new(ErrorKind::RateLimited, detail).hint("wait for their answers");
            drop(reply.send(Err(fault)));
            return;
        }
        let asker = self.asker.clone();
        let new = put(&question, self.policy.ask_timeout_ms);
        self.open
            .push(asker.consult(question.default, new, reply).boxed());
    }

    /// The next end of a question; `None` while none is open.
    pub(super) async fn next(&mut self) -> Option<Settled> {
        self.open.next().await
    }

    /// Takes back what is still asked.
    pub(super) fn withdraw(&self) {
        self.over.cancel();
    }

    /// Waits until all that was taken back is written so; what is not is ended with the run.
    pub(super) async fn close(&mut self) {
        self.withdraw();
        let all = async { while self.open.next().await.is_some() {} };
        drop(timeout(LAST, all).await);
    }
}

/// A permission as a request.
fn wanted(petition: &Petition, timeout_ms: u64) -> NewRequest {
    let words = petition.words.iter().map(String::as_str);
    NewRequest {
        id: mint().to_string(),
        kind: RequestKind::Permission,
        title: petition.title.clone(),
        detail: petition.detail.clone(),
        options: petition.options.clone(),
        fingerprint: Digest::of(["permission"].into_iter().chain(words)).hex(),
        deadline_ms: i64::try_from(timeout_ms).ok(),
    }
}

/// A question as a request; its choices are numbered from 1.
fn put(question: &Question, longest_ms: u64) -> NewRequest {
    let choices = question.choices.iter().take(CHOICES).enumerate();
    let option = |(at, name): (usize, &String)| RequestOption {
        id: (at + 1).to_string(),
        name: head(name, TITLE).to_owned(),
        kind: OptionKind::Choice,
    };
    let words = [
        "question",
        &question.title,
        question.detail.as_deref().unwrap_or_default(),
    ];
    let words = words
        .into_iter()
        .chain(question.choices.iter().map(String::as_str));
    let wait_ms = question.timeout_ms.unwrap_or(longest_ms).min(longest_ms);
    let detail = question.detail.as_deref();
    NewRequest {
        id: mint().to_string(),
        kind: RequestKind::Question,
        title: head(&question.title, TITLE).to_owned(),
        detail: detail.map(|detail| head(detail, DETAIL).to_owned()),
        fingerprint: Digest::of(words).hex(),
        options: choices.map(option).collect(),
        deadline_ms: i64::try_from(wait_ms).ok(),
    }
}

/// Asks one thing.
#[derive(Clone)]
pub(super) struct Asker {
    store: Store,
    lease: Lease,
    pause: Pause,
    over: CancellationToken,
}

impl Asker {
    /// One that nobody takes anything back from.
    pub(super) fn new(store: &Store, lease: Lease, pause: Pause) -> Self {
        Self {
            store: store.clone(),
            lease,
            pause,
            over: CancellationToken::new(),
        }
    }

    async fn permit(self, mut petition: Petition, new: NewRequest) -> Settled {
        let title = new.title.clone();
        let gone = petition.withdrawn();
        let decided = self.ask(new, &Answer::default(), gone).await;
        let (option, warning) = match decided {
            Ok((Decided { by, answer, .. }, shown)) => match by {
                DecidedBy::Person => (
                    fitting(answer.option.as_deref(), &shown, &petition.options),
                    None,
                ),
                DecidedBy::Deadline => (None, Some(format!("nobody answered in time: {title}"))),
                DecidedBy::Withdrawn => (None, None),
            },
            Err(lost @ StoreError::LeaseLost(_)) => return Settled::LeaseLost(lost.into()),
            Err(error) => (
                None,
                Some(format!("nobody could be asked: {title}: {error}")),
            ),
        };
        petition.answer(option);
        Settled::Done(warning.map(|detail| Warning::new("permission_denied", detail)))
    }

    async fn consult(
        self,
        default: Option<String>,
        new: NewRequest,
        mut reply: oneshot::Sender<Result<Reply, Fault>>,
    ) -> Settled {
        let options = new.options.clone();
        let fallback = answer_of(default.as_deref(), &options);
        let decided = self.ask(new, &fallback, reply.closed()).await;
        let said = match decided {
            Ok((Decided { by, answer, .. }, _)) => match by {
                DecidedBy::Person => Ok(Reply::Answered(named(answer, &options))),
                DecidedBy::Deadline => Ok(Reply::Unanswered(default)),
                DecidedBy::Withdrawn => Err(Fault::new(
                    ErrorKind::Forbidden,
                    "the turn that asked has ended",
                )),
            },
            Err(lost @ StoreError::LeaseLost(_)) => return Settled::LeaseLost(lost.into()),
            Err(error) => Err(error.into()),
        };
        // Whoever asked has left.
        drop(reply.send(said));
        Settled::Done(None)
    }

    /// Until it is decided: how, and among which options. `gone`: nobody needs it any more.
    pub(super) async fn ask(
        &self,
        new: NewRequest,
        fallback: &Answer,
        gone: impl Future<Output = ()>,
    ) -> Result<(Decided, Vec<RequestOption>), StoreError> {
        // Before it is asked, so that no answer is missed.
        let mut changes = self.store.changes.subscribe();
        let longest = new.deadline_ms.unwrap_or(i64::MAX);
        let row = self.opened(new).await?;
        let options = row.request.options;
        if let Some(decided) = row.decided {
            return Ok((decided, options));
        }
        let _held = self.pause.hold();
        // By our own clock from here on: a computer's clock may be set while somebody thinks.
        let left_ms = row.request.deadline.map_or(longest, |deadline| {
            (deadline.0.saturating_sub(clock::now_ms())).clamp(0, longest)
        });
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        let id = &row.request.id;
        let (by, answer, why) = tokio::select! {
            biased;
            decided = self.decided(id, &mut changes) => return Ok((decided?, options)),
            () = self.over.cancelled() => (DecidedBy::Withdrawn, Answer::default(), "its turn has ended"),
            () = gone => (DecidedBy::Withdrawn, Answer::default(), "the agent does not wait for it any more"),
            () = sleep(left) => (DecidedBy::Deadline, fallback.clone(), "nobody answered in time"),
        };
        Ok((self.close(id, by, &answer, why).await?, options))
    }

    /// The row of this request. One that an earlier attempt took back has no answer in it: it is asked anew.
    async fn opened(&self, new: NewRequest) -> Result<RequestRow, StoreError> {
        let mut row = self.store.requests.open(self.lease, new.clone()).await?;
        for _ in 1..TRIES {
            match &row.decided {
                Some(decided) if decided.by == DecidedBy::Withdrawn => {
                    let anew = NewRequest {
                        id: mint().to_string(),
                        ..new.clone()
                    };
                    row = self.store.requests.open(self.lease, anew).await?;
                }
                Some(_) | None => break,
            }
        }
        Ok(row)
    }

    /// Returns when somebody has decided.
    async fn decided(
        &self,
        request: &str,
        changes: &mut broadcast::Receiver<Change>,
    ) -> Result<Decided, StoreError> {
        loop {
            changed(changes, self.lease.run).await;
            match self.store.requests.get(self.lease.run, request).await {
                Ok(row) => {
                    if let Some(decided) = row.decided {
                        return Ok(decided);
                    }
                }
                Err(gone @ StoreError::NotFound { .. }) => return Err(gone),
                Err(error) => {
                    tracing::warn!(run.id = %self.lease.run, %error, "a request was not read");
                }
            }
        }
    }

    /// Writes its end; what a person said in the last moment holds.
    async fn close(
        &self,
        request: &str,
        by: DecidedBy,
        answer: &Answer,
        why: &str,
    ) -> Result<Decided, StoreError> {
        let mut tries = 0;
        loop {
            let why = Some(why.to_owned());
            let closed = self
                .store
                .requests
                .close(self.lease, request, by, answer.clone(), why);
            match closed.await {
                Ok(RequestRow {
                    decided: Some(decided),
                    ..
                }) => return Ok(decided),
                Ok(_) => return Err(StoreError::Internal("a closed request is open".to_owned())),
                Err(StoreError::Unavailable(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
            sleep(AGAIN).await;
        }
    }
}

/// Returns when the run may have changed.
async fn changed(changes: &mut broadcast::Receiver<Change>, run: RunId) {
    let told = async {
        loop {
            match changes.recv().await {
                // Another hub's says no more.
                Ok(change) if change.run.is_some_and(|other| other != run) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // The store is closing: nothing more is told.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    // Without a word for long one looks all the same.
    drop(timeout(POLL, told).await);
}

/// What a default means: one of the choices by its name, else text.
fn answer_of(default: Option<&str>, options: &[RequestOption]) -> Answer {
    let Some(default) = default else {
        return Answer::default();
    };
    let option = options.iter().find(|option| option.name == default);
    Answer {
        option: option.map(|option| option.id.clone()),
        text: Some(default.to_owned()),
    }
}

/// An answer that names its choice, for an agent that knows no numbers.
fn named(answer: Answer, options: &[RequestOption]) -> Answer {
    let chosen = options
        .iter()
        .find(|option| Some(&option.id) == answer.option.as_ref());
    Answer {
        text: answer.text.or(chosen.map(|option| option.name.clone())),
        option: answer.option,
    }
}

/// The option of the agent that means what a person chose. What was asked of an earlier agent may have had other ids: one that means
/// something else is not taken for its namesake.
fn fitting(chosen: Option<&str>, shown: &[RequestOption], now: &[RequestOption]) -> Option<String> {
    let meant = shown
        .iter()
        .find(|option| Some(option.id.as_str()) == chosen)?;
    let same: [fn(&RequestOption, &RequestOption) -> bool; 2] = [
        |one, two| one == two,
        |one, two| one.kind == two.kind && one.name == two.name,
    ];
    let found = same
        .iter()
        .find_map(|same| now.iter().find(|option| same(meant, option)));
    found
        .or_else(|| the_only(meant, shown, now))
        .map(|option| option.id.clone())
}

/// The one option of its kind, then and now, where the kind leaves nothing open: of two ways to always allow one may be the wider.
fn the_only<'a>(
    meant: &RequestOption,
    shown: &[RequestOption],
    now: &'a [RequestOption],
) -> Option<&'a RequestOption> {
    let alike = |option: &&RequestOption| option.kind == meant.kind;
    let once = matches!(meant.kind, OptionKind::AllowOnce | OptionKind::RejectOnce);
    let mut found = now.iter().filter(alike);
    match (found.next(), found.next()) {
        (Some(only), None) if once && shown.iter().filter(alike).count() == 1 => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Question, answer_of, fitting, named, put};
    use crate::domain::request::{Answer, OptionKind, RequestOption};

    fn question() -> Question {
        Question {
            title: "Which?".to_owned(),
            detail: None,
            choices: vec!["red".to_owned(), "blue".to_owned()],
            default: Some("blue".to_owned()),
            timeout_ms: Some(50),
        }
    }

    #[test]
    fn choices_are_numbered_and_a_default_is_one_of_them() {
        let new = put(&question(), 600_000);
        let ids: Vec<_> = new.options.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids, new.deadline_ms), (vec!["1", "2"], Some(50)));
        let default = answer_of(Some("blue"), &new.options);
        assert_eq!(default.option.as_deref(), Some("2"));
        assert_eq!(answer_of(Some("green"), &new.options).option, None);
        let chosen = Answer {
            option: Some("1".to_owned()),
            text: None,
        };
        assert_eq!(named(chosen, &new.options).text.as_deref(), Some("red"));
    }

    #[test]
    fn the_same_words_are_the_same_request_and_nothing_waits_longer_than_it_may() {
        let first = put(&question(), 10);
        assert_eq!(first.deadline_ms, Some(10));
        assert_eq!(first.fingerprint, put(&question(), 10).fingerprint);
        let other = Question {
            choices: vec![],
            ..question()
        };
        assert_ne!(first.fingerprint, put(&other, 10).fingerprint);
    }

    #[test]
    fn a_choice_means_the_same_whatever_its_id_is_now() {
        let option = |id: &str, name: &str, kind| RequestOption {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
        };
        let yes = OptionKind::AllowOnce;
        let shown = [
            option("1", "Yes", yes),
            option("2", "No", OptionKind::RejectOnce),
        ];
        let now = [
            option("1", "No", OptionKind::RejectOnce),
            option("2", "Yes", yes),
        ];
        assert_eq!(fitting(Some("1"), &shown, &shown).as_deref(), Some("1"));
        assert_eq!(fitting(Some("1"), &shown, &now).as_deref(), Some("2"));
        assert_eq!(fitting(Some("1"), &shown, &now[..1]), None);
        assert_eq!(fitting(None, &shown, &now), None);
        // Named anew: the kind says it where there is one of it, and only for this once.
        let anew = [option("a", "Go on", yes)];
        assert_eq!(fitting(Some("1"), &shown, &anew).as_deref(), Some("a"));
        let two = [option("a", "Go on", yes), option("b", "Go far", yes)];
        assert_eq!(fitting(Some("1"), &shown, &two), None);
        let always = |name| [option("1", name, OptionKind::AllowAlways)];
        let wider = fitting(Some("1"), &always("This command"), &always("Everything"));
        assert_eq!(wider, None);
    }
}
