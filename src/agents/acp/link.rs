//! The handle on one agent process that speaks ACP.

use super::{
    choices::Manner,
    desk::{self, Desk},
    handshake::{self, Capabilities, unwritable},
    junk::Junk,
    reporting::Equipment,
    wire,
};
use crate::{
    agents::{
        badge::Badge,
        dial::dial,
        process::{Process, ProcessHandle},
    },
    domain::{
        agent::{Limits, McpScope, Transport},
        caller::Token,
        fault::{ErrorKind, Fault},
        ids::SessionId,
    },
};
use agent_client_protocol::{
    Agent, Builder, Client, ConnectTo, ConnectionTo, Error, Responder, UntypedMessage,
    on_receive_notification, on_receive_request,
};
use futures::{FutureExt as _, future::BoxFuture};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// For an answer that was written before the end of its process to be read after it.
const LAST_ANSWER: Duration = Duration::from_millis(250);
/// For cancelled turns to be answered before stdin is closed.
const DRAIN: Duration = Duration::from_secs(1);

/// A link to an agent. Cheap to clone; when the last clone is dropped the agent is killed.
#[derive(Clone, Debug)]
pub struct Link {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    agent: String,
    limits: Limits,
    capabilities: OnceLock<Capabilities>,
    equipped: OnceLock<Equipped>,
    manner: OnceLock<Manner>,
    /// The last thing that it asked while no turn was under way.
    stray: Arc<Mutex<Option<String>>>,
    /// Of its open sessions, by the agent's ids: they go with the agent.
    badges: Mutex<HashMap<String, Badge>>,
    connection: ConnectionTo<Agent>,
    process: ProcessHandle,
    junk: Junk,
    desk: mpsc::UnboundedSender<desk::Message>,
    /// The length of the last line that was too long to be read.
    too_long: watch::Receiver<usize>,
    /// The SDK's driver is over: stdout has ended, or stdin is broken.
    ended: CancellationToken,
    /// It lives, and does not do what the protocol demands: nobody else is to be given it.
    given_up: CancellationToken,
    /// It is spoken to by a connection, not on its pipes.
    dialled: bool,
    /// Ends the driver.
    hang_up: CancellationToken,
    /// Does so with the link.
    _stop: DropGuard,
}

/// How its sessions get tools of ours.
#[derive(Debug)]
pub(super) struct Equipped {
    pub(super) equipment: Equipment,
    pub(super) scope: McpScope,
}

impl Link {
    /// Takes over a started process and says hello on its pipes.
    ///
    /// # Errors
    /// `handshake_timeout`, `handshake_malformed` (only other things on stdout), `version_mismatch`, `agent_spawn`, `agent_died`,
    /// `agent_auth`; the process is then killed.
    pub async fn connect(process: Process, limits: Limits, agent: &str) -> Result<Self, Fault> {
        let (to, from) = (process.stdin, process.stdout);
        let link = Self::attach((to, from), process.handle, limits, agent, false).await?;
        let limit = Duration::from_millis(limits.initialize_ms);
        link.hello(limit, ErrorKind::HandshakeTimeout, None).await
    }

    /// Takes over a started process that serves on a port or a socket, and says hello there. `token` is what it was given to know us by.
    ///
    /// # Errors
    /// As for [`Link::connect`]; `dial_timeout` where it is not reached, or does not answer there.
    pub async fn dial(
        process: Process,
        transport: &Transport,
        limits: Limits,
        agent: &str,
        token: &Token,
    ) -> Result<Self, Fault> {
        let dialled = dial(process, transport, agent).await?;
        let ways = (dialled.to, dialled.from);
        let link = Self::attach(ways, dialled.handle, limits, agent, true).await?;
        let limit = dialled.deadline.saturating_duration_since(Instant::now());
        link.hello(limit, ErrorKind::DialTimeout, Some(token)).await
    }

