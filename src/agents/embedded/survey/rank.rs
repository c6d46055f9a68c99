//! Which files answer the words of a prompt best.

use super::{
    language::{self, Purpose},
    scan::{self, Hits, Line, Scan},
    text,
    tree::{Found, Tree},
};
use crate::agents::embedded::prompt::Word;
use std::collections::BTreeMap;

/// Files that are kept.
const MAX_MATCHES: usize = 10;
/// What is quoted of a line, in bytes.
const MAX_SNIPPET: usize = 160;
/// What is quoted of a word.
const MAX_WORD: usize = 60;

/// A file for the words of a prompt.
#[derive(Clone, Debug)]
pub(in super::super) struct Match {
    pub(in super::super) path: String,
    /// Its path can be cited as it stands.
    pub(in super::super) exact: bool,
    /// Finds in the text of each word that has any, and whether it is in the path.
    pub(in super::super) words: Vec<(String, usize, bool)>,
    /// Number and text of its best lines.
    pub(in super::super) lines: Vec<(usize, String)>,
    /// The number of the best of them.
    pub(in super::super) best: Option<usize>,
    /// Lines of the file.
    pub(in super::super) length: usize,
    score: f64,
}

/// The best files, best first.
pub(super) fn rank(words: &[Word], tree: &Tree, scan: &Scan) -> Vec<Match> {
    if words.is_empty() {
        return Vec::new();
    }
    let hits: BTreeMap<usize, &Hits> = scan.hits.iter().map(|hits| (hits.file, hits)).collect();
    let rarity = rarity(words, tree, scan);
    let wants_tests = words.iter().any(|word| word.pattern.starts_with("test"));
    let mut matches: Vec<Match> = tree
        .files
        .iter()
        .enumerate()
        .filter_map(|(index, file)| {
            let length = scan.lines.get(index).copied().unwrap_or(0);
            let mut found = one(words, &rarity, file, hits.get(&index).copied(), length)?;
            if !wants_tests && is_test(&file.path) {
                found.score *= 0.6;
            }
            Some(found)
        })
        .collect();
    matches.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.path.cmp(&b.path))
    });
    matches.truncate(MAX_MATCHES);
    matches
}

/// The words that no kept file has.
pub(super) fn missing(words: &[Word], matches: &[Match]) -> Vec<String> {
    words
        .iter()
        .map(|word| text::plain(&word.shown, MAX_WORD))
        .filter(|shown| {
            matches
                .iter()
                .all(|m| m.words.iter().all(|(word, _, _)| word != shown))
        })
        .collect()
}

/// A word weighs the more the fewer files have it.
fn rarity(words: &[Word], tree: &Tree, scan: &Scan) -> Vec<f64> {
    (0..words.len())
        .map(|word| {
            let with = scan
                .hits
                .iter()
                .filter(|hits| hits.counts[word] > 0)
                .count();
            (1.0 + float(tree.files.len()) / float(with + 1)).ln()
        })
        .collect()
}

fn one(
    words: &[Word],
    rarity: &[f64],
    file: &Found,
    hits: Option<&Hits>,
    length: usize,
) -> Option<Match> {
    let mut found = Vec::new();
    let mut score = 0.0;
    for (index, word) in words.iter().enumerate() {
        let count = hits.map_or(0, |hits| hits.counts[index]);
        let (in_path, bonus) = path_bonus(word, file);
        if count == 0 && !in_path {
            continue;
        }
        let depth = if count == 0 {
            0.0
        } else {
            1.0 + float(count).ln()
        };
        score += rarity[index] * (depth + bonus);
        found.push((text::plain(&word.shown, MAX_WORD), count, in_path));
    }
    if found.is_empty() {
        return None;
    }
    let lines = hits.map(|hits| hits.lines.as_slice()).unwrap_or_default();
    let best = lines
        .iter()
        .max_by_key(|line| (line.score, usize::MAX - line.number));
    // Where a thing is defined is a better answer than where it is used.
    let defines = best.is_some_and(|line| line.score >= scan::DEFINES);
    let coverage = float(found.len()).sqrt() * if defines { 1.5 } else { 1.0 };
    Some(Match {
        best: best.map(|line| line.number),
        path: text::plain(&file.path, 300),
        exact: file.exact,
        score: score * coverage * weight(file),
        words: found,
        lines: lines.iter().map(snippet).collect(),
        length,
    })
}

fn snippet(line: &Line) -> (usize, String) {
    (line.number, text::plain(&line.text, MAX_SNIPPET))
}

/// A path that the prompt names outright is what it is about.
fn path_bonus(word: &Word, file: &Found) -> (bool, f64) {
    let shown = word.shown.trim_start_matches("./");
    if file.path == shown || (shown.contains('/') && file.path.ends_with(shown)) {
        return (true, 20.0);
    }
    if word.regex.is_match(file.name().as_bytes()) {
        return (true, 4.0);
    }
    if word.regex.is_match(file.path.as_bytes()) {
        return (true, 1.5);
    }
    (false, 0.0)
}

fn weight(file: &Found) -> f64 {
    let name = file.name().to_ascii_lowercase();
    // A change log names everything once.
    if language::is_generated(&name) || name.starts_with("change") || name.starts_with("history") {
        return 0.2;
    }
    match file.language.map(|language| language.purpose) {
        Some(Purpose::Code) => 1.0,
        Some(Purpose::Prose) => 0.7,
        Some(Purpose::Settings) => 0.6,
        None => 0.5,
    }
}

fn is_test(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.split(['/', '_', '.', '-']).any(|part| {
        matches!(
            part,
            "test" | "tests" | "spec" | "specs" | "bench" | "benches"
        )
    })
}

/// Counts are far below what a float holds exactly.
fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
