//! The one client of the web, and how patient it is.

use super::miss::{Miss, unavailable};
use crate::domain::fault::{ErrorKind, Fault};
use reqwest::{Client, NoProxy, Proxy, RequestBuilder, Response, Url, redirect};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Addresses that lead to others.
const REDIRECTS: usize = 10;

/// How long each step may take, and how much may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Without a byte.
    pub stall: Duration,
    /// Of one download, all tries together.
    pub total: Duration,
    /// Of one file, and of all that comes out of an archive.
    pub bytes: u64,
    /// In a row that bring nothing.
    pub tries: u32,
    /// Before the second try; twice as long before each further one.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            total: Duration::from_mins(30),
            bytes: 2 << 30,
            tries: 4,
            pause: Duration::from_millis(500),
        }
    }
}

/// Fetches from the web. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    pub(super) client: Client,
    pub(super) pace: Pace,
}

impl Fetcher {
    /// `values` is an environment, for its proxies.
    ///
    /// # Errors
    /// `invalid_params` for a proxy that is no address; `internal` when there is no TLS.
    pub fn new(values: &BTreeMap<String, String>, pace: Pace) -> Result<Self, Fault> {
        // Somebody else may have installed one, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .user_agent(concat!("eyas/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(pace.stall.min(Duration::from_secs(10)))
            .redirect(redirect::Policy::custom(follow))
            .no_proxy();
        for proxy in proxies(values)? {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(Fault::internal)?;
        Ok(Self { client, pace })
    }

    /// How patient it is.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// A small answer as a whole, `most` bytes at the most; its headers with it.
    ///
    /// # Errors
    /// `store_unavailable`, `artifact_missing`, `too_large`.
    pub async fn small(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        most: usize,
    ) -> Result<(Vec<u8>, reqwest::header::HeaderMap), Fault> {
        let url = address(url, false)?;
        let until = Instant::now() + self.pace.total.min(Duration::from_mins(2));
        let mut tries = 0;
        loop {
            let miss = match timeout_at(until, self.once(&url, headers, most)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(miss)) => miss,
                Err(_elapsed) => return Err(unavailable(&url, "it takes too long")),
            };
            tries += 1;
            self.again(miss, tries, until).await?;
        }
    }

    async fn once(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        most: usize,
    ) -> Result<(Vec<u8>, reqwest::header::HeaderMap), Miss> {
        let request = self.client.get(url.clone());
        let mut response = self.answer(url, with(request, headers)).await?;
        if !response.status().is_success() {
            return Err(Miss::refused(url, response).await);
        }
        let heads = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(url, &mut response).await? {
            if body.len() + chunk.len() > most {
                let why = format!("{url} is larger than {most} bytes");
                return Err(Miss::Final(Fault::new(ErrorKind::TooLarge, why)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, heads))
    }

    /// Waits for the next try, or gives up.
    pub(super) async fn again(&self, miss: Miss, tries: u32, until: Instant) -> Result<(), Fault> {
        let (fault, after) = match miss {
            Miss::Final(fault) => return Err(fault),
            Miss::Passing(fault, after) => (fault, after),
        };
        let pause = self.pace.pause * 2_u32.saturating_pow(tries.saturating_sub(1)).min(64);
        let pause = after.unwrap_or(pause).max(pause);
        if tries >= self.pace.tries || Instant::now() + pause >= until {
            return Err(fault);
        }
        tracing::debug!(%fault, tries, "a download is tried again");
        sleep(pause).await;
        Ok(())
    }

    pub(super) async fn answer(
        &self,
        url: &Url,
        request: RequestBuilder,
    ) -> Result<Response, Miss> {
        match timeout(self.pace.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Miss::broken(url, &error)),
            Err(_elapsed) => Err(Miss::stalled(url, self.pace.stall)),
        }
    }

    pub(super) async fn chunk(
        &self,
        url: &Url,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, Miss> {
        match timeout(self.pace.stall, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Miss::broken(url, &error)),
            Err(_elapsed) => Err(Miss::stalled(url, self.pace.stall)),
        }
    }
}

pub(super) fn with(request: RequestBuilder, headers: &[(&'static str, String)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, value)
    })
}

/// An address that may be asked. In the clear only where it cannot leave the machine, or where what comes is known by its digest.
///
/// # Errors
/// `invalid_params`.
pub(super) fn address(text: &str, is_known: bool) -> Result<Url, Fault> {
    let url = Url::parse(text)
        .map_err(|error| Fault::new(ErrorKind::InvalidParams, format!("{text:?}: {error}")))?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => is_known || is_loopback(&url),
        _ => false,
    };
    if is_safe {
        return Ok(url);
    }
    Err(unavailable(
        &url,
        "only https is fetched from without a digest",
    ))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Never from an encrypted address to one that is not.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_secret = attempt.previous().iter().any(|url| url.scheme() == "https");
    if was_secret && attempt.url().scheme() != "https" {
        return attempt.error("it leads from https to http");
    }
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("it leads on and on");
    }
    attempt.follow()
}

fn proxies(values: &BTreeMap<String, String>) -> Result<Vec<Proxy>, Fault> {
    let value = |names: [&str; 4]| {
        let found = names.iter().find_map(|name| values.get(*name));
        found.filter(|value| !value.is_empty())
    };
    let but =
        || value(["no_proxy", "NO_PROXY", "", ""]).and_then(|list| NoProxy::from_string(list));
    let wrong =
        |error: reqwest::Error| Fault::new(ErrorKind::InvalidParams, format!("a proxy: {error}"));
    let mut proxies = Vec::new();
    if let Some(url) = value(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) {
        proxies.push(Proxy::https(url.as_str()).map_err(wrong)?.no_proxy(but()));
    }
    // Upper-case HTTP_PROXY is what a web server calls a visitor's header; by habit it is not read.
    if let Some(url) = value(["http_proxy", "all_proxy", "ALL_PROXY", ""]) {
        proxies.push(Proxy::http(url.as_str()).map_err(wrong)?.no_proxy(but()));
    }
    Ok(proxies)
}