    async fn attach(
        (to, from): (
            impl AsyncWrite + Send + Unpin + 'static,
            impl AsyncRead + Send + Unpin + 'static,
        ),
        process: ProcessHandle,
        limits: Limits,
        agent: &str,
        dialled: bool,
    ) -> Result<Self, Fault> {
        let junk = Junk::default();
        let (long, too_long) = watch::channel(0);
        let transport = wire::transport(to, from, junk.clone(), long);
        let stray = Arc::default();
        let desk = Desk::open(Arc::clone(&stray));
        let stop = CancellationToken::new();
        let ended = CancellationToken::new();
        let (ready, connection) = oneshot::channel();
        tokio::spawn(drive(
            transport,
            desk.clone(),
            ready,
            stop.clone(),
            ended.clone().drop_guard(),
        ));
        let connection = connection
            .await
            .map_err(|_gone| Fault::internal("the link's driver ended as it began"))?;
        let inner = Inner {
            agent: agent.to_owned(),
            limits,
            capabilities: OnceLock::new(),
            equipped: OnceLock::new(),
            manner: OnceLock::new(),
            stray,
            badges: Mutex::default(),
            connection,
            process,
            junk,
            desk,
            too_long,
            ended,
            given_up: CancellationToken::new(),
            dialled,
            hang_up: stop.clone(),
            _stop: stop.drop_guard(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// `late` is what a missing answer is called.
    async fn hello(
        self,
        limit: Duration,
        late: ErrorKind,
        token: Option<&Token>,
    ) -> Result<Self, Fault> {
        let found = handshake::initialize(&self, limit, late, token).await?;
        self.inner.capabilities.get_or_init(|| found);
        Ok(self)
    }

    /// From now on its sessions can be given tools of ours; said once.
    pub fn equip(&self, equipment: Equipment, scope: McpScope) {
        self.inner
            .equipped
            .get_or_init(|| Equipped { equipment, scope });
    }

    /// How it was told what its sessions are to be; said once.
    pub fn tell_manner(&self, manner: Manner) {
        self.inner.manner.get_or_init(|| manner);
    }

    pub(super) fn manner(&self) -> &Manner {
        self.inner.manner.get_or_init(Manner::default)
    }

    /// The title of what the agent asked last while no turn was under way, which was answered `cancelled`.
    pub(super) fn asked_for_nothing(&self) -> Option<String> {
        let stray = self.inner.stray.lock();
        stray.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn equipment(&self) -> Option<&Equipped> {
        self.inner.equipped.get()
    }

    /// The tools of the agent's session `name` speak for `session` from now on.
    pub fn bind(&self, name: &str, session: SessionId) {
        if let Some(badge) = self.badges().get(name) {
            badge.bind(session);
        }
    }

    /// The agent has tools of ours in its session `name`.
    #[must_use]
    pub fn has_tools(&self, name: &str) -> bool {
        self.badges().contains_key(name)
    }

    /// They speak for `session` no more.
    pub fn unbind(&self, name: &str, session: SessionId) {
        if let Some(badge) = self.badges().get(name) {
            badge.unbind(session);
        }
    }

    /// The tools of an agent's session show this badge, if they show any; those that it had before are worth nothing any more.
    pub(super) fn wears(&self, name: &str, badge: Option<Badge>) {
        let mut badges = self.badges();
        let before = match badge {
            Some(badge) => badges.insert(name.to_owned(), badge),
            None => badges.remove(name),
        };
        drop(badges);
        drop(before);
    }

    /// The badge of an agent's session; worth nothing once it is dropped.
    pub(super) fn takes_off(&self, name: &str) -> Option<Badge> {
        self.badges().remove(name)
    }

    fn badges(&self) -> MutexGuard<'_, HashMap<String, Badge>> {
        self.inner
            .badges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the agent said of itself.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities.get_or_init(Capabilities::default)
    }

    /// The hold on the agent's process.
    #[must_use]
    pub fn process(&self) -> &ProcessHandle {
        &self.inner.process
    }

    /// Cancels all turns, then ends the process by its ladder.
    pub async fn close(&self) {
        let (drained, done) = oneshot::channel();
        self.tell(desk::Message::CancelAll { drained });
        // A turn that does not end is ended with the process.
        drop(timeout(DRAIN, done).await);
        if self.inner.dialled {
            // The end of its connection is to it what the end of stdin is to others.
            self.inner.hang_up.cancel();
        }
        self.inner.process.close().await;
    }

    /// Returns when the process has ended, or has closed its stdout.
    pub async fn died(&self) {
        tokio::select! {
            () = self.inner.ended.cancelled() => {}
            _exit = self.inner.process.exited() => {
                // Somebody else may hold the pipe for ever; what the agent itself wrote is read in no time.
                drop(timeout(LAST_ANSWER, self.inner.ended.cancelled()).await);
            }
        }
    }

    /// Returns when the agent has died, which answers true, or does not answer, or floods us. Has no hold on it: who waits so does not keep
    /// it alive.
    pub fn useless(&self) -> impl Future<Output = bool> + Send + use<> {
        let (ended, given_up) = (self.inner.ended.clone(), self.inner.given_up.clone());
        let gone = self.process().gone();
        async move {
            tokio::select! {
                biased;
                () = given_up.cancelled() => false,
                () = ended.cancelled() => true,
                () = gone => true,
            }
        }
    }

    /// The agent has died, or closed its output, which comes to the same.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !self.inner.given_up.is_cancelled()
            && (self.inner.ended.is_cancelled() || self.inner.process.exit().is_some())
    }

    /// Whether [`Self::useless`] would return at once.
    #[must_use]
    pub fn is_useless(&self) -> bool {
        self.inner.ended.is_cancelled()
            || self.inner.given_up.is_cancelled()
            || self.inner.process.exit().is_some()
    }

    /// Has the agent and all it started killed, which makes it useless and is nothing that it did.
    pub fn kill(&self) {
        self.give_up();
        self.inner.process.kill();
    }

    /// Turns that are under way may still end; see [`Self::useless`].
    pub(super) fn give_up(&self) {
        self.inner.given_up.cancel();
    }

    pub(super) fn agent(&self) -> &str {
        &self.inner.agent
    }

    pub(super) fn limits(&self) -> Limits {
        self.inner.limits
    }

    pub(super) fn junk(&self) -> &Junk {
        &self.inner.junk
    }

    /// A desk that is gone went with its runtime; nobody waits for it then.
    pub(super) fn tell(&self, message: desk::Message) {
        drop(self.inner.desk.send(message));
    }

    /// Returns the length of a line that was too long, once one comes.
    pub(super) async fn too_long(&self) -> usize {
        let mut seen = self.inner.too_long.clone();
        seen.mark_unchanged();
        match seen.changed().await {
            Ok(()) => *seen.borrow(),
            // The reader is gone, and with it the agent, which others watch.
            Err(_gone) => std::future::pending().await,
        }
    }

    /// Sends a request; the future waits for the answer without a limit.
    pub(super) fn send(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<BoxFuture<'static, Result<Value, Error>>, Fault> {
        let request = UntypedMessage::new(method, params).map_err(|error| unwritable(&error))?;
        Ok(self
            .inner
            .connection
            .send_request(request)
            .block_task()
            .boxed())
    }

    /// Sends a notification. A connection that is over is found out by whoever waits for an answer.
    pub(super) fn notify(&self, method: &str, params: impl Serialize) {
        let sent = UntypedMessage::new(method, params)
            .map(|note| self.inner.connection.send_notification(note));
        if let Ok(Err(error)) | Err(error) = sent {
            tracing::debug!(
                agent.name = self.inner.agent,
                method,
                code = i32::from(error.code),
                "not sent"
            );
        }
    }

    /// Sends a request and waits for its answer, for `limit` at most.
    pub(super) async fn ask(
        &self,
        method: &str,
        params: impl Serialize,
        limit: Duration,
    ) -> Result<Value, Fault> {
        let answer = self.send(method, params)?;
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(answer) => Ok(answer),
                Err(error) => Err(self.refused(method, error).await),
            },
            () = self.died() => Err(self.dead(method).await),
            len = self.too_long() => {
                self.give_up();
                Err(self.too_large(method, len))
            }
            () = sleep(limit) => {
                self.give_up();
                Err(self.late(ErrorKind::TimedOut, method, limit))
            }
        }
    }
}

