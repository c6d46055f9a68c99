//! One connection after the other: who it is, then the API behind the door.

use super::{
    caller::Lineage,
    middleware::{Door, MAX_MESSAGE},
    peers::Peers,
};
use crate::domain::fault::Fault;
use jsonrpsee::{
    Methods,
    core::middleware::RpcServiceBuilder,
    server::{
        BatchRequestConfig, Server, ServerConfig, ServerHandle, StopHandle, TowerServiceBuilder,
        serve_with_graceful_shutdown, stop_channel,
    },
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{UnixListener, UnixStream},
};
use tower::layer::util::Identity;

/// Faces at the same time; more are answered with an HTTP error.
const MAX_PEERS: u32 = 1024;

/// Messages for a peer that does not read; what it is sent waits then. Its events are as large as 64 KiB, and are read from the log anew.
const UNREAD: u32 = 128;

/// Bytes on their way in an in-memory connection.
const PIPE: usize = 256 * 1024;

/// Serves the API to whoever connects. A cheap handle.
#[derive(Clone, Debug)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    builder: TowerServiceBuilder<Identity, Identity>,
    methods: Methods,
    peers: Peers,
    lineage: Lineage,
    stopped: StopHandle,
    stop: ServerHandle,
}

impl Host {
    /// Serves `methods`; `lineage` says which peers are below an agent.
    #[must_use]
    pub fn new(methods: Methods, peers: Peers, lineage: Lineage) -> Self {
        let config = ServerConfig::builder()
            .max_request_body_size(MAX_MESSAGE + 4096)
            .max_response_body_size(MAX_MESSAGE)
            .max_connections(MAX_PEERS)
            .set_message_buffer_capacity(UNREAD)
            .set_batch_request_config(BatchRequestConfig::Unlimited)
            .build();
        let (stopped, stop) = stop_channel();
        Self(Arc::new(Inner {
            builder: Server::builder().set_config(config).to_service_builder(),
            methods,
            peers,
            lineage,
            stopped,
            stop,
        }))
    }

    /// Takes connections until dropped.
    pub async fn accept(&self, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.admit(stream),
                // Out of descriptors, most likely: connections that end give some back.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// A new in-memory connection, of this process itself.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        self.serve(ours, Some(std::process::id()));
        theirs
    }

    /// Another user's process is turned away without a word: the socket's mode keeps it out already.
    fn admit(&self, stream: UnixStream) {
        let uid = rustix::process::geteuid().as_raw();
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == uid => {
                let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
                self.serve(stream, pid);
            }
            other => tracing::warn!(peer = ?other, "a peer of another user is refused"),
        }
    }

    fn serve<S>(&self, stream: S, pid: Option<u32>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Inner {
            builder,
            methods,
            peers,
            lineage,
            stopped,
            ..
        } = &*self.0;
        let descent = lineage.descent(pid.unwrap_or_default());
        let Some(present) = peers.enter(pid, descent, lineage.clone()) else {
            return;
        };
        tracing::debug!(peer.id = %present.peer.id, pid, ?descent, "a peer has come");
        let door = Door {
            present: Arc::new(present),
        };
        let service = builder
            .clone()
            .set_rpc_middleware(RpcServiceBuilder::new().layer(door))
            .build(methods.clone(), stopped.clone());
        let stopped = stopped.clone().shutdown();
        tokio::spawn(async move {
            if let Err(error) = serve_with_graceful_shutdown(stream, service, stopped).await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }

    /// The gate: nobody comes in, no call is read any more; calls that were read are answered, for at most `patience`.
    pub async fn close(&self, patience: Duration) {
        self.0.peers.close();
        // It says whether it was stopped already.
        self.0.stop.stop().ok();
        if tokio::time::timeout(patience, self.0.peers.gone())
            .await
            .is_err()
        {
            tracing::warn!(calls = self.0.peers.calls(), "calls are left unanswered");
        }
    }
}

/// All methods of a hub: the work's, `hub.*`, and `rpc.discover`.
///
/// # Errors
/// `internal` when two of them have the same name.
pub fn complete(work: Methods, desk: impl Into<Methods>, version: &str) -> Result<Methods, Fault> {
    let mut discover = jsonrpsee::RpcModule::new(version.to_owned());
    discover
        .register_method("rpc.discover", |_, version, _| {
            crate::api::openrpc::document(version)
        })
        .map_err(Fault::internal)?;
    let mut all = work;
    all.merge(desk).map_err(Fault::internal)?;
    all.merge(discover).map_err(Fault::internal)?;
    Ok(all)
}
