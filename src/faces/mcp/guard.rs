//! The transport between the pipe and rmcp. It reads and writes lines itself, because rmcp's own transport ignores what is no JSON,
//! loses ids that do not fit 64 bits, and notices the end of the input only between two messages.

use super::{closing::Closing, ids::Ids, inbound::Reader, outbound, wire};
use rmcp::{
    RoleServer,
    model::{
        ClientJsonRpcMessage, JsonRpcMessage, NumberOrString, ServerJsonRpcMessage,
        ServerNotification, ServerResult,
    },
    transport::Transport,
};
use serde_json::{Value, value::RawValue};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Messages read ahead of rmcp, and lines written ahead of the client.
const AHEAD: usize = 64;
/// How long a client that no longer reads may hold up the end.
const FLUSH: Duration = Duration::from_millis(400);

/// One connection's transport.
#[derive(Debug)]
pub(super) struct Guard {
    said: mpsc::Receiver<ClientJsonRpcMessage>,
    out: Option<mpsc::Sender<Vec<u8>>>,
    ids: Arc<Ids>,
    writer: Option<JoinHandle<()>>,
}

impl Guard {
    /// Begins to read and write. `gone` ends the input from outside: the parent is dead.
    pub(super) fn start<R, W>(
        input: R,
        output: W,
        gone: CancellationToken,
        closing: &Closing,
    ) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (to_rmcp, said) = mpsc::channel(AHEAD);
        let (out, lines) = mpsc::channel(AHEAD);
        let ids = Arc::<Ids>::default();
        let broken = gone.clone();
        let writer = tokio::spawn(async move {
            if let Err(error) = outbound::write(output, lines).await {
                tracing::debug!(%error, "the client no longer reads");
                broken.cancel();
            }
        });
        let reader = Reader::new(to_rmcp, out.clone(), ids.clone());
        let closing = closing.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = reader.read(input) => {}
                () = gone.cancelled() => {}
            }
            closing.end();
        });
        Self {
            said,
            out: Some(out),
            ids,
            writer: Some(writer),
        }
    }
}

impl Transport<RoleServer> for Guard {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (ids, out) = (self.ids.clone(), self.out.clone());
        async move {
            let Some(line) = encode(&ids, &message)? else {
                return Ok(());
            };
            let out = out.ok_or(io::ErrorKind::NotConnected)?;
            out.send(line)
                .await
                .map_err(|_closed| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.said.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        drop(self.out.take());
        if let Some(writer) = self.writer.take() {
            match tokio::time::timeout(FLUSH, writer).await {
                Ok(ended) => ended.map_err(io::Error::other)?,
                Err(_elapsed) => tracing::debug!("the client did not read its last answers"),
            }
        }
        Ok(())
    }
}

/// A message as a line; none when its request was cancelled, for then nothing further is sent.
fn encode(ids: &Ids, message: &ServerJsonRpcMessage) -> io::Result<Option<Vec<u8>>> {
    let line = match message {
        JsonRpcMessage::Response(response) => match raw(ids, Some(&response.id)) {
            Some(id) => answer(&id, &response.result)?,
            None => return Ok(None),
        },
        JsonRpcMessage::Error(refused) => match raw(ids, refused.id.as_ref()) {
            Some(id) => wire::refusal(Some(&id), &refused.error)?,
            None => return Ok(None),
        },
        JsonRpcMessage::Notification(told) => {
            if let ServerNotification::CustomNotification(told) = &told.notification {
                return heard(ids, &told.method, told.params.as_ref());
            }
            wire::line(message)?
        }
        JsonRpcMessage::Request(_) => wire::line(message)?,
    };
    Ok(Some(line))
}

/// The only custom result is that of a request to listen.
fn answer(id: &RawValue, result: &ServerResult) -> io::Result<Vec<u8>> {
    if let ServerResult::CustomResult(end) = result {
        return Ok(wire::listened(id, &end.0)?);
    }
    Ok(wire::answer(id, result)?)
}

/// A notification to who listens, by the client's own id; none when the request to listen was cancelled or has ended.
fn heard(ids: &Ids, method: &str, params: Option<&Value>) -> io::Result<Option<Vec<u8>>> {
    let params = params.unwrap_or(&Value::Null);
    let id = wire::listens(params).and_then(|number| ids.of(number));
    match id {
        Some(id) => Ok(Some(wire::notice(method, params, &id)?)),
        None => Ok(None),
    }
}

fn raw(ids: &Ids, ours: Option<&NumberOrString>) -> Option<Box<RawValue>> {
    match ours? {
        NumberOrString::Number(number) => ids.close(*number),
        NumberOrString::String(_) => None,
    }
}
