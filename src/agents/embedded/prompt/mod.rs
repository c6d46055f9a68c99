//! A prompt, taken apart: who is asked, what for, and the words worth looking for.

mod blocks;
mod intent;
mod words;

pub(super) use blocks::split;
pub(super) use intent::Topic;
pub(super) use words::Word;

/// More than this of a prompt is not looked at: an attached log is no list of search words.
const MAX_BYTES: usize = 64 * 1024;

/// What a prompt asks.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) words: Vec<Word>,
    pub(super) topics: Vec<Topic>,
    /// The verb of a change or command that the surveyor cannot do.
    pub(super) change: Option<String>,
}

impl Prompt {
    /// Reads a request that [`split`] has freed of our blocks.
    pub(super) fn read(text: &str) -> Self {
        let text = crate::stdx::text::head(text.trim(), MAX_BYTES);
        Self {
            words: words::significant(text),
            topics: intent::topics(text),
            change: intent::change(text),
        }
    }
}
