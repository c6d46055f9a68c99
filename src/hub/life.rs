//! A hub's life: take the home, build the work, listen, wait for the end, go down the ladder.

use super::{
    desk::Desk,
    ending::Ending,
    endpoint::{self, Endpoint},
    ground::{Builder, Ground, Work},
    idle,
    lock::{self, Owned},
    peers::Peers,
    serve::{self, Host},
    vault::Vault,
};
use crate::{
    api::hub::HubApiServer as _,
    config::{Environment, Settings},
    domain::{
        fault::{ErrorKind, Fault},
        ids::HubId,
    },
    stdx::mint,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::net::UnixListener;

/// How long calls that were read may take once the gate is closed.
const GATE: Duration = Duration::from_secs(4);

/// A hub that owns its home. Its parts go in the order of the ladder in [`Hub::end`]; the lock goes last.
#[derive(Debug)]
pub struct Hub {
    host: Host,
    ground: Ground,
    work: Arc<dyn Work>,
    here: Endpoint,
    listener: Option<UnixListener>,
    _owned: Owned,
}

impl Hub {
    /// Takes the home and listens on its socket; `None` when another process has the home.
    ///
    /// # Errors
    /// `forbidden` for what belongs to another user, `database_unavailable` for a home that cannot be written, and what the builder says.
    pub async fn open(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        builder: &Builder,
    ) -> Result<Option<Self>, Fault> {
        let Some(owned) = lock::take(&settings)? else {
            return Ok(None);
        };
        let socket = endpoint::bind(&settings, &env)?;
        Self::build(settings, env, builder, owned, Some(socket))
            .await
            .map(Some)
    }

    /// Takes the home for this process alone: no socket, connections by [`Host::connect`].
    ///
    /// # Errors
    /// `busy` when another process has the home; else as [`Hub::open`].
    pub async fn open_in_process(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        builder: &Builder,
    ) -> Result<Self, Fault> {
        let Some(owned) = lock::take(&settings)? else {
            return Err(taken(&settings));
        };
        Self::build(settings, env, builder, owned, None).await
    }

    async fn build(
        settings: Arc<Settings>,
        env: Arc<Environment>,
        builder: &Builder,
        owned: Owned,
        socket: Option<(UnixListener, PathBuf)>,
    ) -> Result<Self, Fault> {
        let vault = Vault::new(&settings, &env);
        let ground = Ground {
            hub: HubId(mint()),
            peers: Peers::new(vault.clone()),
            ending: Ending::default(),
            settings,
            env,
            vault,
            in_process: socket.is_none(),
        };
        let served = builder.build(ground.clone()).await?;
        let (listener, path) = socket.unzip();
        let shown = path.as_ref().map(|p| p.to_string_lossy().into_owned());
        let lineage = served.lineage();
        let desk = Desk::new(ground.clone(), served.work.clone(), shown);
        let methods = serve::complete(served.methods, desk.into_rpc(), &ground.settings.version)?;
        let here = Endpoint {
            endpoint: path,
            version: ground.settings.version.clone(),
            revision: endpoint::revision(&ground.settings),
            hub: ground.hub,
            pid: std::process::id(),
        };
        // Written last: who reads it finds a hub that answers.
        here.write(&ground.settings)?;
        tracing::info!(hub.id = %ground.hub, home = %ground.settings.home.display(), "the hub is ready");
        Ok(Self {
            host: Host::new(methods, ground.peers.clone(), lineage),
            work: served.work,
            ground,
            here,
            listener,
            _owned: owned,
        })
    }

    /// The way in for this process.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// How to end it from outside, by a signal for one.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ground.ending.clone()
    }

    /// Serves until somebody ends it or it is idle for long enough, then goes down the ladder.
    pub async fn run(mut self) {
        let idle = idle::watch(self.ground.clone(), self.work.clone());
        let begun = self.ground.ending.begun().clone();
        let listener = self.listener.take();
        let accept = async {
            match listener {
                Some(listener) => self.host.accept(listener).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = accept => {}
            () = idle => {}
            () = begun.cancelled() => {}
        }
        self.end().await;
    }

    /// The ladder, top floor first. Under 10 s, beside the gate's 4 s; at once when hurried.
    pub async fn end(self) {
        let hurried = self.ground.ending.hurried().clone();
        self.ground.ending.begin();
        self.here.remove(&self.ground.settings);
        tokio::select! {
            () = self.host.close(GATE) => {}
            () = hurried.cancelled() => {}
        }
        self.work.stop().await;
        tracing::info!(hub.id = %self.ground.hub, "the hub has ended");
    }
}

/// Somebody else has the home.
pub(super) fn taken(settings: &Settings) -> Fault {
    let who = match Endpoint::read(settings) {
        Ok(Some(found)) => format!("process {}", found.pid),
        Ok(None) | Err(_) => "another process".to_owned(),
    };
    Fault::new(
        ErrorKind::Busy,
        format!("{who} owns the home {}", settings.home.display()),
    )
    .hint("leave out --in-process to share its hub, or set EYAS_HOME to another directory")
}
