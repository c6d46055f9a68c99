//! A report that came by Eyas' own tool. What it leaves open is taken from the block or the answer, and that is said.

use super::{blank, fields, synthesize, synthesize::shorten};
use crate::{
    domain::conclusion::{Conclusion, ConclusionSource, ConclusionStatus, Report},
    stdx::text,
};

/// The conclusion of a report; `block` and `answer` are what the agent said beside it.
pub(super) fn of(report: Report, block: Option<Conclusion>, answer: &str) -> Conclusion {
    let mut conclusion = blank(ConclusionSource::Tool);
    let warnings = &mut conclusion.warnings;
    conclusion.status = match (report.status, &block) {
        (Some(status), _) => status,
        (None, Some(block)) => {
            warnings.push("the status is from the conclusion block".to_owned());
            block.status
        }
        (None, None) => {
            warnings.push("the conclusion has no status; taken as partial".to_owned());
            ConclusionStatus::Partial
        }
    };
    let (mut summary, long) = shorten(report.summary.trim());
    warnings.extend(long);
    if summary.is_empty() {
        let (from, text) = match block {
            Some(block) if !block.summary.is_empty() => ("conclusion block", block.summary),
            _ => ("end of the answer", synthesize::tail(answer)),
        };
        warnings.push(format!("the summary is from the {from}"));
        summary = text;
    }
    conclusion.summary = summary;
    conclusion.artifacts = fields::limited(report.artifacts, "artifacts", warnings);
    conclusion.memory_refs = fields::limited(report.memory_refs, "memory_refs", warnings);
    conclusion.questions = fields::limited(report.questions, "questions", warnings);
    conclusion.follow_up = report
        .follow_up
        .map(|said| text::head(said.trim(), fields::FOLLOW_UP_BYTES).to_owned())
        .filter(|said| !said.is_empty());
    conclusion.confidence = report.confidence.and_then(|number| {
        let clamped = number.clamp(0.0, 1.0);
        if !number.is_finite() || (clamped - number).abs() > f64::EPSILON {
            warnings.push(format!(
                "the conclusion's confidence {number} was brought into 0 to 1"
            ));
        }
        clamped.is_finite().then_some(clamped)
    });
    let own = fields::limited(report.warnings, "warnings", warnings);
    conclusion.warnings.extend(own);
    conclusion
}
