//! MCP over stdio: two eras of the protocol on one pipe, on rmcp.
//!
//! A line goes `stdio` → `inbound` (checked, id exchanged) → rmcp → `era` → `handler` → `tools`, `resources`, `prompts` or
//! `completion` → `link` to the hub; the answer goes back through `results` and `outbound`. `closing` is the end of it all:
//! when the input ends or the parent dies, waits answer with what they know and calls have one second more. Nothing but JSON-RPC is
//! written to the output.
//!
//! When a run waits for a person, `asking` puts its requests to the one behind the client: `question` says what, `form` how, `elicit` by a request of ours
//! in a session that shook hands, `rounds` by an answer that asks where servers may send no requests.
//!
//! `tasks` shows a run as a task to who takes one for an answer. Who wants to be told of changes is an `audience`: the requests of `listen`
//! (2026-07-28), each its own, and the `subscriber` of a client that shook hands. It holds `target`s, hears of them by what `follow` reads in
//! the hub's log, and tells at the `pace` that a client can bear.

mod asking;
mod audience;
mod closing;
mod completion;
mod elicit;
mod era;
mod follow;
mod form;
mod guard;
mod handler;
mod ids;
mod inbound;
mod link;
mod listen;
mod outbound;
mod pace;
mod parent;
mod prompts;
mod question;
mod render;
mod resources;
mod results;
mod rounds;
mod schema;
mod stdio;
mod subagent;
mod subscriber;
mod target;
mod tasks;
mod texts;
mod tools;
mod transcript;
mod views;
mod waits;
mod wire;

/// What the server of a session is made of too: the same wire and manners, with other tools.
pub(super) use {
    closing::Closing,
    era::{FIXED_TTL_MS, greet_as, introduce_as, server_info},
    schema::input as input_schema,
    tools::checked,
};

use crate::hub::join::Connection;
use era::Eras;
use guard::Guard;
use handler::Face;
use link::Link;
use rmcp::ServerHandler;
use std::{path::PathBuf, process::ExitCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Where a face runs.
#[derive(Clone, Debug)]
pub struct FaceContext {
    /// The directory that relative paths begin at.
    pub cwd: PathBuf,
    /// The person's home, for `~` and `~/.claude/agents`.
    pub home: Option<PathBuf>,
}

/// Serves one client on standard input and output until the input ends, the output breaks or the parent process is dead. The hub and
/// its runs go on.
pub async fn serve(connection: Connection, context: FaceContext) -> ExitCode {
    on_stdio(|closing| Face::new(Link::new(connection, closing), context)).await
}

/// As [`serve`], over any pipe; `gone` ends it from outside.
pub async fn serve_over<R, W>(
    connection: Connection,
    context: FaceContext,
    input: R,
    output: W,
    gone: CancellationToken,
) -> ExitCode
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let face = |closing| Face::new(Link::new(connection, closing), context);
    over(face, input, output, gone).await
}

/// Serves on standard input and output, until these end or the parent does.
pub(super) async fn on_stdio<H: ServerHandler>(handler: impl FnOnce(Closing) -> H) -> ExitCode {
    let gone = CancellationToken::new();
    let orphaned = gone.clone();
    let watch = tokio::spawn(async move {
        parent::ended().await;
        orphaned.cancel();
    });
    let (input, output) = stdio::ends();
    let code = over(handler, input, output, gone).await;
    watch.abort();
    code
}

async fn over<H, R, W>(
    handler: impl FnOnce(Closing) -> H,
    input: R,
    output: W,
    gone: CancellationToken,
) -> ExitCode
where
    H: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let closing = Closing::default();
    let guard = Guard::start(input, output, gone, &closing);
    let face = Eras(handler(closing.clone()));
    // rmcp's own opening would end the server at a notification that comes first; the reader has done its checks already.
    let running =
        rmcp::service::serve_directly_with_ct(face, guard, None, CancellationToken::new());
    tokio::select! {
        end = running.waiting() => {
            if let Err(error) = end {
                tracing::error!(%error, "the server ended badly");
                return ExitCode::FAILURE;
            }
        }
        () = closing.run_out() => tracing::debug!("not everything was answered"),
    }
    ExitCode::SUCCESS
}

/// The answer to `tools/list`, as `schemas/mcp-tools.json` keeps it.
#[must_use]
pub fn schemas() -> serde_json::Value {
    serde_json::json!({"tools": schema::tools()})
}
