//! A conclusion for an agent that gave none: the tail of its answer.

use super::{SUMMARY_BYTES, blank};
use crate::{
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        run::RunState,
    },
    stdx::text,
};

const CLOSE: &str = "</eyas:conclusion>";

/// What the end of the answer and that of the run make of it.
pub(super) fn of(answer: &str, state: Option<RunState>) -> Conclusion {
    let answer = answer.trim();
    let (summary, mut warnings) = shorten(answer);
    let status = match state {
        Some(RunState::Failed | RunState::TimedOut) => ConclusionStatus::Failed,
        Some(RunState::Cancelled) => ConclusionStatus::Blocked,
        None
        | Some(
            RunState::Queued | RunState::Running | RunState::InputRequired | RunState::Succeeded,
        ) => ConclusionStatus::Success,
    };
    if answer.ends_with(CLOSE) && !answer.contains("<eyas:conclusion>") {
        warnings.push(
            "the answer ends in a conclusion block that is too long: its beginning was not kept"
                .to_owned(),
        );
    }
    Conclusion {
        status,
        summary,
        warnings,
        ..blank(ConclusionSource::Synthesized)
    }
}

/// The end of an answer, as a summary.
pub(super) fn tail(answer: &str) -> String {
    text::tail(answer.trim(), SUMMARY_BYTES).to_owned()
}

/// Long output keeps its tail: the end is where agents say what came of it.
pub(super) fn shorten(summary: &str) -> (String, Vec<String>) {
    if summary.len() <= SUMMARY_BYTES {
        return (summary.to_owned(), Vec::new());
    }
    let kept = text::tail(summary, SUMMARY_BYTES);
    let note = format!(
        "the summary had {} bytes; its last {} are kept",
        summary.len(),
        kept.len()
    );
    (kept.to_owned(), vec![note])
}
