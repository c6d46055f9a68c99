//! From the pipe to rmcp: lines are read, checked, given ids of ours, and refused here when they are no messages at all.

use super::{
    ids::Ids,
    wire::{self, Said, Wrong},
};
use crate::stdx::lines::{self, Line};
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientNotification,
    ClientRequest, ErrorCode, ErrorData, NumberOrString,
};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::{
    io::{AsyncRead, BufReader},
    sync::mpsc,
};

/// The longest line, in bytes.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;
const BUFFER: usize = 64 * 1024;

/// The other side is gone: there is nobody to read for.
struct Gone;

/// Reads one connection's input.
#[derive(Debug)]
pub(super) struct Reader {
    to_rmcp: mpsc::Sender<ClientJsonRpcMessage>,
    out: mpsc::Sender<Vec<u8>>,
    ids: Arc<Ids>,
    /// A request to initialize was read: requests may come without `_meta` from now on.
    shaken: bool,
}

impl Reader {
    pub(super) fn new(
        to_rmcp: mpsc::Sender<ClientJsonRpcMessage>,
        out: mpsc::Sender<Vec<u8>>,
        ids: Arc<Ids>,
    ) -> Self {
        Self {
            to_rmcp,
            out,
            ids,
            shaken: false,
        }
    }

    /// Reads to the end of the input.
    pub(super) async fn read<R: AsyncRead + Unpin>(mut self, input: R) {
        let mut input = BufReader::with_capacity(BUFFER, input);
        loop {
            let taken = match lines::next(&mut input, LONGEST).await {
                Ok(Line::Whole(line)) => self.take(&line).await,
                Ok(Line::TooLong { len }) => self.refuse(None, too_long(len)).await,
                Ok(Line::End) => return,
                Err(error) => {
                    tracing::debug!(%error, "the input broke");
                    return;
                }
            };
            if taken.is_err() {
                return;
            }
        }
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), Gone> {
        match wire::read(line) {
            Ok(Said::Request(id, request)) => self.request(id, *request).await,
            Ok(Said::Cancelled(id, reason)) => self.cancelled(&id, reason).await,
            Ok(Said::Answer(answer)) => self.hand_on(*answer).await,
            Ok(Said::Nothing) => Ok(()),
            Err(Wrong { id, error }) => self.refuse(id.as_deref(), error).await,
        }
    }

    async fn request(&mut self, id: Box<RawValue>, request: ClientRequest) -> Result<(), Gone> {
        self.shaken |= matches!(request, ClientRequest::InitializeRequest(_));
        if !self.shaken && !matches!(request, ClientRequest::PingRequest(_)) {
            let missing = wire::missing_meta(&request);
            if !missing.is_empty() {
                return self.refuse(Some(&id), no_handshake(&missing)).await;
            }
        }
        let copy = id.clone();
        let Some(number) = self.ids.open(id) else {
            return self.refuse(Some(&copy), overloaded()).await;
        };
        self.hand_on(ClientJsonRpcMessage::request(
            request,
            NumberOrString::Number(number),
        ))
        .await
    }

    async fn cancelled(&mut self, id: &RawValue, reason: Option<String>) -> Result<(), Gone> {
        let Some(number) = self.ids.cancel(id) else {
            return Ok(());
        };
        let params = CancelledNotificationParam::new(Some(NumberOrString::Number(number)), reason);
        self.hand_on(ClientJsonRpcMessage::notification(
            ClientNotification::CancelledNotification(CancelledNotification::new(params)),
        ))
        .await
    }

    async fn hand_on(&mut self, message: ClientJsonRpcMessage) -> Result<(), Gone> {
        self.to_rmcp.send(message).await.map_err(|_closed| Gone)
    }

    async fn refuse(&mut self, id: Option<&RawValue>, error: ErrorData) -> Result<(), Gone> {
        match wire::refusal(id, &error) {
            Ok(line) => self.out.send(line).await.map_err(|_closed| Gone),
            Err(error) => {
                tracing::error!(%error, "a refusal could not be written");
                Ok(())
            }
        }
    }
}

fn too_long(len: usize) -> ErrorData {
    ErrorData::new(
        ErrorCode::INVALID_REQUEST,
        format!("a line of {len} bytes was skipped: at most {LONGEST} are taken"),
        None,
    )
}

fn no_handshake(missing: &[&str]) -> ErrorData {
    let missing = missing.join(", ");
    ErrorData::new(
        ErrorCode::INVALID_PARAMS,
        format!(
            "request _meta is missing or has malformed required fields: {missing}; or call initialize first"
        ),
        None,
    )
}

fn overloaded() -> ErrorData {
    ErrorData::new(
        ErrorCode::INTERNAL_ERROR,
        "overloaded: too many requests are open; wait for some answers",
        None,
    )
}
