//! The story of finding a hub: read, dial, ask; start one if there is none; and again, until a deadline.

use super::{
    fit::{self, Fit, Probe},
    link::Link,
    process::{self, Started},
};
use crate::{
    api::hub::{HubJoin, HubShutdown, HubView, Nothing},
    config::{Environment, Settings},
    domain::{
        caller::Token,
        fault::{ErrorKind, Fault},
    },
    hub::endpoint::{self, Endpoint},
};
use serde::de::DeserializeOwned;
use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::UnixStream;

/// Longer than the ladder of a hub that is about to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks, growing from the first to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// Who looks, and where.
pub(super) struct Search {
    settings: Arc<Settings>,
    env: Arc<Environment>,
    face: String,
    version: String,
    token: Option<Token>,
}

/// What one look found.
enum Found {
    /// A hub that answers.
    Hub(Box<Link>, Probe, Endpoint),
    /// A process that serves itself alone.
    InProcess(Endpoint),
    /// Nobody, or what a dead hub left.
    Nobody,
}

impl Search {
    pub(super) fn new(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        face: &str,
        version: &str,
    ) -> Self {
        Self {
            settings,
            env,
            face: face.to_owned(),
            version: version.to_owned(),
            token: None,
        }
    }

    /// For the tools of a session: the hub that gave them this token, or none.
    pub(super) fn with(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    pub(super) fn place(&self) -> (Arc<Settings>, Arc<Environment>) {
        (self.settings.clone(), self.env.clone())
    }

    /// A joined connection to a hub that fits. Twenty who look at once start up to twenty hubs, of which the lock lets one live.
    pub(super) async fn find(&self) -> Result<Link, Fault> {
        if self.token.is_some() {
            return self.return_to().await;
        }
        let mut pace = Pace::new();
        loop {
            match self.look().await? {
                Found::Hub(link, probe, endpoint) => {
                    if let Some(link) = self.fitting(*link, &probe, &endpoint).await? {
                        match self.greet(link, &probe.env_names).await {
                            // It ended between our two questions.
                            Err(fault) if fault.kind == ErrorKind::HubLost => {}
                            done => return done,
                        }
                    }
                }
                Found::InProcess(owner) if process::alive(owner.pid) => {
                    return Err(alone(&self.settings, owner.pid));
                }
                Found::InProcess(_) | Found::Nobody => {
                    match process::start(&self.settings, &self.env).await? {
                        Started::Ready => continue,
                        Started::Taken => {}
                        Started::Failed(fault) => return Err(fault),
                    }
                }
            }
            pace.pause(&self.settings).await?;
        }
    }

    /// The hub that started our agent: there is no other whom we could tell anything, and it is of our own version.
    async fn return_to(&self) -> Result<Link, Fault> {
        match self.look().await? {
            Found::Hub(link, ..) => self.greet(*link, &[]).await,
            Found::InProcess(_) | Found::Nobody => Err(Fault::new(
                ErrorKind::HubLost,
                "the hub that this session belongs to is gone",
            )
            .hint("end the turn with what you have, in a final <eyas:conclusion> block")),
        }
    }

    /// Says who we are on a connection that is open.
    pub(super) async fn join(&self, mut link: Link) -> Result<Link, Fault> {
        let probe: Probe = link.call("hub.info", &Nothing {}).await?;
        self.greet(link, &probe.env_names).await
    }

    async fn greet(&self, mut link: Link, env_names: &[String]) -> Result<Link, Fault> {
        let said = HubJoin {
            face: self.face.clone(),
            version: self.version.clone(),
            cwd: self.env.cwd.to_str().map(str::to_owned),
            env: self.env.pick(env_names),
            token: self.token.clone(),
        };
        link.call::<serde::de::IgnoredAny>("hub.join", &said)
            .await?;
        Ok(link)
    }

    /// The link, if its hub is to be used; `None` when it is about to end for our sake.
    async fn fitting(
        &self,
        mut link: Link,
        probe: &Probe,
        endpoint: &Endpoint,
    ) -> Result<Option<Link>, Fault> {
        let revision = endpoint::revision(&self.settings);
        let fit = fit::decide(&self.settings.version, revision, probe);
        if fit == Fit::Use {
            return Ok(Some(link));
        }
        tracing::info!(
            hub.version = probe.version,
            hub.revision = probe.revision,
            "the hub is replaced"
        );
        let asked = link
            .call::<serde::de::IgnoredAny>("hub.shutdown", &HubShutdown::default())
            .await;
        match (fit, asked) {
            (_, Ok(_)) => {
                drop(link);
                self.until_gone(endpoint, Some(PATIENCE))
                    .await
                    .map(|()| None)
            }
            (_, Err(fault)) if fault.kind == ErrorKind::HubLost => Ok(None),
            (Fit::Replace, Err(fault)) => Err(unfit(&self.settings, probe, fault)),
            (Fit::Use | Fit::Renew, Err(_)) => Ok(Some(link)),
        }
    }

    /// The hub as it is, without starting one.
    pub(super) async fn peek(&self) -> Result<Option<HubView>, Fault> {
        match self.look().await? {
            Found::Hub(mut link, ..) => link.call("hub.info", &Nothing {}).await.map(Some),
            Found::InProcess(owner) if process::alive(owner.pid) => {
                Err(alone(&self.settings, owner.pid))
            }
            Found::InProcess(_) | Found::Nobody => Ok(None),
        }
    }

    /// As [`Search::peek`], of any method without parameters.
    pub(super) async fn consult<R: DeserializeOwned>(
        &self,
        method: &str,
    ) -> Result<Option<R>, Fault> {
        match self.look().await? {
            Found::Hub(mut link, ..) => link.ask(method, &Nothing {}).await.map(Some),
            Found::InProcess(owner) if process::alive(owner.pid) => {
                Err(alone(&self.settings, owner.pid))
            }
            Found::InProcess(_) | Found::Nobody => Ok(None),
        }
    }

    /// Asks the hub to end and waits until it has.
    pub(super) async fn end(&self, how: HubShutdown) -> Result<bool, Fault> {
        match self.look().await? {
            Found::Hub(mut link, _, endpoint) => {
                let patience = (!how.wait).then_some(PATIENCE);
                link.call::<serde::de::IgnoredAny>("hub.shutdown", &how)
                    .await?;
                drop(link);
                self.until_gone(&endpoint, patience).await.map(|()| true)
            }
            Found::InProcess(owner) if process::alive(owner.pid) => {
                Err(alone(&self.settings, owner.pid))
            }
            Found::InProcess(_) | Found::Nobody => Ok(false),
        }
    }

    async fn look(&self) -> Result<Found, Fault> {
        let Some(endpoint) = Endpoint::read(&self.settings)? else {
            return Ok(Found::Nobody);
        };
        let Some(path) = &endpoint.endpoint else {
            return Ok(Found::InProcess(endpoint));
        };
        let Some(stream) = dial(path).await? else {
            return Ok(Found::Nobody);
        };
        let asked = async {
            let mut link = Link::over_socket(stream).await?;
            let probe = link.call("hub.info", &Nothing {}).await?;
            Ok::<_, Fault>((link, probe))
        };
        match asked.await {
            Ok((link, probe)) => Ok(Found::Hub(Box::new(link), probe, endpoint)),
            // It closed the door before it answered: it is about to end.
            Err(fault) if fault.kind == ErrorKind::HubLost => Ok(Found::Nobody),
            Err(fault) if fault.kind == ErrorKind::Stalled => Err(Fault {
                detail: format!("{} (process {})", fault.detail, endpoint.pid),
                ..fault
            }),
            Err(fault) => Err(fault),
        }
    }

    async fn until_gone(
        &self,
        endpoint: &Endpoint,
        patience: Option<Duration>,
    ) -> Result<(), Fault> {
        let begun = Instant::now();
        let mut pause = PAUSE.0;
        while process::alive(endpoint.pid)
            && Endpoint::read(&self.settings)?.is_none_or(|now| now.pid == endpoint.pid)
        {
            if patience.is_some_and(|patience| begun.elapsed() > patience) {
                return Err(Fault::new(
                    ErrorKind::Stalled,
                    format!(
                        "the hub (process {}) was asked to end and has not",
                        endpoint.pid
                    ),
                ));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
        Ok(())
    }
}

/// Connects, and makes sure that the other end is ours too: whoever can write to the socket's directory could have put another there.
async fn dial(path: &Path) -> Result<Option<UnixStream>, Fault> {
    let uid = rustix::process::geteuid().as_raw();
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.uid() != uid => return Err(endpoint::foreign(path)),
        Ok(_) => {}
        Err(_) => return Ok(None),
    }
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(endpoint::foreign(path));
        }
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "nobody listens here");
            return Ok(None);
        }
    };
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == uid => Ok(Some(stream)),
        Ok(_) | Err(_) => Err(endpoint::foreign(path)),
    }
}

