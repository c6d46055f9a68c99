//! A way to the server that can be cut, stalled and slowed: each hub under test has one of its own.

use crate::store::server::Server;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    runtime::Runtime,
    sync::watch,
    time::sleep,
};

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    /// Each piece takes this long.
    Slow(Duration),
    /// They are taken, and not handed on until it is open again.
    Stalled,
    /// Connections end, and none is made.
    Cut,
}

pub(super) struct Proxy {
    way: watch::Sender<Way>,
    port: u16,
    /// It ends with the proxy.
    runtime: Mutex<Option<Runtime>>,
}

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

async fn reach(server: &Server) -> io::Result<Box<dyn Both>> {
    Ok(match server.socket() {
        Ok(path) => Box::new(UnixStream::connect(path).await?),
        Err(address) => Box::new(TcpStream::connect(address).await?),
    })
}

impl Proxy {
    pub(super) fn new(server: &'static Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (way, told) = watch::channel(Way::Open);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let told = told.clone();
                tokio::spawn(async move {
                    if *told.borrow() != Way::Cut
                        && let Ok(far) = reach(server).await
                    {
                        between(near, far, told).await;
                    }
                });
            }
        });
        Self {
            way,
            port,
            runtime: Mutex::new(Some(runtime)),
        }
    }

    pub(super) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// The server's address, by this way.
    pub(super) fn address(&self, database: &str, server: &Server) -> String {
        let port = self.port;
        format!(
            "postgres://{}@127.0.0.1:{port}/{database}?sslmode=disable",
            server.user()
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

/// Both ways, until one end closes or the way is cut.
async fn between(near: TcpStream, far: Box<dyn Both>, mut told: watch::Receiver<Way>) {
    near.set_nodelay(true).ok();
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = tokio::io::split(far);
    let told = Arc::new({
        told.mark_unchanged();
        told
    });
    tokio::select! {
        () = carry(near_in, far_out, watch::Receiver::clone(&told)) => {}
        () = carry(far_in, near_out, watch::Receiver::clone(&told)) => {}
        () = is_cut(watch::Receiver::clone(&told)) => {}
    }
}

async fn is_cut(mut told: watch::Receiver<Way>) {
    drop(told.wait_for(|way| *way == Way::Cut).await);
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut told: watch::Receiver<Way>,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let Ok(many @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        let way = match told.wait_for(|way| *way != Way::Stalled).await {
            Ok(way) => *way,
            Err(_) => return,
        };
        if let Way::Slow(pause) = way {
            sleep(pause).await;
        }
        if to.write_all(&bytes[..many]).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}