/// Runs the SDK's connection until the agent's stdout ends or the link is dropped. No protocol guard: an answer with another version is
/// ours to refuse.
async fn drive(
    transport: impl ConnectTo<Client> + 'static,
    desk: mpsc::UnboundedSender<desk::Message>,
    ready: oneshot::Sender<ConnectionTo<Agent>>,
    stop: CancellationToken,
    ended: DropGuard,
) {
    let updates = desk.clone();
    let served = Builder::new(Client)
        .on_receive_notification(
            async move |note: UntypedMessage, _connection| {
                if note.method == "session/update" {
                    drop(updates.send(desk::Message::Update(note.params)));
                }
                Ok(())
            },
            on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: UntypedMessage, responder: Responder<Value>, _connection| {
                if request.method == "session/request_permission" {
                    drop(desk.send(desk::Message::Permission {
                        params: request.params,
                        responder,
                    }));
                    return Ok(());
                }
                responder.respond_with_error(Error::method_not_found())
            },
            on_receive_request!(),
        )
        .connect_with(transport, async move |connection: ConnectionTo<Agent>| {
            drop(ready.send(connection.clone()));
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection.incoming_closed() => {}
            }
            Ok(())
        })
        .await;
    if let Err(error) = served {
        tracing::debug!(code = i32::from(error.code), "a link's driver ended");
    }
    drop(ended);
}
