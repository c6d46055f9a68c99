//! `eyas rpc`: JSON-RPC 2.0, one message per line, relayed to the hub.
//!
//! Three loops: one reads lines, one reads the hub, and [`relay`] owns what is under way. A call goes out under a number of ours and its
//! answer comes back under the caller's own id, verbatim; a batch goes out as calls of their own and comes back as one line.

#[cfg(test)]
mod fuzz;
mod message;
mod output;
mod relay;
mod slots;

use crate::{domain::fault::Fault, hub::join::Connection};
use tokio::io::{AsyncRead, AsyncWrite};

/// Relays until `input` ends and every call that was read is answered, or nobody reads `output` any more.
///
/// # Errors
/// Those of reading `input`; a hub that cannot be had is each call's answer instead.
pub async fn run<I, O>(connection: &Connection, input: I, output: O) -> Result<(), Fault>
where
    I: AsyncRead + Send + Unpin + 'static,
    O: AsyncWrite + Send + Unpin + 'static,
{
    relay::run(connection, input, output).await
}
