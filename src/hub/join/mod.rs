//! How a face finds its hub: read where it listens, ask it who it is, start one when none answers, replace one that no longer fits.

mod fit;
mod link;
mod process;
mod search;

pub use link::{Incoming, Link, LinkReceiver, LinkSender};
pub use process::Started;
pub(super) use process::alive as is_alive;

use super::{ending::Ending, ground::Builder, life::Hub, serve::Host};
use crate::{
    api::hub::{HubShutdown, HubView},
    config::{Environment, Settings},
    domain::{
        caller::Token,
        fault::{ErrorKind, Fault},
    },
};
use jsonrpsee::core::client::Client;
use search::Search;
use serde::de::DeserializeOwned;
use std::{fmt, sync::Arc};
use tokio::{sync::Mutex, task::JoinHandle};

/// A face's way to the hub. A cheap handle: clones share one connection, which is made on first use and again when the hub went away.
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    way: Way,
    client: Mutex<Option<Arc<Client>>>,
}

enum Way {
    /// A client made by somebody else.
    Given(Arc<Client>),
    Socket(Search),
    InProcess {
        search: Search,
        builder: Builder,
        own: Mutex<Option<Own>>,
    },
}

/// The hub inside this process.
struct Own {
    host: Host,
    ending: Ending,
    life: JoinHandle<()>,
}

impl Connection {
    /// A way to the home's hub, which is started when there is none. `face` is its word for itself, `version` that of its binary.
    #[must_use]
    pub fn new(settings: Arc<Settings>, env: Arc<Environment>, face: &str, version: &str) -> Self {
        let search = Search::new(settings, env, face, version);
        Self::by(Way::Socket(search))
    }

    /// The way of a session's tools to the hub that gave them `token`. It starts no hub and ends none.
    #[must_use]
    pub fn of_session(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        token: Token,
        version: &str,
    ) -> Self {
        let search = Search::new(settings, env, "session", version).with(token);
        Self::by(Way::Socket(search))
    }

    /// A way to a hub that is built in this process when it is first needed. [`Connection::close`] ends it.
    #[must_use]
    pub fn in_process(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        face: &str,
        version: &str,
        builder: Builder,
    ) -> Self {
        Self::by(Way::InProcess {
            search: Search::new(settings, env, face, version),
            builder,
            own: Mutex::default(),
        })
    }

    /// A way by a client that is connected already.
    #[must_use]
    pub fn from_client(client: Arc<Client>) -> Self {
        Self::by(Way::Given(client))
    }

    fn by(way: Way) -> Self {
        Self(Arc::new(Inner {
            way,
            client: Mutex::default(),
        }))
    }

    /// The client, connected: finds, starts or replaces the hub on first use, and again when the last one went away.
    ///
    /// # Errors
    /// `busy` when a hub of another revision has runs or another process holds the home; `hub_lost` or `stalled` when none could be
    /// started or it does not answer; `forbidden` and `database_unavailable` for a home that is not ours or cannot be written.
    pub async fn client(&self) -> Result<Arc<Client>, Fault> {
        if let Way::Given(client) = &self.0.way {
            return Ok(client.clone());
        }
        // One search at a time: whoever waits here finds the connection made.
        let mut client = self.0.client.lock().await;
        if let Some(client) = client.as_ref().filter(|client| client.is_connected()) {
            return Ok(client.clone());
        }
        let made = Arc::new(self.link().await?.into_client());
        *client = Some(made.clone());
        Ok(made)
    }

    /// Whether there is a client that is connected now; none is looked for.
    pub async fn is_joined(&self) -> bool {
        if let Way::Given(client) = &self.0.way {
            return client.is_connected();
        }
        let client = self.0.client.lock().await;
        client.as_ref().is_some_and(|client| client.is_connected())
    }

    /// A connection of its own, joined, for who speaks the wire itself.
    ///
    /// # Errors
    /// As [`Connection::client`]; `internal` on a connection made from a client.
    pub async fn link(&self) -> Result<Link, Fault> {
        match &self.0.way {
            Way::Given(_) => Err(Fault::internal("this connection has no wire of its own")),
            Way::Socket(search) => search.find().await,
            Way::InProcess {
                search,
                builder,
                own,
            } => {
                let mut own = own.lock().await;
                // It was asked to end, by a call for one: the home is free when its life is over.
                if let Some(ended) = own.take_if(|own| own.ending.begun().is_cancelled()) {
                    ended.over().await;
                }
                let own = match own.as_mut() {
                    Some(own) => own,
                    None => own.insert(Own::start(search, builder).await?),
                };
                let link = Link::over_memory(own.host.connect()).await?;
                search.join(link).await
            }
        }
    }

    /// The hub as it is, without starting one; `None` when there is none.
    ///
    /// # Errors
    /// As [`Connection::client`].
    pub async fn peek(&self) -> Result<Option<HubView>, Fault> {
        self.search()?.peek().await
    }

    /// Asks the hub that is there, however long the answer takes; `None` when there is none. None is started.
    ///
    /// # Errors
    /// The hub's fault, and those of [`Connection::peek`].
    pub async fn consult<R: DeserializeOwned>(&self, method: &str) -> Result<Option<R>, Fault> {
        self.search()?.consult(method).await
    }

    /// Asks the hub to end, and waits until its process is gone; with `wait` that may be long. `false` when there was none.
    ///
    /// # Errors
    /// `busy` naming the runs, unless `now` or `wait`; `stalled` when it does not end.
    pub async fn end_hub(&self, how: HubShutdown) -> Result<bool, Fault> {
        self.search()?.end(how).await
    }

    /// Lets go of the hub; one in this process goes down its ladder first.
    pub async fn close(&self) {
        *self.0.client.lock().await = None;
        if let Way::InProcess { own, .. } = &self.0.way
            && let Some(own) = own.lock().await.take()
        {
            own.ending.begin();
            own.over().await;
        }
    }

    /// There is no time: the hub in this process, if any, kills what it owns.
    pub async fn hurry(&self) {
        if let Way::InProcess { own, .. } = &self.0.way
            && let Some(own) = own.lock().await.as_ref()
        {
            own.ending.hurry();
        }
    }

    fn search(&self) -> Result<&Search, Fault> {
        match &self.0.way {
            Way::Socket(search) | Way::InProcess { search, .. } => Ok(search),
            Way::Given(_) => Err(Fault::new(
                ErrorKind::Busy,
                "this connection was made from a client: it knows no home",
            )),
        }
    }
}

impl Own {
    async fn start(search: &Search, builder: &Builder) -> Result<Self, Fault> {
        let (settings, env) = search.place();
        let hub = Hub::open_in_process(settings, env, builder).await?;
        Ok(Self {
            host: hub.host().clone(),
            ending: hub.ending(),
            life: tokio::spawn(hub.run()),
        })
    }
}

impl Own {
    async fn over(self) {
        if let Err(error) = self.life.await {
            tracing::error!(%error, "the hub in this process did not end well");
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.way {
            Way::Given(_) => "Connection(given)",
            Way::Socket(_) => "Connection(socket)",
            Way::InProcess { .. } => "Connection(in process)",
        })
    }
}
