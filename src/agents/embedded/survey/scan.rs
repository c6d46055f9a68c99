//! Reads the text of files: lines are counted, notes and words are found.

use super::{
    budget::{Budget, Stopped},
    language,
    notes::Notes,
    tree::{Found, Tree},
};
use crate::agents::embedded::prompt::Word;
use regex::bytes::{Regex, RegexBuilder};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::LazyLock,
};

/// Finds of one file beyond this are not looked at: the file is about the word anyway.
const MAX_FINDS: usize = 500;
/// The least score of a line that defines something and has one word.
pub(super) const DEFINES: usize = 5;
/// The best lines of a file.
const MAX_LINES: usize = 3;
/// What is looked at of a line.
const MAX_LINE: usize = 400;

static DEFINITION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\s*(?:(?:pub(?:\([^)]*\))?|export|default|async|static|public|private|protected|abstract|final|unsafe)\s+)*(?:fn|struct|enum|trait|impl|mod|type|const|class|def|function|interface|func|module|record|macro_rules!|CREATE)\b|^#+ ",
    )
    .ok()
});

/// A line that holds words of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) score: usize,
}

/// What one file holds of the words.
#[derive(Debug)]
pub(super) struct Hits {
    /// Of the tree's files.
    pub(super) file: usize,
    /// Finds of each word.
    pub(super) counts: Vec<usize>,
    /// The best lines in the order of the file.
    pub(super) lines: Vec<Line>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Lines of each of the tree's files; 0 where it was not read.
    pub(super) lines: Vec<usize>,
    pub(super) hits: Vec<Hits>,
    pub(super) notes: Notes,
    pub(super) unreadable: usize,
    read: usize,
}

impl Scan {
    /// One line about the scan.
    pub(super) fn told(&self, matches: usize) -> String {
        format!("{} files read, {matches} match", self.read)
    }
}

/// Reads every file that may hold text, smallest risk first: never a device, a link, a key or a giant.
pub(super) fn scan(tree: &Tree, words: &[Word], budget: &mut Budget) -> Result<Scan, Stopped> {
    let any = any_of(words);
    let mut scan = Scan {
        lines: vec![0; tree.files.len()],
        ..Scan::default()
    };
    let mut buffer = Vec::new();
    for (index, file) in tree.files.iter().enumerate() {
        if !budget.goes_on()? {
            break;
        }
        if !is_readable(file, budget) || !budget.take_bytes(file.size) {
            continue;
        }
        buffer.clear();
        if read(&file.full, budget.file_bytes(), &mut buffer).is_err() {
            scan.unreadable += 1;
            continue;
        }
        if is_binary(&buffer) {
            continue;
        }
        scan.read += 1;
        scan.lines[index] = count_lines(&buffer);
        if file.language.is_some() {
            scan.notes.find(&file.path, &buffer);
        }
        if let Some(any) = &any {
            scan.hits.extend(hits(index, &buffer, words, any));
        }
    }
    Ok(scan)
}

fn is_readable(file: &Found, budget: &Budget) -> bool {
    file.size > 0
        && file.size <= budget.file_bytes()
        && !language::is_generated(file.name())
        && !language::is_sensitive(file.name())
}

/// One pattern for all words: a file is searched once.
fn any_of(words: &[Word]) -> Option<Regex> {
    let patterns: Vec<&str> = words.iter().map(|word| word.pattern.as_str()).collect();
    if patterns.is_empty() {
        return None;
    }
    RegexBuilder::new(&patterns.join("|"))
        .case_insensitive(true)
        .build()
        .ok()
}

/// Reads at most `max` bytes of a regular file. What became a link, a pipe or a device since the walk is refused.
pub(super) fn read(path: &Path, max: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let file = open(path)?;
    file.take(max).read_to_end(into)?;
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// The text of a small file, or nothing where there is none to be had.
pub(super) fn read_small(path: &Path, max: u64) -> Option<String> {
    let mut bytes = Vec::new();
    read(path, max, &mut bytes).ok()?;
    (!is_binary(&bytes)).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The last `max` bytes of a file as text.
pub(super) fn read_tail(path: &Path, max: u64) -> Option<String> {
    let mut file = open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(max))).ok()?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8192).any(|byte| *byte == 0)
}

fn count_lines(bytes: &[u8]) -> usize {
    let ends = newlines(bytes);
    ends + usize::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

pub(super) fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// The line around an offset, without its end and of bounded length.
pub(super) fn line_at(bytes: &[u8], offset: usize) -> &[u8] {
    let start = bytes[..offset]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    // A minified line is shown from shortly before the find.
    let start = start.max(offset.saturating_sub(MAX_LINE / 2));
    let end = bytes[offset..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| offset + at);
    &bytes[start..end.min(start + MAX_LINE)]
}

fn hits(file: usize, bytes: &[u8], words: &[Word], any: &Regex) -> Option<Hits> {
    let mut counts = vec![0_usize; words.len()];
    let mut lines: Vec<Line> = Vec::new();
    let (mut number, mut counted_to) = (1_usize, 0_usize);
    for find in any.find_iter(bytes).take(MAX_FINDS) {
        number += newlines(&bytes[counted_to..find.start()]);
        counted_to = find.start();
        let word = words
            .iter()
            .position(|word| word.regex.is_match(find.as_bytes()));
        if let Some(word) = word {
            counts[word] += 1;
        }
        if lines.last().is_none_or(|line| line.number != number) {
            let text = line_at(bytes, find.start());
            lines.push(Line {
                number,
                score: score(text, words),
                text: String::from_utf8_lossy(text).into_owned(),
            });
        }
    }
    if lines.is_empty() {
        return None;
    }
    lines.sort_by_key(|line| (usize::MAX - line.score, line.number));
    lines.truncate(MAX_LINES);
    lines.sort_by_key(|line| line.number);
    Some(Hits {
        file,
        counts,
        lines,
    })
}

/// A line with several words, or one that defines something, tells more.
fn score(line: &[u8], words: &[Word]) -> usize {
    let found = words
        .iter()
        .filter(|word| word.regex.is_match(line))
        .count();
    let defines = DEFINITION
        .as_ref()
        .is_some_and(|definition| definition.is_match(line));
    found * 2 + usize::from(defines) * (DEFINES - 2)
}
