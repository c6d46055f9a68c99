//! The surveyor on a pair of pipes.

use super::desk::Desk;
use crate::domain::fault::Fault;
use agent_client_protocol::{
    Agent, ByteStreams, Client, Error, on_receive_notification, on_receive_request,
    schema::ProtocolVersion,
    v1::{
        ConnectionTo, Responder,
        schema::{
            AgentCapabilities, CancelNotification, CloseSessionRequest, CloseSessionResponse,
            Implementation, InitializeRequest, InitializeResponse, NewSessionRequest,
            NewSessionResponse, PromptCapabilities, PromptRequest, PromptResponse,
            SessionCapabilities, SessionCloseCapabilities,
        },
    },
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::{TokioAsyncReadCompatExt as _, TokioAsyncWriteCompatExt as _};

/// Serves ACP on stdin and stdout until stdin ends.
///
/// # Errors
/// `internal` when a pipe breaks.
pub async fn serve() -> Result<(), Fault> {
    serve_over(tokio::io::stdin(), tokio::io::stdout()).await
}

/// Serves ACP on any pair of streams until `incoming` ends. A turn under way is then cancelled.
///
/// # Errors
/// `internal` when a stream breaks.
pub async fn serve_over<R, W>(incoming: R, outgoing: W) -> Result<(), Fault>
where
    R: AsyncRead + Send + 'static,
    W: AsyncWrite + Send + 'static,
{
    let (desk, ended) = Desk::open();
    let [opening, prompting, cancelling, closing, leaving] = std::array::from_fn(|_| desk.clone());
    let served = Agent
        .v1()
        .name("eyas-surveyor")
        .on_receive_request(
            async move |_: InitializeRequest,
                        responder: Responder<InitializeResponse>,
                        _: ConnectionTo<Client>| responder.respond(introduction()),
            on_receive_request!(),
        )
        .on_receive_request(
            async move |request: NewSessionRequest,
                        responder: Responder<NewSessionResponse>,
                        _: ConnectionTo<Client>| {
                opening.opened(request, responder);
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |request: PromptRequest,
                        responder: Responder<PromptResponse>,
                        connection: ConnectionTo<Client>| {
                prompting.prompted(request, responder, connection);
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_notification(
            async move |cancel: CancelNotification, _: ConnectionTo<Client>| {
                cancelling.cancelled(cancel.session_id);
                Ok(())
            },
            on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: CloseSessionRequest,
                        responder: Responder<CloseSessionResponse>,
                        _: ConnectionTo<Client>| {
                closing.closed(request, responder);
                Ok(())
            },
            on_receive_request!(),
        )
        .on_close(async move |_: ConnectionTo<Client>| {
            leaving.leave();
            Ok(())
        })
        .connect_to(ByteStreams::new(outgoing.compat_write(), incoming.compat()))
        .await;
    desk.leave();
    ended.await.map_err(Fault::internal)?;
    served.map_err(|error: Error| Fault::internal(format!("ACP on stdio: {error}")))
}

/// Version 1 whatever is asked: a client that speaks only another hangs up.
fn introduction() -> InitializeResponse {
    InitializeResponse::new(ProtocolVersion::V1)
        .agent_info(
            Implementation::new("eyas-surveyor", env!("CARGO_PKG_VERSION"))
                .title("Eyas surveyor (no model)".to_owned()),
        )
        .agent_capabilities(
            AgentCapabilities::new()
                .prompt_capabilities(PromptCapabilities::new().embedded_context(true))
                .session_capabilities(
                    SessionCapabilities::new().close(SessionCloseCapabilities::new()),
                ),
        )
}
