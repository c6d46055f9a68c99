//! From rmcp to the pipe: one task writes, and joins what has come meanwhile into one write.

use std::io;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
};

/// Lines joined into one write at most.
const JOINED: usize = 64;

/// Writes lines until there are no more senders, or the pipe breaks.
///
/// # Errors
/// Any error of the pipe, `EPIPE` first of all.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    mut output: W,
    mut lines: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(JOINED);
    while lines.recv_many(&mut batch, JOINED).await > 0 {
        match batch.as_slice() {
            [line] => output.write_all(line).await?,
            several => output.write_all(&several.concat()).await?,
        }
        output.flush().await?;
        batch.clear();
    }
    Ok(())
}
