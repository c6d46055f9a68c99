//! A fault as a JSON-RPC error object, and back.

use crate::domain::fault::{ErrorKind, Fault};
use jsonrpsee::{core::client::Error as ClientError, types::ErrorObjectOwned};

/// JSON-RPC's own code where it has one; else ours, outside the range it reserves.
fn code(kind: ErrorKind) -> i32 {
    if matches!(kind, ErrorKind::InvalidParams | ErrorKind::RequiredField) {
        -32602
    } else if kind == ErrorKind::Internal {
        -32603
    } else {
        1
    }
}

impl From<Fault> for ErrorObjectOwned {
    fn from(fault: Fault) -> Self {
        Self::owned(code(fault.kind), fault.detail.clone(), Some(fault))
    }
}

/// What a client's error says, in our words. A hub that went away is `hub_lost`.
#[must_use]
pub fn from_client(error: &ClientError) -> Fault {
    if let ClientError::Call(object) = error {
        object
            .data()
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_else(|| from_object(object))
    } else if matches!(error, ClientError::RequestTimeout) {
        Fault::new(ErrorKind::Stalled, "the hub did not answer in time")
    } else {
        Fault::new(ErrorKind::HubLost, format!("the hub is gone: {error}"))
            .hint("try again: a new hub is started on demand")
    }
}

fn from_object(object: &ErrorObjectOwned) -> Fault {
    let kind = match object.code() {
        -32602 => ErrorKind::InvalidParams,
        -32601 => ErrorKind::NotFound,
        -32007 | -32008 | -32600 => ErrorKind::TooLarge,
        _ => ErrorKind::Internal,
    };
    Fault::new(kind, object.message())
}
