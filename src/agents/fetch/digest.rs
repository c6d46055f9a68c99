//! What bytes must be.

use crate::domain::fault::{ErrorKind, Fault};
use sha2::{Digest as _, Sha256, Sha512};
use std::fmt;

/// A digest, as `sha256:` or `sha512:` and lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// Reads `sha256:…`, `sha512:…`, or 64 hexadecimal digits alone.
    ///
    /// # Errors
    /// `invalid_params` for anything else: bytes are never taken unseen because a digest could not be read.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim().to_ascii_lowercase();
        let (algorithm, hex) = text.split_once(':').unwrap_or(("sha256", &text));
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => 0,
        };
        if length == 0 || hex.len() != length || !hex.bytes().all(|one| one.is_ascii_hexdigit()) {
            return Err(Fault::new(
                ErrorKind::InvalidParams,
                format!("{text:?} is no digest: sha256 or sha512 and hexadecimal digits"),
            ));
        }
        Ok(Self(format!("{algorithm}:{hex}")))
    }

    /// The digest of bytes at hand.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(None);
        hasher.update(bytes);
        hasher.finish()
    }

    /// `sha256:…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes that have `found` are not those that were promised.
    #[must_use]
    pub fn differs(&self, what: &str, found: &Self) -> Fault {
        Fault::new(
            ErrorKind::DigestMismatch,
            format!("{what} is not what was promised: it is {found}, not {self}"),
        )
        .hint("it was not installed; its publisher may have replaced it, or somebody else has")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a digest of bytes as they come.
#[derive(Clone, Debug)]
pub enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// By the algorithm of what is promised; by SHA-256 where nothing is.
    #[must_use]
    pub fn new(promised: Option<&Digest>) -> Self {
        match promised {
            Some(digest) if digest.0.starts_with("sha512:") => Self::Sha512(Sha512::new()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all.
    #[must_use]
    pub fn finish(self) -> Digest {
        let (name, bytes) = match self {
            Self::Sha256(hasher) => ("sha256", hasher.finalize().to_vec()),
            Self::Sha512(hasher) => ("sha512", hasher.finalize().to_vec()),
        };
        let hex: String = bytes.iter().map(|one| format!("{one:02x}")).collect();
        Digest(format!("{name}:{hex}"))
    }
}
