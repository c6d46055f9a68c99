//! Where in an answer the agent's own block is.
//!
//! An agent may echo its instructions, draft a block before the last one, speak of the tags in a sentence, or be cut off within the block.
//! So every block is a candidate, the last one first, and the first that is a report and no echo is taken.

use super::body::{self, Reading};
use crate::{domain::conclusion::Conclusion, stdx::text};

const OPEN: &str = "<eyas:conclusion>";
const CLOSE: &str = "</eyas:conclusion>";
/// What is looked through; what an agent said before is no end.
const ANSWER_BYTES: usize = 1024 * 1024;
/// More blocks than that are no reports.
const CANDIDATES: usize = 16;
/// No report is further from the end than so many tags.
const TAGS: usize = 64;

/// What was found in an answer.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) conclusion: Option<Conclusion>,
    /// What is odd about a block that was not taken.
    pub(super) odd: Vec<String>,
}

/// A pair of tags, or an open one at the end.
struct Candidate<'a> {
    body: &'a str,
    closed: bool,
}

/// The last block of an answer that is a report.
pub(super) fn last(answer: &str) -> Found {
    let answer = text::tail(answer, ANSWER_BYTES);
    let mut found = Found::default();
    let mut salvaged = None;
    for candidate in candidates(answer) {
        match body::read(candidate.body) {
            Reading::Fields(mut conclusion) => {
                if !candidate.closed {
                    conclusion.warnings.push(
                        "the conclusion block is not closed; its end may be missing".to_owned(),
                    );
                }
                found.conclusion = Some(*conclusion);
                return found;
            }
            Reading::Text(conclusion) if candidate.closed => {
                salvaged.get_or_insert(*conclusion);
            }
            Reading::TooLong(bytes) => found.odd.push(format!(
                "a conclusion block of {bytes} bytes was not read; at most {} are",
                body::BYTES
            )),
            Reading::Text(_) | Reading::Echo => {}
        }
    }
    found.conclusion = salvaged;
    found
}

/// Last first.
fn candidates(answer: &str) -> Vec<Candidate<'_>> {
    let opens = tags(answer, OPEN);
    let closes = tags(answer, CLOSE);
    let mut candidates = Vec::new();
    let last_close = closes.last().map_or(0, |close| close + CLOSE.len());
    // One that the agent did not come to close stands alone on its line; in a sentence it is only spoken of.
    let unclosed = opens
        .iter()
        .rev()
        .find(|open| **open >= last_close && alone(answer, **open));
    if let Some(open) = unclosed {
        candidates.push(Candidate {
            body: &answer[open + OPEN.len()..],
            closed: false,
        });
    }
    for (n, close) in closes.iter().enumerate().rev() {
        if candidates.len() >= CANDIDATES {
            break;
        }
        let before = n.checked_sub(1).map_or(0, |n| closes[n] + CLOSE.len());
        let inside = |open: &&usize| (before..*close).contains(*open);
        let first = opens
            .iter()
            .find(|open| inside(open) && begins_line(answer, **open));
        let nearest = opens.iter().rev().find(inside);
        // A summary may speak of the tags: the open one that begins a line is the better one.
        for open in first
            .into_iter()
            .chain(nearest.filter(|open| Some(*open) != first))
        {
            candidates.push(Candidate {
                body: &answer[open + OPEN.len()..*close],
                closed: true,
            });
        }
    }
    candidates
}

/// Where a tag stands that is not merely quoted, first to last; of an answer full of them the last ones.
fn tags(answer: &str, tag: &str) -> Vec<usize> {
    let mut found: Vec<usize> = answer
        .rmatch_indices(tag)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = answer[..*at].chars().next_back();
            let after = answer[at + tag.len()..].chars().next();
            let fenced = answer[..*at].ends_with("```");
            !(before == after && matches!(before, Some('`' | '"' | '\''))) || fenced
        })
        .take(TAGS)
        .collect();
    found.reverse();
    found
}

fn begins_line(answer: &str, at: usize) -> bool {
    let line = answer[..at].rsplit('\n').next().unwrap_or_default();
    line.chars()
        .all(|letter| letter.is_whitespace() || matches!(letter, '>' | '`'))
}

fn alone(answer: &str, at: usize) -> bool {
    let rest = answer[at + OPEN.len()..].split('\n').next();
    begins_line(answer, at) && rest.is_some_and(|rest| rest.trim().is_empty())
}
