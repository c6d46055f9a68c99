//! Where what git writes goes, and how much of it.

use std::{io, path::PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

/// Where what git writes goes.
pub(super) enum Sink {
    /// More than this many bytes is too much.
    Memory(usize),
    /// The first of it; git is ended when it has more to say.
    Head(usize),
    /// A new file of at most so many bytes.
    File(PathBuf, u64),
}

/// What was kept of what git wrote.
pub(super) enum Kept {
    All(Vec<u8>),
    Head(Vec<u8>),
    TooMuch(u64),
}

impl Sink {
    /// Takes what comes, as far as it may be.
    pub(super) async fn keep(&self, pipe: impl AsyncRead + Unpin) -> io::Result<Kept> {
        match self {
            Self::Memory(most) => Ok(match read(pipe, *most).await? {
                Some(bytes) => Kept::All(bytes),
                None => Kept::TooMuch(u64::try_from(*most).unwrap_or(u64::MAX)),
            }),
            Self::Head(most) => {
                let mut bytes = Vec::new();
                let limit = u64::try_from(*most).unwrap_or(u64::MAX).saturating_add(1);
                pipe.take(limit).read_to_end(&mut bytes).await?;
                let whole = bytes.len() <= *most;
                Ok(if whole {
                    Kept::All(bytes)
                } else {
                    Kept::Head(bytes)
                })
            }
            Self::File(path, most) => {
                let mut file = tokio::fs::File::create_new(path).await?;
                let mut pipe = pipe.take(most.saturating_add(1));
                let copied = tokio::io::copy(&mut pipe, &mut file).await?;
                file.flush().await?;
                if copied > *most {
                    tokio::fs::remove_file(path).await?;
                    return Ok(Kept::TooMuch(*most));
                }
                Ok(Kept::All(Vec::new()))
            }
        }
    }
}

/// All of it; `None` when there is more than `max`.
pub(super) async fn read(pipe: impl AsyncRead + Unpin, max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(max).unwrap_or(u64::MAX);
    pipe.take(most + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() <= max).then_some(bytes))
}
