//! An agent that does not speak ACP: a process per turn, whose output is heard as any agent's.

use super::kit::{Larder, PATIENCE, Yard};
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        ids::RunId,
        input::InputMode,
        retry::Retry,
        run::{Continuity, PersonaRoute, Run, RunState},
        turn_form::{Fields, NamedBy, Output, PolicyWords, PromptBy, Told, TurnForm, Words},
    },
    store::{AcceptedInput, NewInput},
};
use std::time::{Duration, Instant};

fn words(args: &[&str]) -> Vec<Words> {
    args.iter().map(|&arg| Words::One(arg.to_owned())).collect()
}

fn together(args: &[&str]) -> Words {
    Words::Together(args.iter().map(|&arg| arg.to_owned()).collect())
}

/// As the definition of Claude is.
fn claude() -> TurnForm {
    let told = |mode: &str| {
        Some(Told {
            args: words(&["--mode", mode]),
            ..Told::default()
        })
    };
    TurnForm {
        args: vec![
            Words::One("{policy}".to_owned()),
            together(&["--model", "{model}"]),
            together(&["--persona", "{persona_file}"]),
        ],
        start: vec![together(&["--session-id", "{session}"])],
        resume: Some(words(&["--resume", "{session}"])),
        latest: Some(words(&["--continue"])),
        output: Output::Claude,
        named_by: NamedBy::Eyas,
        policy: PolicyWords {
            deny: told("told-deny"),
            allowlist: told("told-allowlist"),
            full: told("told-full"),
        },
        ..TurnForm::default()
    }
}

/// A program that prints its answer and nothing else.
fn plain() -> TurnForm {
    TurnForm {
        latest: Some(words(&["--continue"])),
        ..TurnForm::default()
    }
}

fn lines() -> TurnForm {
    TurnForm {
        resume: Some(words(&["--resume", "{session}"])),
        output: Output::JsonLines,
        fields: Fields {
            text: Some("text".to_owned()),
            holds: [("role".to_owned(), "assistant".to_owned())].into(),
            session: Some("id".to_owned()),
            error: Some("error".to_owned()),
            stop_reason: Some("stop".to_owned()),
            total_tokens: Some("tokens".to_owned()),
            ..Fields::default()
        },
        ..TurnForm::default()
    }
}

async fn yard_of(dialect: &str, form: TurnForm) -> Yard {
    yard_with(&["cli", dialect], form, None).await
}

async fn yard_with(args: &[&str], form: TurnForm, persona: Option<&str>) -> Yard {
    let larder = Larder {
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        turn: Some(form),
        persona: persona.map(str::to_owned),
        ..Larder::default()
    };
    Yard::with(larder, 4).await
}

/// One attempt, and no more.
async fn once(yard: &Yard, prompt: &str) -> Run {
    let mut run = yard.asking(prompt);
    run.retry = Retry {
        max_attempts: 1,
        ..Retry::default()
    };
    yard.run(run).await
}

async fn output(yard: &Yard, run: RunId) -> String {
    let said = yard.told(run, EventKind::Message).await;
    let said = said.iter().filter_map(|data| data["text"].as_str());
    said.collect()
}

