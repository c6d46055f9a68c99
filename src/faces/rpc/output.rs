//! Lines out, many in one write when they come fast.

use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
};

/// Lines that may wait for a slow reader before the hub is made to wait.
const WAITING: usize = 1024;

/// Bytes gathered before they are written.
const GATHERED: usize = 256 * 1024;

/// The way out. The loop behind it ends when this is dropped and all is written, or when nobody reads any more.
#[derive(Debug)]
pub(super) struct Output {
    lines: mpsc::Sender<String>,
    writing: JoinHandle<()>,
}

impl Output {
    pub(super) fn new(to: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        let (lines, waiting) = mpsc::channel(WAITING);
        Self {
            lines,
            writing: tokio::spawn(write(to, waiting)),
        }
    }

    /// Writes a line; `false` when nobody reads any more.
    pub(super) async fn line(&self, line: String) -> bool {
        self.lines.send(line).await.is_ok()
    }

    /// Nobody reads any more.
    pub(super) async fn closed(&self) {
        self.lines.closed().await;
    }

    /// Waits until everything is written.
    pub(super) async fn finish(self) {
        drop(self.lines);
        if let Err(error) = self.writing.await {
            tracing::error!(%error, "lines were lost");
        }
    }
}

async fn write(mut to: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<String>) {
    let mut gathered = Vec::new();
    while let Some(line) = lines.recv().await {
        append(&mut gathered, &line);
        while gathered.len() < GATHERED
            && let Ok(line) = lines.try_recv()
        {
            append(&mut gathered, &line);
        }
        let written = async {
            to.write_all(&gathered).await?;
            to.flush().await
        };
        if let Err(error) = written.await {
            tracing::debug!(%error, "nobody reads any more");
            return;
        }
        gathered.clear();
        gathered.shrink_to(GATHERED);
    }
}

fn append(gathered: &mut Vec<u8>, line: &str) {
    gathered.extend_from_slice(line.as_bytes());
    gathered.push(b'\n');
}
