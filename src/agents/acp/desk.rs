//! What arrives during turns, in the order in which it arrived: one task owns all turns of a link.
//!
//! Updates, permission requests and the end of a turn pass through the same queue, so whatever the agent sent before its answer is applied
//! before the turn ends.

mod session;

use super::{
    looks::Looks,
    permission::{self, Permit, Ruled, Verdict},
    tool::Tool,
    touch::Touch,
    update::{Ledger, Summary, TurnEvent},
};
use crate::domain::policy::Ask;
use agent_client_protocol::Responder;
use serde_json::Value;
use session::Session;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Questions of one turn that wait for a person; an agent that asks more is told no.
const WAITING: usize = 32;
/// Requests of one turn that wait for a look at the disk; of further ones nothing is known but what they say.
const LOOKING: usize = 32;

/// How long after the end of a turn what an agent says still belongs to it.
pub const STRAGGLERS: Duration = Duration::from_millis(50);

/// A turn that is to be, or is, in flight.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) permit: Permit,
    pub(super) events: mpsc::UnboundedSender<TurnEvent>,
    /// The turn is to end early.
    pub(super) cancelled: CancellationToken,
    /// Told when it is its turn; `false` when its session is stuck.
    pub(super) granted: oneshot::Sender<bool>,
}

#[derive(Debug)]
pub(super) enum Message {
    Begin {
        session: String,
        turn: Turn,
    },
    Update(Value),
    Permission {
        params: Value,
        responder: Responder<Value>,
    },
    /// What was found out about a request of this session's turn.
    Looked {
        session: String,
        question: u64,
        ask: Ask,
    },
    /// What a person, or nobody, said to a request of this session's turn.
    Decided {
        session: String,
        question: u64,
        option: Option<String>,
    },
    /// What is about to happen is on disk, or could not be written.
    Kept {
        session: String,
        question: u64,
        kept: bool,
    },
    Cancel {
        session: String,
    },
    /// `stuck`: the agent did not answer, so no further turn may be put to this session.
    Finish {
        session: String,
        stuck: bool,
        reply: oneshot::Sender<Summary>,
    },
    /// The session is closed; turns that are left are still to be finished.
    Forget {
        session: String,
    },
    /// `quiet` is dropped when the session has no turn.
    AtRest {
        session: String,
        quiet: oneshot::Sender<()>,
    },
    /// `drained` is dropped when no turn is left.
    CancelAll {
        drained: oneshot::Sender<()>,
    },
}

/// The state of the task.
#[derive(Debug)]
pub(super) struct Desk {
    sessions: HashMap<String, Session>,
    /// The way in, for answers; weak, as the desk ends with the last who holds it.
    own: mpsc::WeakUnboundedSender<Message>,
    /// Number of the last request.
    questions: u64,
    looks: Looks,
    /// The title of what was asked last while no turn was under way.
    stray: Arc<Mutex<Option<String>>>,
    /// Whoever waits for the end of all turns holds the other end.
    draining: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Current {
    permit: Permit,
    events: mpsc::UnboundedSender<TurnEvent>,
    cancelled: CancellationToken,
    ledger: Ledger,
    /// Requests that wait for a look at the disk, by number.
    looking: HashMap<u64, Question>,
    /// Questions that wait for a person, by number.
    asked: HashMap<u64, Question>,
    /// What is allowed once it is on disk that it happens, by number.
    held: HashMap<u64, Held>,
    /// It is on disk that this turn changes something.
    kept: bool,
}

/// A request that is allowed, and not answered yet.
#[derive(Debug)]
struct Held {
    question: Question,
    /// The answer on the wire.
    outcome: Value,
    event: Option<TurnEvent>,
}

/// A request that waits for a look, or for a person. Dropping it takes the question back.
#[derive(Debug)]
struct Question {
    asked: Asked,
    /// Brings the answer; while it lives whoever was asked knows that it is waited for.
    _bringer: AbortOnDropHandle<()>,
}

/// What an agent asks, and where the answer goes.
#[derive(Debug)]
struct Asked {
    tool: Tool,
    options: Value,
    responder: Responder<Value>,
}

impl Asked {
    fn awaiting(self, bringer: JoinHandle<()>) -> Question {
        Question {
            asked: self,
            _bringer: AbortOnDropHandle::new(bringer),
        }
    }
}

/// The way back to the desk, and the session.
type Way = (mpsc::WeakUnboundedSender<Message>, String);

impl Desk {
    /// Starts the task; it ends with the last sender.
    pub(super) fn open(stray: Arc<Mutex<Option<String>>>) -> mpsc::UnboundedSender<Message> {
        let (send, mut receive) = mpsc::unbounded_channel();
        let own = send.downgrade();
        tokio::spawn(async move {
            let mut desk = Self {
                sessions: HashMap::new(),
                own,
                questions: 0,
                looks: Looks::default(),
                stray,
                draining: Vec::new(),
            };
            while let Some(message) = receive.recv().await {
                desk.take(message);
            }
        });
        send
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Begin { session, turn } => {
                let session = self.sessions.entry(session).or_default();
                session.waiting.push_back(turn);
                session.grant();
            }
            Message::Update(params) => self.update(&params),
            Message::Permission { params, responder } => self.permission(&params, responder),
            Message::Looked {
                session,
                question,
                ask,
            } => self.looked(&session, question, &ask),
            Message::Decided {
                session,
                question,
                option,
            } => {
                let own = self.own.clone();
                if let Some(current) = self.current(&session) {
                    current.decided((own, session), question, option.as_deref());
                }
            }
            Message::Kept {
                session,
                question,
                kept,
            } => {
                if let Some(current) = self.current(&session) {
                    current.allowed(question, kept);
                }
            }
            Message::Cancel { session } => {
                if let Some(current) = self.current(&session) {
                    current.cancelled.cancel();
                    current.withdraw();
                }
            }
            Message::Finish {
                session,
                stuck,
                reply,
            } => self.finish(&session, stuck, reply),
            Message::Forget { session } => {
                self.sessions
                    .retain(|name, kept| *name != session || !kept.is_idle());
            }
            Message::AtRest { session, quiet } => {
                if let Some(session) = self.sessions.get_mut(&session).filter(|it| !it.is_idle()) {
                    session.awaited.push(quiet);
                }
            }
            Message::CancelAll { drained } => {
                for session in self.sessions.values_mut() {
                    session.cancel_all();
                }
                self.draining.push(drained);
                self.tell_drained();
            }
        }
    }

