//! One connection to a hub, as messages. It begins with a few calls one after the other, then becomes a client or goes to a face that
//! speaks the wire itself.

use crate::{
    api,
    domain::fault::{ErrorKind, Fault},
    hub::middleware::MAX_MESSAGE,
};
use jsonrpsee::{
    client_transport::ws::{Receiver, Sender, Url, WsTransportClientBuilder},
    core::client::{
        Client, ClientBuilder, Error as ClientError, ReceivedMessage, TransportReceiverT as _,
        TransportSenderT as _,
    },
    types::{ErrorObjectOwned, Id, Request, Response, ResponsePayload},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::{fmt, time::Duration};
use tokio::{io::DuplexStream, net::UnixStream};
use tokio_util::{compat::Compat, either::Either};

type Stream = Compat<Either<UnixStream, DuplexStream>>;

/// A hub that answers does so at once; the first calls wait for nothing.
const ANSWER: Duration = Duration::from_secs(10);

/// Longer than any wait of the API, which ends at 45 s.
const CALL: Duration = Duration::from_mins(2);

/// Both halves of a connection.
pub struct Link {
    pub sender: LinkSender,
    pub receiver: LinkReceiver,
}

/// Where messages go to the hub.
pub struct LinkSender(Sender<Stream>);

/// Where messages come from the hub.
pub struct LinkReceiver(Receiver<Stream>);

/// What the hub's end of the connection gave.
#[derive(Debug)]
pub enum Incoming {
    /// A response, or a notification of a subscription.
    Message(String),
    /// There is no hub any more.
    Gone,
}

impl Link {
    pub(super) async fn over_socket(stream: UnixStream) -> Result<Self, Fault> {
        Self::over(Either::Left(stream)).await
    }

    pub(super) async fn over_memory(stream: DuplexStream) -> Result<Self, Fault> {
        Self::over(Either::Right(stream)).await
    }

    async fn over(stream: Either<UnixStream, DuplexStream>) -> Result<Self, Fault> {
        let url = Url::parse("ws://hub/").map_err(Fault::internal)?;
        let builder = WsTransportClientBuilder {
            max_request_size: MAX_MESSAGE + 4096,
            max_response_size: MAX_MESSAGE + 4096,
            connection_timeout: ANSWER,
            ..WsTransportClientBuilder::default()
        };
        let (sender, receiver) = builder
            .build_with_stream(url, stream)
            .await
            .map_err(|error| lost(&error))?;
        Ok(Self {
            sender: LinkSender(sender),
            receiver: LinkReceiver(receiver),
        })
    }

    /// A call while nothing else is under way.
    ///
    /// # Errors
    /// The hub's fault; `hub_lost` when it went away, `stalled` when it does not answer in 10 s.
    pub async fn call<R: DeserializeOwned>(
        &mut self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        match tokio::time::timeout(ANSWER, self.ask(method, params)).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::new(
                ErrorKind::Stalled,
                format!(
                    "the hub did not answer `{method}` in {} s",
                    ANSWER.as_secs()
                ),
            )),
        }
    }

    /// The same, however long the answer takes. Whoever drops the link takes the call back.
    ///
    /// # Errors
    /// The hub's fault; `hub_lost` when it went away.
    pub async fn ask<R: DeserializeOwned>(
        &mut self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        let params = to_raw_value(params).map_err(Fault::internal)?;
        let request = Request::borrowed(method, Some(&params), Id::Number(0));
        let request = serde_json::to_string(&request).map_err(Fault::internal)?;
        self.sender.send(request).await?;
        match self.receiver.next().await {
            Incoming::Message(text) => read(&text),
            Incoming::Gone => Err(lost(&"it closed the connection")),
        }
    }

    /// The connection as a client of the API.
    #[must_use]
    pub fn into_client(self) -> Client {
        ClientBuilder::default()
            .request_timeout(CALL)
            .max_concurrent_requests(4096)
            .max_buffer_capacity_per_subscription(16 * 1024)
            .build_with_tokio(self.sender.0, self.receiver.0)
    }
}

impl LinkSender {
    /// Sends one message.
    ///
    /// # Errors
    /// `hub_lost`.
    pub async fn send(&mut self, message: String) -> Result<(), Fault> {
        self.0.send(message).await.map_err(|error| lost(&error))
    }
}

impl LinkReceiver {
    /// The next message.
    pub async fn next(&mut self) -> Incoming {
        loop {
            match self.0.receive().await {
                Ok(ReceivedMessage::Text(text)) => return Incoming::Message(text),
                // Ours sends text alone.
                Ok(ReceivedMessage::Bytes(_) | ReceivedMessage::Pong) => {}
                Err(error) => {
                    tracing::debug!(%error, "the connection to the hub ended");
                    return Incoming::Gone;
                }
            }
        }
    }
}

fn read<R: DeserializeOwned>(text: &str) -> Result<R, Fault> {
    let response: Response<'_, &RawValue> = serde_json::from_str(text).map_err(Fault::internal)?;
    match response.payload {
        ResponsePayload::Success(result) => {
            serde_json::from_str(result.get()).map_err(Fault::internal)
        }
        ResponsePayload::Error(error) => {
            let error: ErrorObjectOwned = error.into_owned();
            Err(api::fault::from_client(&ClientError::Call(error)))
        }
    }
}

fn lost(why: &dyn fmt::Display) -> Fault {
    Fault::new(ErrorKind::HubLost, format!("the hub is gone: {why}"))
        .hint("try again: a new hub is started on demand")
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

impl fmt::Debug for LinkSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSender")
    }
}

impl fmt::Debug for LinkReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkReceiver")
    }
}
