//! Versions of an agent live side by side, and one that is upgraded under its feet ends its turn before the new one is alone.

use super::kit::{Bench, FAKE, LIMITS, is_alive};
use eyas::{
    agents::{
        acp::{Link, Manner, Opening, Permit},
        pool::{Berth, Contact, Launch, Pool},
    },
    domain::{
        agent::{
            AgentDefinition, AgentSource, EnvRules, Launch as Program, McpScope, SessionRules,
            Transport,
        },
        policy::{Grounds, Policy},
    },
    stdx::Pause,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

fn launch(bench: &Bench, program: &Path) -> Launch {
    let command = bench.command(FAKE, &[]);
    let definition = AgentDefinition {
        id: "fake".to_owned(),
        name: "Fake".to_owned(),
        launch: Program {
            command: program.display().to_string(),
            args: Vec::new(),
            env: BTreeMap::new(),
        },
        env: EnvRules::default(),
        transport: Transport::default(),
        session: SessionRules::default(),
        limits: LIMITS,
        mcp_scope: McpScope::default(),
        version: None,
        distribution: eyas::domain::distribution::Distribution::default(),
        capabilities: eyas::domain::agent::AgentCapabilities::default(),
        install: None,
        turn: None,
        source: AgentSource::User,
    };
    Launch {
        definition,
        program: program.to_owned(),
        env: command.env,
        own_env: BTreeMap::new(),
        root: command.cwd,
        equipment: None,
        manner: Manner::default(),
    }
}

/// The agent of a berth, which speaks ACP.
fn link_of(berth: &Berth) -> &Link {
    match berth.contact() {
        Contact::Link(link) => link,
        Contact::Cli(_) => panic!("it is not run once a turn"),
    }
}

/// A version of the agent: a file of its own that runs it under a name.
fn version(bench: &Bench, file: &str, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let (path, aside) = (bench.path().join(file), bench.path().join("aside"));
    fs::write(&aside, format!("#!/bin/sh\nexec {FAKE} --name {name}\n")).unwrap();
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&aside, &path).unwrap();
    path
}

async fn open(pool: &Pool, bench: &Bench, program: &Path) -> (Berth, String, String) {
    let mut berth = pool.checkout(launch(bench, program)).await.unwrap();
    let opening = Opening {
        cwd: bench.path().to_owned(),
        ..Opening::default()
    };
    let session = berth.open(&opening).await.unwrap().session;
    let name = link_of(&berth).capabilities().agent_name.clone();
    (berth, session, name)
}

#[tokio::test]
async fn two_versions_are_warm_side_by_side() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let (one, two) = (version(&bench, "1", "one"), version(&bench, "2", "two"));
    let (_first, _, name) = open(&pool, &bench, &one).await;
    assert_eq!(name, "one");
    let (_second, _, name) = open(&pool, &bench, &two).await;
    assert_eq!(name, "two");
    assert_eq!(pool.rows().await.len(), 2);
    let (third, _, name) = open(&pool, &bench, &one).await;
    assert!(third.is_reused() && name == "one");
    pool.close().await;
}

#[tokio::test]
async fn the_old_one_ends_its_turn_and_who_comes_has_the_new_one() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let program = version(&bench, "agent", "old");
    let (at_work, session, name) = open(&pool, &bench, &program).await;
    assert_eq!(name, "old");
    let pid = link_of(&at_work).process().pid();
    let permit = Permit {
        policy: Policy::default(),
        petitions: None,
        touches: None,
        pause: Pause::default(),
        grounds: Grounds {
            cwd: bench.path().to_owned(),
            workspace: None,
        },
    };
    let (send, mut events) = mpsc::unbounded_channel();
    let link = link_of(&at_work).clone();
    let script = "!say begun\n!sleep 300\n!say done".to_owned();
    let turn = link.prompt(&session, script, permit, send);
    let meanwhile = async {
        events.recv().await.unwrap();
        version(&bench, "agent", "new");
        let (berth, _, name) = open(&pool, &bench, &program).await;
        assert!(!berth.is_reused() && name == "new");
        assert!(is_alive(pid), "it is at work");
    };
    let (end, ()) = tokio::join!(turn, meanwhile);
    assert_eq!(end.unwrap().text, "begundone");
    drop((at_work, link));
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "it stays");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rows = pool.rows().await;
    assert_eq!(rows.len(), 1);
    let (berth, _, name) = open(&pool, &bench, &program).await;
    assert!(berth.is_reused() && name == "new");
    pool.close().await;
}