    fn current(&mut self, session: &str) -> Option<&mut Current> {
        self.sessions.get_mut(session)?.current.as_mut()
    }

    /// Updates of sessions without a turn are dropped, as what is replayed is; but for what comes just after the end of a turn.
    fn update(&mut self, params: &Value) {
        let session = params["sessionId"].as_str().unwrap_or_default();
        let Some(current) = self.current(session) else {
            if let Some(session) = self.sessions.get_mut(session) {
                session.straggler(&params["update"]);
            }
            return;
        };
        let event = current.ledger.enter(&params["update"]);
        if let Some(tool) = current.ledger.begun() {
            current.tell(Touch::told(&tool));
        }
        if let Some(event) = event {
            // A listener that left has cancelled the turn, or does not care.
            drop(current.events.send(event));
        }
    }

    fn permission(&mut self, params: &Value, responder: Responder<Value>) {
        let session = params["sessionId"].as_str().unwrap_or_default();
        self.questions += 1;
        let (question, own, looks) = (self.questions, self.own.clone(), self.looks.clone());
        let Some(current) = self.current(session) else {
            self.unasked(&params["toolCall"]);
            return respond(responder, permission::cancelled());
        };
        if current.cancelled.is_cancelled() {
            return respond(responder, permission::cancelled());
        }
        let tool = current.ledger.tool(&params["toolCall"]);
        let asked = Asked {
            tool,
            options: params["options"].clone(),
            responder,
        };
        if !permission::must_look(&current.permit) || current.looking.len() >= LOOKING {
            let unseen = permission::unseen(&asked.tool);
            return self.decide(session, question, asked, &unseen);
        }
        let (grounds, seen) = (current.permit.grounds.clone(), asked.tool.clone());
        let (session, unseen) = (session.to_owned(), permission::unseen(&asked.tool));
        let bringer = tokio::spawn(async move {
            let look = looks.take(move || permission::ask(&grounds, &seen));
            let ask = look.await.unwrap_or(unseen);
            tell(
                &own,
                Message::Looked {
                    session,
                    question,
                    ask,
                },
            );
        });
        current.looking.insert(question, asked.awaiting(bringer));
    }

    /// Nobody's turn is it that the agent asks in: what it wants is no part of any work.
    fn unasked(&self, call: &Value) {
        let title = call["title"].as_str().unwrap_or("something");
        let mut stray = self.stray.lock().unwrap_or_else(PoisonError::into_inner);
        *stray = Some(title.to_owned());
    }

    /// Decides what was looked at, unless it was taken back meanwhile.
    fn looked(&mut self, session: &str, question: u64, ask: &Ask) {
        let looking = self.current(session).map(|current| &mut current.looking);
        if let Some(Question { asked, .. }) = looking.and_then(|all| all.remove(&question)) {
            self.decide(session, question, asked, ask);
        }
    }

    fn decide(&mut self, session: &str, question: u64, asked: Asked, ask: &Ask) {
        let own = self.own.clone();
        let Some(current) = self.current(session) else {
            return respond(asked.responder, permission::cancelled());
        };
        let may_ask = current.asked.len() < WAITING;
        let Asked { tool, options, .. } = &asked;
        match permission::decide(&current.permit, tool, ask, options, may_ask) {
            Verdict::Ruled(Ruled {
                allowed,
                outcome,
                event,
            }) => {
                if !allowed {
                    current.ledger.ruled(tool, false);
                    drop(current.events.send(event));
                    return respond(asked.responder, outcome);
                }
                let from = (own, session.to_owned());
                current.allow(from, question, asked, outcome, Some(event));
            }
            Verdict::Asked(answered) => {
                let bringer = tokio::spawn(bring(own, session.to_owned(), question, answered));
                current.asked.insert(question, asked.awaiting(bringer));
            }
        }
    }

