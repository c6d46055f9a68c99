//! The agent's stderr: always drained, its tail kept, all of it teed to a log.

use super::launcher::Redact;
use crate::stdx::text::tail;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::ChildStderr,
};

/// Bytes of the tail that is kept.
const TAIL: usize = 64 * 1024;
/// Bytes of a line beyond which the rest of it is dropped.
const LINE: usize = 8 * 1024;
/// Bytes of a log; then it becomes `….log.1`, and a new one is begun.
const LOG: u64 = 8 * 1024 * 1024;

/// The last words of an agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    text: Arc<Mutex<String>>,
}

impl Tail {
    /// At most the last 64 KiB.
    pub(super) fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        tail(&text, TAIL).to_owned()
    }

    fn push(&self, line: &str) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(line);
        if text.len() > 2 * TAIL {
            let cut = text.len() - tail(&text, TAIL).len();
            text.drain(..cut);
        }
    }
}

/// Reads until the end of the stream. A log that cannot be written never stops the reading: a full pipe would stop the agent.
pub(super) async fn drain(
    mut from: ChildStderr,
    kept: Tail,
    redact: Redact,
    log: PathBuf,
    pid: u32,
) {
    let mut log = Log::open(log, pid).await;
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let text = redact(&lines.take(&buffer[..read]));
        kept.push(&text);
        log.write(&text).await;
    }
    let rest = redact(&lines.rest());
    kept.push(&rest);
    log.write(&rest).await;
}

/// Makes whole lines of what arrives in pieces: a secret cut in two would not be recognised.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// All whole lines so far, each with its end.
    fn take(&mut self, bytes: &[u8]) -> String {
        let mut whole = String::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE.saturating_sub(self.partial.len());
            self.partial
                .extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                whole.push_str(&self.rest());
            }
        }
        whole
    }

    fn rest(&mut self) -> String {
        let bytes = std::mem::take(&mut self.partial);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}

/// A log that all processes of one agent append to.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    pid: u32,
}

impl Log {
    async fn open(path: PathBuf, pid: u32) -> Self {
        let file = append(&path).await;
        let size = match &file {
            Some(file) => file.metadata().await.map_or(0, |meta| meta.len()),
            None => 0,
        };
        Self {
            path,
            file,
            size,
            pid,
        }
    }

    async fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.size > LOG {
            drop(tokio::fs::rename(&self.path, self.path.with_extension("log.1")).await);
            self.file = append(&self.path).await;
            self.size = 0;
        }
        let Some(file) = &mut self.file else {
            return;
        };
        let mark = format!("[{}] ", self.pid);
        let lines: String = text
            .split_inclusive('\n')
            .flat_map(|line| [&mark, line])
            .collect();
        self.size += lines.len() as u64;
        if file.write_all(lines.as_bytes()).await.is_err() || file.flush().await.is_err() {
            self.file = None;
        }
    }
}

async fn append(path: &Path) -> Option<File> {
    let opened = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .await;
    opened
        .inspect_err(|error| tracing::warn!(log = %path.display(), %error, "an agent's log cannot be written"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{LINE, Lines, TAIL, Tail};

    #[test]
    fn lines_come_whole_and_bounded() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"a\nb"), "a\n");
        assert_eq!(lines.take(b"c\n"), "bc\n");
        assert_eq!(lines.take(&vec![b'x'; 3 * LINE]), "");
        assert_eq!(lines.take(b"y\nz").len(), LINE + 1);
        assert_eq!(lines.rest(), "z\n");
        assert_eq!(lines.rest(), "");
    }

    #[test]
    fn the_tail_is_the_last_and_cuts_no_character() {
        let tail = Tail::default();
        for _ in 0..3 * TAIL / 2 {
            tail.push("é");
        }
        tail.push("!");
        let text = tail.text();
        assert!(text.len() <= TAIL && text.ends_with("é!"));
    }
}
