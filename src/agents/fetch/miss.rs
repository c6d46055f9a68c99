//! Why a request brought nothing: for good, or for now.

use crate::domain::fault::{ErrorKind, Fault};
use reqwest::{Response, StatusCode, Url, header};
use std::time::Duration;
use tokio::time::timeout;

/// More of a server's own words is not told.
const WORDS: usize = 300;
/// Between two pieces of them.
const LISTENS: Duration = Duration::from_secs(5);
/// A server that asks for more patience than this is not waited for.
const PATIENCE: u64 = 30;

/// A request that failed.
#[derive(Debug)]
pub(super) enum Miss {
    /// It may go better next time, not before so long.
    Passing(Fault, Option<Duration>),
    Final(Fault),
}

impl Miss {
    /// The connection did not come about, or broke off.
    pub(super) fn broken(url: &Url, error: &reqwest::Error) -> Self {
        // The innermost says it; the others say where, the address among it.
        let mut why: &dyn std::error::Error = error;
        while let Some(inner) = why.source() {
            why = inner;
        }
        let fault = unavailable(url, &why.to_string());
        if error.is_builder() || error.is_redirect() {
            return Self::Final(fault);
        }
        Self::Passing(fault, None)
    }

    /// Nothing came for so long.
    pub(super) fn stalled(url: &Url, limit: Duration) -> Self {
        let why = format!("nothing came for {} s", limit.as_secs_f32());
        Self::Passing(unavailable(url, &why), None)
    }

    /// The server answered, but not with what was asked for.
    pub(super) async fn refused(url: &Url, response: Response) -> Self {
        let status = response.status();
        let after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        let words = first_words(response).await;
        let why = match words.as_str() {
            "" => format!("answered {status}"),
            words => format!("answered {status}: {words}"),
        };
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::Final(Fault::new(
                ErrorKind::ArtifactMissing,
                format!("{} is not there: {why}", shown(url)),
            )),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Self::Final(unavailable(url, &why).hint(
                    "it wants to know who you are: log in to it, or look whether it is public",
                ))
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Self::later(url, &why, after)
            }
            status if status.is_server_error() => Self::later(url, &why, after),
            _ => Self::Final(unavailable(url, &why)),
        }
    }

    fn later(url: &Url, why: &str, after: Option<u64>) -> Self {
        match after {
            Some(seconds) if seconds > PATIENCE => Self::Final(unavailable(
                url,
                &format!("{why}; it wants to be asked again in {seconds} s"),
            )),
            after => Self::Passing(unavailable(url, why), after.map(Duration::from_secs)),
        }
    }
}

/// The beginning of what a server says, on one line.
async fn first_words(mut response: Response) -> String {
    let mut words = Vec::new();
    // It may promise more than ever comes.
    while words.len() < WORDS
        && let Ok(Ok(Some(chunk))) = timeout(LISTENS, response.chunk()).await
    {
        words.extend_from_slice(&chunk[..chunk.len().min(WORDS)]);
    }
    let words = String::from_utf8_lossy(&words);
    let words: Vec<&str> = words.split_whitespace().collect();
    words.join(" ").chars().take(WORDS).collect()
}

pub(super) fn unavailable(url: &Url, why: &str) -> Fault {
    Fault::new(
        ErrorKind::StoreUnavailable,
        format!("{} cannot be had: {why}", shown(url)),
    )
}

/// Without what may be a secret: the user's part and the query.
pub(super) fn shown(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}