/// How often to look again, and for how long.
struct Pace {
    begun: Instant,
    pause: Duration,
}

impl Pace {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            pause: PAUSE.0,
        }
    }

    async fn pause(&mut self, settings: &Settings) -> Result<(), Fault> {
        if self.begun.elapsed() > PATIENCE {
            return Err(Fault::new(
                ErrorKind::Busy,
                format!(
                    "another process holds {} and no hub answers",
                    settings.data.join("hub.lock").display()
                ),
            ));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE.1);
        Ok(())
    }
}

fn alone(settings: &Settings, pid: u32) -> Fault {
    Fault::new(
        ErrorKind::Busy,
        format!(
            "process {pid} serves the home {} to itself alone (--in-process)",
            settings.home.display()
        ),
    )
    .hint("wait for its end, or set EYAS_HOME to another directory")
}

fn unfit(settings: &Settings, hub: &Probe, fault: Fault) -> Fault {
    if fault.kind != ErrorKind::Busy {
        return fault;
    }
    Fault::new(
        ErrorKind::Busy,
        format!(
            "the hub is version {} (API {}), this is version {} (API {}), and it cannot be replaced yet: {}",
            hub.version, hub.revision, settings.version, endpoint::revision(settings), fault.detail
        ),
    )
    .hint("`eyas hub restart --wait` waits for its runs, `eyas hub restart --now` sends them back to the queue")
}
