//! How far a survey may go: files, bytes, time, and until it is told to stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The bounds of one survey.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Bounds {
    pub(in super::super) files: usize,
    /// Of all files that are read, together.
    pub(in super::super) bytes: u64,
    /// A larger file is counted and not read.
    pub(in super::super) file_bytes: u64,
    pub(in super::super) time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            files: 20_000,
            bytes: 64 * 1024 * 1024,
            file_bytes: 1024 * 1024,
            time: Duration::from_secs(3),
        }
    }
}

/// The turn was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Stopped;

/// What is left of the bounds.
#[derive(Debug)]
pub(in super::super) struct Budget {
    bounds: Bounds,
    began: Instant,
    files: usize,
    bytes: u64,
    stop: Arc<AtomicBool>,
    cut: Option<String>,
}

impl Budget {
    pub(in super::super) fn new(bounds: Bounds, stop: Arc<AtomicBool>) -> Self {
        Self {
            bounds,
            began: Instant::now(),
            files: 0,
            bytes: 0,
            stop,
            cut: None,
        }
    }

    /// Whether there is time left; remembers when there was none.
    pub(super) fn goes_on(&mut self) -> Result<bool, Stopped> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        if self.began.elapsed() < self.bounds.time {
            return Ok(true);
        }
        self.remember(format!("after {} s", self.bounds.time.as_secs_f32()));
        Ok(false)
    }

    /// Whether one more file may be listed.
    pub(super) fn take_file(&mut self) -> bool {
        if self.files < self.bounds.files {
            self.files += 1;
            return true;
        }
        self.remember(format!("after {} files", self.bounds.files));
        false
    }

    /// Whether a file of `size` bytes may be read.
    pub(super) fn take_bytes(&mut self, size: u64) -> bool {
        if self.bytes.saturating_add(size) <= self.bounds.bytes {
            self.bytes += size;
            return true;
        }
        self.remember(format!("after {} MiB were read", self.bounds.bytes >> 20));
        false
    }

    /// The most bytes of one file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.bounds.file_bytes
    }

    fn remember(&mut self, cut: String) {
        self.cut.get_or_insert(cut);
    }

    /// Where the survey ended early, if it did.
    pub(super) fn cut(&self) -> Option<String> {
        self.cut.clone()
    }

    pub(super) fn elapsed_ms(&self) -> u128 {
        self.began.elapsed().as_millis()
    }
}
