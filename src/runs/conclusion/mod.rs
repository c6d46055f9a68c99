//! From what an agent said to a conclusion: its report by Eyas' own tool, else its final block, else the tail of its answer.
//!
//! A report is never trusted further than what Eyas saw itself: the [`gate`] lowers a status that the run, its last turn or the files it
//! cites do not bear out. What was read otherwise than it was written, or from elsewhere, is said in `warnings`.

mod block;
mod body;
mod brief;
mod fields;
#[cfg(test)]
mod fuzz;
mod gate;
mod report;
mod synthesize;

pub use gate::cited;

pub(super) use brief::brief;

use crate::domain::{
    conclusion::{Changes, Conclusion, ConclusionSource, ConclusionStatus, Report, ToolCounts},
    run::RunState,
    usage::Usage,
};

/// About 6,000 tokens.
const SUMMARY_BYTES: usize = 24 * 1024;

/// How the run went, beside what the agent says of it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What the agent reported by Eyas' own tool; the last one.
    pub report: Option<Report>,
    /// How the run ends; `None` is taken for an orderly end.
    pub state: Option<RunState>,
    /// Wall time of the turns.
    pub duration_ms: i64,
    pub usage: Option<Usage>,
    /// The agent's word for the end of the turn.
    pub stop_reason: Option<String>,
    pub tools: Option<ToolCounts>,
    pub changes: Option<Changes>,
    pub peak_memory_bytes: Option<u64>,
}

/// The conclusion of a run whose last turn ended with `answer`. What it cites is looked for by [`cited`].
#[must_use]
pub fn conclude(answer: &str, seen: Seen) -> Conclusion {
    let block = block::last(answer);
    let mut conclusion = match (seen.report, block.conclusion) {
        (Some(report), block) => report::of(report, block, answer),
        (None, Some(block)) => block,
        (None, None) => synthesize::of(answer, seen.state),
    };
    conclusion.warnings.extend(block.odd);
    let reason = seen.stop_reason.as_deref();
    gate::cap(&mut conclusion, seen.state, reason);
    gate::doubt_silence(&mut conclusion);
    Conclusion {
        duration_ms: seen.duration_ms,
        usage: seen.usage,
        peak_memory_bytes: seen.peak_memory_bytes,
        stop_reason: seen.stop_reason,
        tools: seen.tools,
        changes: seen.changes,
        ..conclusion
    }
}

fn blank(source: ConclusionSource) -> Conclusion {
    Conclusion {
        status: ConclusionStatus::Success,
        summary: String::new(),
        artifacts: Vec::new(),
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: None,
        warnings: Vec::new(),
        source,
        changes: None,
        tools: None,
        duration_ms: 0,
        usage: None,
        peak_memory_bytes: None,
        stop_reason: None,
    }
}

#[cfg(test)]
mod tests;
