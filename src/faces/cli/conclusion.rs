//! How a run ended, for a person.

use super::{
    answer,
    context::CliContext,
    live::{self, Watched},
    print,
    table::{details, span, word},
};
use crate::domain::{
    conclusion::{Conclusion, ConclusionSource},
    fault::Fault,
    run::{Run, RunState},
};
use std::process::ExitCode;

/// What a shell gives a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Prints what watching came to. A run that failed makes the command fail.
pub(super) fn show(context: &CliContext, watched: Watched) -> Result<ExitCode, Fault> {
    match watched {
        Watched::Settled(run) => settled(context, &run),
        Watched::StillGoing(run) => {
            context.show(&run, || live::doing(&run))?;
            print::err(&come_back(&run));
            Ok(ExitCode::SUCCESS)
        }
        Watched::Left(run) => {
            if context.json {
                print::json(&run)?;
            }
            let goes_on = if context.in_process {
                "The run is kept; it goes on when a hub runs."
            } else {
                "The run goes on without you."
            };
            print::err(&format!("{goes_on}\n{}", come_back(&run)));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Prints a run that was asked for by id or has just been delegated.
pub(super) fn settled(context: &CliContext, run: &Run) -> Result<ExitCode, Fault> {
    context.show(run, || words(run))?;
    Ok(exit_code(run.state))
}

fn exit_code(state: RunState) -> ExitCode {
    match state {
        RunState::Failed | RunState::Cancelled | RunState::TimedOut => ExitCode::FAILURE,
        RunState::Queued | RunState::Running | RunState::InputRequired | RunState::Succeeded => {
            ExitCode::SUCCESS
        }
    }
}

fn come_back(run: &Run) -> String {
    format!(
        "  wait for it   eyas run wait {0}\n  end it        eyas run cancel {0}",
        run.id
    )
}

/// The end of a run as text: what was concluded first, how it came about after it.
pub(super) fn words(run: &Run) -> String {
    let mut text = String::new();
    let mut pairs = Vec::new();
    if let Some(conclusion) = &run.conclusion {
        text = format!("{}\n\n", conclusion.summary.trim_end());
        pairs.extend(beside(conclusion));
    }
    if !run.requests.is_empty() {
        text += &format!("{}\n\n", answer::words(run));
    }
    if !run.asks_below.is_empty() {
        text += &format!("{}\n\n", answer::words_below(run));
    }
    if let Some(error) = &run.error {
        pairs.push(("error", format!("{} ({})", error.detail, error.kind)));
        pairs.push(("hint", error.hint.clone().unwrap_or_default()));
    }
    pairs.push(("warnings", warnings(run).join("\n")));
    pairs.push(("outcome", outcome(run)));
    pairs.push(("run", run.id.to_string()));
    if run.state.is_terminal() {
        pairs.push((
            "go on",
            format!("eyas delegate --previous {} \"…\"", run.id),
        ));
    }
    text + &details(pairs)
}

/// What the run warns of, each thing once: the conclusion may have said it, or a warning of another kind.
fn warnings(run: &Run) -> Vec<String> {
    let remarks = run.conclusion.iter().flat_map(|one| &one.warnings);
    let mut said: Vec<&str> = remarks.map(String::as_str).collect();
    let mut shown = Vec::new();
    for warning in &run.warnings {
        if !said.iter().any(|said| said.contains(&warning.detail)) {
            said.push(&warning.detail);
            shown.push(format!("{} ({})", warning.detail, warning.kind));
        }
    }
    shown
}

fn beside(conclusion: &Conclusion) -> [(&'static str, String); 6] {
    let sure = conclusion
        .confidence
        .map(|sure| format!("{:.0} %", sure * 100.0));
    [
        ("artifacts", conclusion.artifacts.join("\n")),
        ("questions", conclusion.questions.join("\n")),
        (
            "follow up",
            conclusion.follow_up.clone().unwrap_or_default(),
        ),
        ("memory", conclusion.memory_refs.join("\n")),
        ("remarks", conclusion.warnings.join("\n")),
        ("confidence", sure.unwrap_or_default()),
    ]
}

/// State, verdict, agent, warmth, time and cost in a line.
fn outcome(run: &Run) -> String {
    let mut parts = vec![run.state.as_str().to_owned()];
    if let Some(conclusion) = &run.conclusion {
        let source = match conclusion.source {
            ConclusionSource::Synthesized => ", taken from the end of its answer",
            ConclusionSource::Tool | ConclusionSource::Block => "",
        };
        parts.push(format!("says {}{source}", word(conclusion.status)));
    }
    let warmth = if run.warm { "warm" } else { "cold" };
    parts.push(format!("{} {warmth}", run.agent));
    if let (Some(started), Some(ended)) = (run.started_at, run.ended_at) {
        parts.push(span(ended.since_ms(started)));
    }
    if let Some(tokens) = run.usage.and_then(|usage| usage.total_tokens) {
        parts.push(format!("{tokens} tokens"));
    }
    parts.join(" · ")
}
