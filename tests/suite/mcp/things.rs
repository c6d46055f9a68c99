//! What the scripted hub has to show: runs in every state, requests, personas, instances, projects.

use eyas::{
    api::instance::{IdentityFile, InstanceView},
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        fault::Fault,
        ids::{InstanceId, ProjectId, RunId, SessionId},
        instance::{Health, Instance, InstanceStatus},
        persona::{Persona, Source},
        policy::Policy,
        project::{Project, ProjectStatus},
        request::{OptionKind, Request, RequestKind, RequestOption},
        run::{Run, RunState},
        time::Timestamp,
        usage::{TreeUsage, Usage},
        worktree::{Isolation, Worktree, WorktreeState},
    },
    stdx,
};

/// A run that was just accepted.
pub(super) fn run(prompt: &str) -> Run {
    Run {
        id: RunId(stdx::mint()),
        state: RunState::Queued,
        waiting: None,
        host: None,
        prompt: prompt.to_owned(),
        instance: None,
        project: None,
        persona: None,
        agent: "fake".to_owned(),
        session: SessionId(stdx::mint()),
        previous: None,
        continuity: None,
        label: None,
        hook: None,
        mode: eyas::domain::run::Mode::Auto,
        warm: true,
        attempt: 0,
        step: None,
        warnings: Vec::new(),
        created_at: Timestamp(1_700_000_000_000),
        started_at: None,
        ended_at: None,
        archived_at: None,
        error: None,
        conclusion: None,
        duplicate: None,
        usage: None,
        requests: Vec::new(),
        tree_usage: None,
        asks_below: Vec::new(),
        tool: None,
        said: None,
        parent: None,
        depth: 0,
        policy: Policy::default(),
        isolation: Isolation::Shared,
        worktree: None,
    }
}

/// A permission that an agent asks for.
pub(super) fn permission(id: &str) -> Request {
    let option = |id: &str, name: &str, kind| RequestOption {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
    };
    Request {
        id: id.to_owned(),
        kind: RequestKind::Permission,
        title: "cargo publish".to_owned(),
        detail: Some("in /place/shop".to_owned()),
        options: vec![
            option("yes", "Allow", OptionKind::AllowOnce),
            option("never", "Never", OptionKind::RejectAlways),
            option("no", "Reject", OptionKind::RejectOnce),
        ],
        deadline: None,
    }
}

/// A question that any words answer.
pub(super) fn question(id: &str) -> Request {
    Request {
        kind: RequestKind::Question,
        title: "Which colour?".to_owned(),
        options: Vec::new(),
        detail: None,
        ..permission(id)
    }
}

/// A run with everything that one under way can have.
pub(super) fn busy(run: &mut Run) {
    run.state = RunState::Running;
    run.attempt = 1;
    run.step = Some("testing".to_owned());
    run.tool = Some("cargo test".to_owned());
    run.said = Some("Half of it is done.".to_owned());
    run.isolation = Isolation::Worktree;
    run.worktree = Some(Worktree {
        path: "/data/worktrees/x".to_owned(),
        branch: "eyas/x".to_owned(),
        base: None,
        state: WorktreeState::Open,
        problem: None,
    });
    run.tree_usage = Some(TreeUsage {
        runs: 2,
        usage: Usage::default(),
        complete: false,
    });
}

/// Lets a run ask.
pub(super) fn asks(run: &mut Run, requests: Vec<Request>) {
    run.state = RunState::InputRequired;
    run.attempt = 1;
    run.requests = requests;
}

/// Ends a run well.
pub(super) fn conclude(run: &mut Run, summary: &str) {
    run.state = RunState::Succeeded;
    run.attempt = 1;
    run.usage = Some(Usage {
        total_tokens: Some(42),
        ..Usage::default()
    });
    run.conclusion = Some(Conclusion {
        status: ConclusionStatus::Success,
        summary: summary.to_owned(),
        artifacts: vec!["src/lib.rs".to_owned()],
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: Some(0.9),
        changes: None,
        tools: None,
        warnings: Vec::new(),
        source: ConclusionSource::Block,
        duration_ms: 1200,
        usage: None,
        peak_memory_bytes: None,
        stop_reason: Some("end_turn".to_owned()),
    });
}

pub(super) fn persona(id: &str) -> Persona {
    Persona {
        id: id.to_owned(),
        name: stdx_title(id),
        role: id.to_owned(),
        description: format!("Use {id} for its work."),
        category: "quality".to_owned(),
        icon: None,
        system_prompt: format!("You are {id}. {}", "Be good. ".repeat(400)),
        traits: vec!["calm".to_owned()],
        tools: Vec::new(),
        model: None,
        temperature: None,
        max_tokens: None,
        reasoning_level: None,
        agent: None,
        identity_templates: std::collections::BTreeMap::default(),
        memory_seeds: Vec::new(),
        hierarchy_role: None,
        source: Source::Builtin,
        extra: serde_json::Map::default(),
    }
}

pub(super) fn stdx_title(id: &str) -> String {
    eyas::domain::slug::display_name(id)
}

pub(super) fn instance(name: &str) -> Instance {
    Instance {
        id: InstanceId(stdx::mint()),
        name: name.to_owned(),
        display_name: stdx_title(name),
        persona: Some("reviewer".to_owned()),
        agent: None,
        role: None,
        parent: None,
        project: None,
        model: None,
        workspace: format!("/data/instances/{name}"),
        status: InstanceStatus::Created,
        health: Health::Unknown,
        restart_count: 0,
        created_at: Timestamp(1_700_000_000_000),
        deleted_at: None,
        host: None,
    }
}

pub(super) fn view(name: &str) -> Result<InstanceView, Fault> {
    let known = ["alice", "bob"];
    if !known.contains(&name) {
        return Err(Fault::not_found_among(
            "instance",
            name,
            known,
            "instance.list",
        ));
    }
    Ok(InstanceView {
        instance: instance(name),
        files: ["SOUL.md", "MEMORY.md"]
            .map(|file| IdentityFile {
                name: file.to_owned(),
                content: format!("# {file} of {name}\n"),
            })
            .to_vec(),
        kept: Vec::new(),
        duplicate: None,
    })
}

pub(super) fn project(name: &str) -> Project {
    Project {
        id: ProjectId(stdx::mint()),
        name: name.to_owned(),
        path: format!("/place/{name}"),
        status: ProjectStatus::Stopped,
        initialized: false,
        trusted: false,
        active: false,
        external: false,
        delegations: 0,
        delegation_spawned: false,
        host: None,
        agent: None,
        pid: None,
        last_opened_at: None,
        created_at: Timestamp(1_700_000_000_000),
    }
}
