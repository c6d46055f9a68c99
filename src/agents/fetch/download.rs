//! One file, from its first byte to its last, over as many connections as it takes.

use super::{
    client::{Fetcher, address, with},
    digest::{Digest, Hasher},
    miss::{Miss, unavailable},
    progress::Progress,
};
use crate::domain::fault::{ErrorKind, Fault};
use reqwest::{Response, StatusCode, Url, header};
use std::{io, path::Path};
use tokio::{
    fs::File,
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

/// What is to be downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub url: &'a str,
    pub headers: &'a [(&'static str, String)],
    /// What its bytes must be.
    pub digest: Option<&'a Digest>,
    pub progress: &'a Progress,
}

/// What there is of it.
#[derive(Debug)]
struct Part {
    file: File,
    len: u64,
    total: Option<u64>,
    hasher: Hasher,
    /// By which the server says that it is still the same.
    tag: Option<String>,
}

impl Fetcher {
    /// Downloads into a new file, and answers the digest of what came. A connection that breaks off is taken up again where it was.
    ///
    /// # Errors
    /// `store_unavailable`, `artifact_missing`, `digest_mismatch`, `too_large`.
    pub async fn file(&self, wanted: Wanted<'_>, to: &Path) -> Result<Digest, Fault> {
        let url = address(wanted.url, wanted.digest.is_some())?;
        let until = Instant::now() + self.pace.total;
        let file = File::create_new(to)
            .await
            .map_err(|error| unwritable(&error))?;
        let mut part = Part {
            file,
            len: 0,
            total: None,
            hasher: Hasher::new(wanted.digest),
            tag: None,
        };
        let mut tries = 0;
        loop {
            let before = part.len;
            let miss = match timeout_at(until, self.stretch(&url, wanted, &mut part)).await {
                Ok(Ok(())) => break,
                Ok(Err(miss)) => miss,
                Err(_elapsed) => {
                    let why = format!("it took longer than {} s", self.pace.total.as_secs_f32());
                    return Err(unavailable(&url, &why));
                }
            };
            // What brought something was no failure.
            tries = if part.len > before { 1 } else { tries + 1 };
            self.again(miss, tries, until).await?;
        }
        part.file
            .flush()
            .await
            .map_err(|error| unwritable(&error))?;
        let found = part.hasher.finish();
        match wanted.digest {
            Some(promised) if *promised != found => Err(promised.differs(&url_shown(&url), &found)),
            _ => Ok(found),
        }
    }

    /// As far as one connection goes.
    async fn stretch(&self, url: &Url, wanted: Wanted<'_>, part: &mut Part) -> Result<(), Miss> {
        // What is known only by its address may have changed meanwhile.
        if part.len > 0 && wanted.digest.is_none() && part.tag.is_none() {
            part.clear(wanted.digest).await?;
        }
        let mut request = with(self.client.get(url.clone()), wanted.headers);
        if part.len > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.len));
            if let Some(tag) = &part.tag {
                request = request.header(header::IF_RANGE, tag);
            }
        }
        let mut response = self.answer(url, request).await?;
        self.begin(url, wanted, part, &mut response).await?;
        if !response.status().is_success() {
            return Err(Miss::refused(url, response).await);
        }
        while let Some(chunk) = self.chunk(url, &mut response).await? {
            part.len += chunk.len() as u64;
            if part.len > self.pace.bytes {
                return Err(Miss::Final(self.too_large(url)));
            }
            part.hasher.update(&chunk);
            part.file
                .write_all(&chunk)
                .await
                .map_err(|error| Miss::Final(unwritable(&error)))?;
            wanted.progress.at(part.len, part.total);
        }
        match part.total {
            Some(total) if part.len < total => {
                let why = format!("it ended after {} of {total} bytes", part.len);
                Err(Miss::Passing(unavailable(url, &why), None))
            }
            _ => Ok(()),
        }
    }

    /// Looks whether the answer goes on where the part ends, and how much is to come.
    async fn begin(
        &self,
        url: &Url,
        wanted: Wanted<'_>,
        part: &mut Part,
        response: &mut Response,
    ) -> Result<(), Miss> {
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
        if goes_on && begins_at(response) != Some(part.len) {
            part.clear(wanted.digest).await?;
            return Err(Miss::Passing(
                unavailable(url, "it answered another part than was asked for"),
                None,
            ));
        }
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            part.clear(wanted.digest).await?;
            return Err(Miss::Passing(
                unavailable(url, "it does not know where we were"),
                None,
            ));
        }
        if response.status().is_success() && !goes_on && part.len > 0 {
            part.clear(wanted.digest).await?;
        }
        if response.status().is_success() {
            part.tag = response
                .headers()
                .get(header::ETAG)
                .and_then(|tag| tag.to_str().ok())
                .filter(|tag| !tag.starts_with("W/"))
                .map(str::to_owned);
            part.total = response
                .content_length()
                .map(|rest| part.len.saturating_add(rest));
        }
        match part.total {
            Some(total) if total > self.pace.bytes => Err(Miss::Final(self.too_large(url))),
            _ => Ok(()),
        }
    }

    fn too_large(&self, url: &Url) -> Fault {
        Fault::new(
            ErrorKind::TooLarge,
            format!(
                "{} is larger than {} bytes",
                url_shown(url),
                self.pace.bytes
            ),
        )
        .hint("`depot.max_bytes` says how large a download may be")
    }
}

impl Part {
    /// From the first byte again.
    async fn clear(&mut self, digest: Option<&Digest>) -> Result<(), Miss> {
        let cleared = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.rewind().await.map(drop)
        };
        cleared
            .await
            .map_err(|error| Miss::Final(unwritable(&error)))?;
        self.len = 0;
        self.tag = None;
        self.hasher = Hasher::new(digest);
        Ok(())
    }
}

/// The first byte of `Content-Range: bytes 5-9/10`.
fn begins_at(response: &Response) -> Option<u64> {
    let range = response
        .headers()
        .get(header::CONTENT_RANGE)?
        .to_str()
        .ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.trim().parse().ok()
}

fn url_shown(url: &Url) -> String {
    super::miss::shown(url)
}

fn unwritable(error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::StoreUnavailable,
        format!("the depot cannot be written: {error}"),
    )
}