async fn until_said(yard: &Yard, run: RunId, what: &str) {
    let begun = Instant::now();
    while !output(yard, run).await.contains(what) {
        assert!(
            begun.elapsed() < PATIENCE,
            "{:?}",
            yard.store.runs.get(run).await
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Nothing of any turn is left on disk.
fn no_papers(yard: &Yard) {
    let folder = yard.folder.path().join("turns");
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_told_and_concluded_as_any_agents() {
    let yard = yard_of("claude", claude()).await;
    let run = once(
        &yard,
        "!say I look\n!weird\n!tool Read a.rs\n!write out.txt hello\n!denied Bash rm -rf x\n!mode\n!conclude success it is done",
    )
    .await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    let conclusion = run.conclusion.clone().unwrap();
    assert_eq!(conclusion.summary, "it is done");
    let tools = conclusion.tools.unwrap();
    assert_eq!((tools.total, tools.failed), (3, 1));
    let usage = run.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cost_usd), (Some(11), Some(0.25)));
    assert!(output(&yard, run.id).await.contains("told-allowlist"));
    assert!(
        run.warnings
            .iter()
            .any(|one| one.kind == "permission_denied" && one.detail.contains("rm -rf x")),
        "{:?}",
        run.warnings
    );
    let attempts = yard.store.runs.attempts(run.id).await.unwrap();
    let [attempt] = &attempts[..] else {
        panic!("{attempts:#?}")
    };
    assert!(!attempt.warm && attempt.pid.is_some());
    assert!(
        attempt
            .reason
            .as_deref()
            .unwrap()
            .contains("run once a turn")
    );
    assert!(
        attempt
            .touched
            .iter()
            .any(|title| title.contains("out.txt"))
    );
    assert!(yard.pool.rows().await.is_empty(), "nothing is warm");
    no_papers(&yard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_by_its_id_also_after_the_hub_has_ended() {
    for (dialect, form) in [("claude", claude()), ("lines", lines())] {
        let mut yard = yard_of(dialect, form).await;
        let session = yard.session();
        let (first, said) = yard.say(&session, "!history").await;
        assert_eq!(
            (first.continuity, said.as_str()),
            (Some(Continuity::New), "1")
        );
        let (second, said) = yard.say(&session, "!history").await;
        assert_eq!(
            (second.continuity, said.as_str()),
            (Some(Continuity::Resumed), "2")
        );
        yard.restart().await;
        yard.resume();
        let (third, said) = yard.say(&session, "!history").await;
        assert_eq!(
            (third.continuity, said.as_str()),
            (Some(Continuity::Resumed), "3")
        );
        let (_, args) = yard.say(&session, "!args").await;
        assert!(args.contains("--resume "), "{args}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_forgotten_is_recalled() {
    let yard = yard_of("claude", claude()).await;
    let session = yard.session();
    yard.say(&session, "!conclude success the walls are blue")
        .await;
    std::fs::remove_dir_all(yard.folder.path().join(".fake-cli")).unwrap();
    let (run, said) = yard
        .say(&session, "!told the walls are blue\n!history")
        .await;
    assert_eq!(run.continuity, Some(Continuity::Recalled));
    assert!(said.contains("true") && said.ends_with('1'), "{said}");
    assert_eq!(yard.store.runs.attempts(run.id).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_something_is_not_done_again_whatever_its_last_words() {
    let yard = yard_of("claude", claude()).await;
    let session = yard.session();
    yard.say(&session, "!say first").await;
    let prompt = "!write mark x\n!fail No conversation found with session ID: of a tool";
    let run = yard.run(Yard::asking_in(session, prompt)).await;
    assert_ne!(run.state, RunState::Succeeded);
    let conversations = std::fs::read_dir(yard.folder.path().join(".fake-cli")).unwrap();
    // And one that names the newest.
    assert_eq!(conversations.count(), 2, "it was put once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_is_a_further_process_in_the_same_conversation() {
    for (dialect, form) in [("claude", claude()), ("lines", lines()), ("text", plain())] {
        let yard = yard_of(dialect, form).await;
        let run = yard.accept(yard.asking("!say begun\n!sleep 300")).await;
        until_said(&yard, run, "begun").await;
        let input = NewInput {
            run,
            mode: InputMode::Queue,
            message: "!history\n!args".to_owned(),
            idempotency: None,
            between: yard.calls.rests(run),
        };
        let taken = yard.store.inputs.accept(input).await.unwrap();
        assert!(matches!(taken, AcceptedInput::Taken { .. }));
        let run = yard.end_of(run).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        let said = output(&yard, run.id).await;
        let form = if dialect == "text" {
            "--continue"
        } else {
            "--resume"
        };
        assert!(
            said.contains('2') && said.contains(form),
            "{dialect}: {said}"
        );
        assert_eq!(yard.store.runs.attempts(run.id).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_is_seen_by_nobody_however_it_is_given() {
    let by_file = TurnForm {
        args: words(&["--prompt-file", "{prompt_file}"]),
        prompt: PromptBy::File,
        ..claude()
    };
    for (form, expected) in [(claude(), "hidden"), (by_file, "hidden")] {
        let yard = yard_of("claude", form).await;
        let backwards: String = "purplemonkeydishwasher".chars().rev().collect();
        let prompt = format!("look for purplemonkeydishwasher\n!seen {backwards}");
        let run = once(&yard, &prompt).await;
        assert_eq!(run.conclusion.unwrap().summary, expected);
        no_papers(&yard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_the_agent_is_goes_by_a_file_where_it_takes_one_and_else_before_the_prompt() {
    let persona = Some("# Kim the reviewer");
    let yard = yard_with(&["cli", "claude"], claude(), persona).await;
    let session = yard.session();
    for route in [PersonaRoute::Argument; 2] {
        let (run, said) = yard.say(&session, "!system\n!told Kim").await;
        assert!(
            said.contains("# Kim the reviewer") && said.contains("false"),
            "{said}"
        );
        let attempts = yard.store.runs.attempts(run.id).await.unwrap();
        assert_eq!(attempts[0].persona_route, Some(route));
    }
    let yard = yard_with(&["cli", "lines"], lines(), persona).await;
    let (run, said) = yard.say(&yard.session(), "!told Kim").await;
    assert_eq!(said, "true");
    let attempts = yard.store.runs.attempts(run.id).await.unwrap();
    assert_eq!(attempts[0].persona_route, Some(PersonaRoute::PromptBlock));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_turn_takes_its_process_and_all_below_with_it() {
    for args in [&["cli", "claude"][..], &["cli", "claude", "--ignore-term"]] {
        let yard = yard_with(args, claude(), None).await;
        let run = yard
            .accept(yard.asking("!grandchild\n!say here\n!sleep 600000"))
            .await;
        until_said(&yard, run, "here").await;
        let said = output(&yard, run).await;
        let grandchild: u32 = said.trim_end_matches("here").trim().parse().expect("a pid");
        let pid = yard.pid(run).await;
        assert!(alive(pid) && alive(grandchild));
        yard.cancel(run).await;
        let run = yard.end_of(run).await;
        assert_eq!(run.state, RunState::Cancelled, "{run:#?}");
        // The end of the run is the end of what it began.
        assert!(!alive(pid) && !alive(grandchild), "{args:?}");
        no_papers(&yard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_ended_with_its_process() {
    let yard = yard_of("claude", claude()).await;
    let mut run = yard.asking("!say here\n!sleep 600000");
    run.timeout_ms = Some(1_500);
    let run = yard.run(run).await;
    assert_eq!(run.state, RunState::TimedOut, "{run:#?}");
    assert!(!alive(yard.pid(run.id).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_has_its_kind_and_its_cause() {
    for (dialect, form, prompt, kind, cause) in [
        (
            "claude",
            claude(),
            "!say half\n!die 7",
            ErrorKind::AgentDied,
            "exit status 7",
        ),
        (
            "claude",
            claude(),
            "!die 7",
            ErrorKind::AgentDied,
            "the program dies as told",
        ),
        (
            "claude",
            claude(),
            "!say half\n!leave",
            ErrorKind::AgentDied,
            "before its turn did",
        ),
        (
            "claude",
            claude(),
            "!fail Not logged in · Please run /login",
            ErrorKind::AgentAuth,
            "log",
        ),
        (
            "claude",
            claude(),
            "!fail overloaded",
            ErrorKind::Overloaded,
            "overloaded",
        ),
        (
            "claude",
            claude(),
            "!fail what is this",
            ErrorKind::Internal,
            "what is this",
        ),
        (
            "claude",
            claude(),
            "!line 67200000",
            ErrorKind::TooLarge,
            "67200000",
        ),
        (
            "lines",
            lines(),
            "!junk this program is no longer maintained\n!leave",
            ErrorKind::HandshakeMalformed,
            "no longer maintained",
        ),
        (
            "lines",
            lines(),
            "!fail what is this",
            ErrorKind::Internal,
            "what is this",
        ),
        (
            "text",
            plain(),
            "!leave",
            ErrorKind::AgentDied,
            "without an answer",
        ),
        (
            "text",
            plain(),
            "!say half an answer\n!die 3",
            ErrorKind::AgentDied,
            "exit status 3",
        ),
    ] {
        let yard = yard_of(dialect, form).await;
        let mut run = yard.asking(prompt);
        run.retry.max_attempts = 1;
        let run = yard.run(run).await;
        assert_eq!(run.state, RunState::Failed, "{prompt}: {run:#?}");
        let error = run.error.unwrap();
        let (found, detail) = (error.kind, error.detail);
        assert_eq!(found, kind, "{prompt}: {detail}");
        assert!(detail.contains(cause), "{prompt}: {detail}");
        no_papers(&yard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_has_said_all_and_does_not_end_is_ended() {
    let yard = yard_of("claude", claude()).await;
    let run = once(&yard, "!say all\n!linger").await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(run.conclusion.unwrap().summary, "all");
    assert!(!alive(yard.pid(run.id).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_survived() {
    let yard = yard_of("claude", claude()).await;
    let run = once(
        &yard,
        "!stderr 3000000\n!flood 30000\n!junk x\n!conclude success dry again",
    )
    .await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(run.conclusion.unwrap().summary, "dry again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_needs_what_a_turn_has_not_says_so() {
    let form = TurnForm {
        args: words(&["{persona}"]),
        ..claude()
    };
    let yard = yard_of("claude", form).await;
    let run = once(&yard, "hello").await;
    assert_eq!(run.error.unwrap().kind, ErrorKind::InvalidParams);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_larger_than_any_argument_is_put() {
    let yard = yard_of("claude", claude()).await;
    let padding = "x".repeat(3_000_000);
    let run = once(&yard, &format!("{padding}\n!told xxxx\n")).await;
    assert_eq!(run.conclusion.unwrap().summary, "true");
}
