//! The loop that owns the sessions.
//!
//! ACP's dispatch is serial: a handler that worked on a prompt would keep `session/cancel` waiting. So handlers only pass
//! on what arrived, and this loop answers what is quick and starts a turn for what is not.

use super::{prompt, report::Stand, turn::Turn, wire};
use crate::stdx;
use agent_client_protocol::{
    Client, Error,
    v1::{
        ConnectionTo, Responder,
        schema::{
            self, CloseSessionRequest, CloseSessionResponse, Meta, NewSessionRequest,
            NewSessionResponse, PromptRequest, PromptResponse, SessionId,
        },
    },
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::mpsc;

pub(super) type PromptResponder = Responder<PromptResponse>;

/// What has arrived.
#[derive(Debug)]
enum Event {
    Opened(NewSessionRequest, Responder<NewSessionResponse>),
    Prompted(PromptRequest, PromptResponder, ConnectionTo<Client>),
    Cancelled(SessionId),
    Closed(CloseSessionRequest, Responder<CloseSessionResponse>),
    TurnEnded {
        session: SessionId,
        number: u64,
        responder: PromptResponder,
        outcome: Result<PromptResponse, Error>,
    },
    /// The client has gone.
    Left,
}

/// The handle.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    events: mpsc::UnboundedSender<Event>,
}

impl Desk {
    /// Starts the loop; it ends after [`Desk::leave`].
    pub(super) fn open() -> (Self, tokio::task::JoinHandle<()>) {
        let (events, arriving) = mpsc::unbounded_channel();
        let desk = Self { events };
        let sessions = Sessions {
            desk: desk.clone(),
            open: HashMap::new(),
            turns: 0,
        };
        let ended = tokio::spawn(sessions.run(arriving));
        (desk, ended)
    }

    pub(super) fn opened(
        &self,
        request: NewSessionRequest,
        responder: Responder<NewSessionResponse>,
    ) {
        self.tell(Event::Opened(request, responder));
    }

    pub(super) fn prompted(
        &self,
        request: PromptRequest,
        responder: PromptResponder,
        connection: ConnectionTo<Client>,
    ) {
        self.tell(Event::Prompted(request, responder, connection));
    }

    pub(super) fn cancelled(&self, session: SessionId) {
        self.tell(Event::Cancelled(session));
    }

    pub(super) fn closed(
        &self,
        request: CloseSessionRequest,
        responder: Responder<CloseSessionResponse>,
    ) {
        self.tell(Event::Closed(request, responder));
    }

    pub(super) fn ended(
        &self,
        session: SessionId,
        number: u64,
        responder: PromptResponder,
        outcome: Result<PromptResponse, Error>,
    ) {
        self.tell(Event::TurnEnded {
            session,
            number,
            responder,
            outcome,
        });
    }

    pub(super) fn leave(&self) {
        self.tell(Event::Left);
    }

    fn tell(&self, event: Event) {
        // The loop is gone once the client is; a responder that is dropped answers with an error by itself.
        drop(self.events.send(event));
    }
}

/// One conversation.
#[derive(Debug)]
struct Session {
    cwd: PathBuf,
    stand: Stand,
    busy: Option<Busy>,
}

/// A turn under way. Dropped, it stops.
#[derive(Debug)]
struct Busy {
    number: u64,
    stop: Arc<AtomicBool>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Sessions {
    desk: Desk,
    open: HashMap<SessionId, Session>,
    turns: u64,
}

impl Sessions {
    async fn run(mut self, mut arriving: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = arriving.recv().await {
            let answered = match event {
                Event::Opened(request, responder) => {
                    responder.respond_with_result(self.open(request))
                }
                Event::Prompted(request, responder, connection) => {
                    self.prompt(request, responder, connection)
                }
                Event::Cancelled(session) => {
                    self.cancel(&session);
                    Ok(())
                }
                Event::Closed(request, responder) => {
                    responder.respond_with_result(self.close(&request.session_id))
                }
                Event::TurnEnded {
                    session,
                    number,
                    responder,
                    outcome,
                } => {
                    self.end(&session, number);
                    responder.respond_with_result(outcome)
                }
                Event::Left => break,
            };
            if let Err(error) = answered {
                tracing::debug!(%error, "the client has gone before its answer");
            }
        }
    }

    fn open(&mut self, request: NewSessionRequest) -> Result<NewSessionResponse, Error> {
        if !request.cwd.is_absolute() || !request.cwd.is_dir() {
            return Err(Error::invalid_params().data(format!(
                "cwd is not an absolute path of a directory: {}",
                request.cwd.display()
            )));
        }
        let id = SessionId::new(stdx::mint().to_string());
        let session = Session {
            cwd: request.cwd,
            stand: stand(request.meta.as_ref()),
            busy: None,
        };
        self.open.insert(id.clone(), session);
        Ok(NewSessionResponse::new(id))
    }

    fn prompt(
        &mut self,
        request: PromptRequest,
        responder: PromptResponder,
        connection: ConnectionTo<Client>,
    ) -> Result<(), Error> {
        let Some(session) = self.open.get_mut(&request.session_id) else {
            return responder.respond_with_error(unknown(&request.session_id));
        };
        if session.busy.is_some() {
            let error =
                Error::invalid_request().data("a turn is already under way in this session");
            return responder.respond_with_error(error);
        }
        self.turns += 1;
        let stop = Arc::new(AtomicBool::new(false));
        session.busy = Some(Busy {
            number: self.turns,
            stop: stop.clone(),
        });
        // The persona comes with the first prompt and stays for the session.
        if let Some(persona) = prompt::split(&wire::text(&request.prompt)).persona {
            session.stand.persona = Some(persona);
        }
        let turn = Turn {
            session: request.session_id,
            number: self.turns,
            cwd: session.cwd.clone(),
            stand: session.stand.clone(),
            blocks: request.prompt,
            stop,
        };
        tokio::spawn(turn.run(connection, self.desk.clone(), responder));
        Ok(())
    }

    /// The turn answers by itself, with `cancelled`.
    fn cancel(&mut self, session: &SessionId) {
        if let Some(busy) = self.open.get(session).and_then(|s| s.busy.as_ref()) {
            busy.stop.store(true, Ordering::Relaxed);
        }
    }

    fn close(&mut self, session: &SessionId) -> Result<CloseSessionResponse, Error> {
        match self.open.remove(session) {
            Some(_) => Ok(CloseSessionResponse::new()),
            None => Err(unknown(session)),
        }
    }

    fn end(&mut self, session: &SessionId, number: u64) {
        if let Some(session) = self.open.get_mut(session) {
            session.busy.take_if(|busy| busy.number == number);
        }
    }
}

fn unknown(session: &SessionId) -> Error {
    schema::Error::session_not_found(session.clone()).into()
}

/// `_meta.eyas {instead_of, install}`: the hub says that the surveyor stands in for an agent that is not installed.
fn stand(meta: Option<&Meta>) -> Stand {
    let eyas = meta.and_then(|meta| meta.get("eyas"));
    let string = |key: &str| {
        let value = eyas.and_then(|eyas| eyas.get(key))?;
        value.as_str().map(str::to_owned)
    };
    Stand {
        persona: None,
        instead_of: string("instead_of"),
        install: string("install"),
    }
}
