//! Runs as the bench makes them.

use eyas::{
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        ids::{RunId, SessionId},
        policy::Policy,
        retry::Retry,
        run::{AttemptOutcome, Mode, RunState},
        spent::Budget,
        worktree::Isolation,
    },
    stdx::mint,
    store::{Extras, Finish, Idempotency, NewRun, Progress, SessionRow},
};

/// Of a delegation as it comes.
const PROMPT_BYTES: usize = 200;

pub(crate) fn session(lane: usize) -> SessionRow {
    SessionRow {
        id: SessionId(mint()),
        instance: None,
        persona: None,
        agent: format!("agent-{lane}"),
        project: None,
        cwd: "/somewhere".to_owned(),
        agent_session: None,
    }
}

/// A run in a session of its own, with a key.
pub(crate) fn run() -> NewRun {
    let run = run_in(session(0));
    NewRun {
        idempotency: Some(Idempotency {
            scope: "directory/somewhere".to_owned(),
            key: run.id.to_string(),
            fingerprint: run.session.id.to_string(),
        }),
        ..run
    }
}

pub(crate) fn run_in(session: SessionRow) -> NewRun {
    NewRun {
        id: RunId(mint()),
        session,
        prompt: "x".repeat(PROMPT_BYTES),
        previous: None,
        label: None,
        lane: "default".to_owned(),
        mode: Mode::Auto,
        timeout_ms: None,
        tree: None,
        warnings: Vec::new(),
        idempotency: None,
        policy: Policy::default(),
        isolation: Isolation::Shared,
        worktree: None,
        parent: None,
        depth: 0,
        max_in_project: None,
        retry: Retry::default(),
        budget: Budget::default(),
        extras: Extras::default(),
        occasion: None,
    }
}

/// The end of a run that did its work.
pub(crate) fn success() -> Finish {
    Finish {
        state: RunState::Succeeded,
        outcome: AttemptOutcome::Succeeded,
        error: None,
        conclusion: Some(conclusion()),
        usage: None,
        warnings: Vec::new(),
        stderr_tail: None,
        progress: Progress::default(),
        unless_input: false,
    }
}

fn conclusion() -> Conclusion {
    Conclusion {
        status: ConclusionStatus::Success,
        summary: "x".repeat(PROMPT_BYTES),
        artifacts: Vec::new(),
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: None,
        changes: None,
        tools: None,
        warnings: Vec::new(),
        source: ConclusionSource::Tool,
        duration_ms: 5,
        usage: None,
        peak_memory_bytes: None,
        stop_reason: None,
    }
}