    fn finish(&mut self, name: &str, stuck: bool, reply: oneshot::Sender<Summary>) {
        if let Some(session) = self.sessions.get_mut(name) {
            session.stuck |= stuck;
            if let Some(mut current) = session.current.take() {
                current.withdraw();
                let summary = current.ledger.close(&mut session.spent);
                session.late = Some((current.events, Instant::now() + STRAGGLERS));
                drop(reply.send(summary));
            }
            session.grant();
            if session.is_idle() {
                session.awaited.clear();
            }
        }
        self.tell_drained();
    }

    fn tell_drained(&mut self) {
        if self
            .sessions
            .values()
            .all(|session| session.current.is_none())
        {
            self.draining.clear();
        }
    }
}

/// Waits for a person's answer in the desk's stead.
async fn bring(
    desk: mpsc::WeakUnboundedSender<Message>,
    session: String,
    question: u64,
    answered: oneshot::Receiver<Option<String>>,
) {
    // Whoever was asked is gone: that is a no.
    let option = answered.await.unwrap_or_default();
    tell(
        &desk,
        Message::Decided {
            session,
            question,
            option,
        },
    );
}

/// Nobody is told once the desk has ended.
fn tell(desk: &mpsc::WeakUnboundedSender<Message>, message: Message) {
    if let Some(desk) = desk.upgrade() {
        drop(desk.send(message));
    }
}

fn respond(responder: Responder<Value>, answer: Value) {
    if let Err(error) = responder.respond(answer) {
        tracing::debug!(
            code = i32::from(error.code),
            "a permission was not answered"
        );
    }
}

impl Current {
    fn decided(&mut self, from: Way, number: u64, option: Option<&str>) {
        // It was taken back meanwhile.
        let Some(Question { asked, .. }) = self.asked.remove(&number) else {
            return;
        };
        let (outcome, may_act) = permission::chosen(&asked.options, option);
        if may_act {
            self.allow(from, number, asked, outcome, None);
        } else {
            self.ledger.answered(&asked.tool, false);
            respond(asked.responder, outcome);
        }
    }

    /// Says yes; to the first call of the turn that may change something only when that is on disk.
    fn allow(
        &mut self,
        (desk, session): Way,
        number: u64,
        asked: Asked,
        outcome: Value,
        event: Option<TurnEvent>,
    ) {
        if !asked.tool.changes() || self.permit.touches.is_none() {
            return self.yes(asked, outcome, event);
        }
        if self.kept {
            self.tell(Touch::told(&asked.tool));
            return self.yes(asked, outcome, event);
        }
        let (touch, told) = Touch::ahead(&asked.tool);
        self.tell(touch);
        let bringer = tokio::spawn(async move {
            let kept = told.await.is_ok();
            tell(
                &desk,
                Message::Kept {
                    session,
                    question: number,
                    kept,
                },
            );
        });
        let held = Held {
            question: asked.awaiting(bringer),
            outcome,
            event,
        };
        self.held.insert(number, held);
    }

    /// It is on disk that something is about to happen, or it could not be written: then it does not happen.
    fn allowed(&mut self, number: u64, kept: bool) {
        let Some(held) = self.held.remove(&number) else {
            return;
        };
        let asked = held.question.asked;
        if kept {
            self.kept = true;
            return self.yes(asked, held.outcome, held.event);
        }
        let Ruled { outcome, event, .. } = permission::unkept(&asked.tool, &asked.options);
        self.ledger.ruled(&asked.tool, false);
        drop(self.events.send(event));
        respond(asked.responder, outcome);
    }

    fn yes(&mut self, asked: Asked, outcome: Value, event: Option<TurnEvent>) {
        self.ledger.answered(&asked.tool, true);
        if let Some(event) = event {
            drop(self.events.send(event));
        }
        respond(asked.responder, outcome);
    }

    fn tell(&self, touch: Touch) {
        if let Some(touches) = &self.permit.touches {
            // Nobody listens: then it is not kept, and what waits for it is not allowed.
            drop(touches.send(touch));
        }
    }

    /// The turn ends, or is asked to: nobody decides what it still asks.
    fn withdraw(&mut self) {
        let held = self.held.drain().map(|(_, held)| held.question);
        let waiting = self.looking.drain().chain(self.asked.drain());
        let all: Vec<_> = waiting.map(|(_, one)| one).chain(held).collect();
        for Question { asked, .. } in all {
            self.ledger.answered(&asked.tool, false);
            respond(asked.responder, permission::cancelled());
        }
    }
}
