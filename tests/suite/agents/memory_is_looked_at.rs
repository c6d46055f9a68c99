//! What an agent takes with all it started is known, and idle ones end when all together take too much.

use super::kit::{Bench, FAKE, LIMITS, Linked, until};
use eyas::agents::{
    acp::{Link, Manner},
    pool::{Launch, Pool, Upkeep},
};
use eyas::domain::agent::{
    AgentDefinition, AgentSource, EnvRules, Launch as Program, McpScope, SessionRules, Transport,
};
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

const MB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

fn often(bench: Bench) -> Bench {
    Bench {
        launcher: bench.launcher.weighing(Duration::from_millis(100)),
        folder: bench.folder,
    }
}

#[tokio::test]
async fn with_its_children_and_its_peak() {
    let bench = often(Bench::new());
    let process = bench.launch(FAKE, &[]).await;
    let link = Link::connect(process, LIMITS, "fake").await.unwrap();
    let linked = Linked { bench, link };
    let session = linked.session().await;
    let process = linked.link.process().clone();
    until(PATIENCE, || process.memory().is_some()).await;
    let (before, peak) = (process.memory().unwrap(), process.peak_memory());
    assert!(before < 60 * MB, "{before}");
    linked.say(&session, "!eat 64").await;
    until(PATIENCE, || process.memory().unwrap() > before + 60 * MB).await;
    assert!(peak.bytes().unwrap() > before + 60 * MB);
    // A child of a child counts too.
    let now = process.memory().unwrap();
    let child = "!run (head -c 40000000 /dev/zero | tail -c 30000000 | sleep 2) & sleep 1.5";
    let eats = linked.say(&session, child);
    let (_, ()) = tokio::join!(
        eats,
        until(PATIENCE, || process.memory().unwrap() > now + 20 * MB)
    );
    linked.link.close().await;
}

fn launch(bench: &Bench, root: &Path) -> Launch {
    let definition = AgentDefinition {
        id: "fake".to_owned(),
        name: "Fake".to_owned(),
        launch: Program {
            command: FAKE.to_owned(),
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
        program: FAKE.into(),
        env: bench.command(FAKE, &[]).env,
        own_env: BTreeMap::new(),
        root: root.to_owned(),
        equipment: None,
        manner: Manner::default(),
    }
}

#[tokio::test]
async fn what_is_too_much_ends_the_idle() {
    let bench = often(Bench::new());
    let upkeep = Upkeep {
        idle_ttl_ms: 40_000,
        // Less than one of them takes.
        memory_bytes: 100_000,
        ..Upkeep::default()
    };
    let pool = Pool::keeping(bench.launcher.clone(), upkeep);
    let (idle, busy) = (bench.path().join("idle"), bench.path().join("busy"));
    for root in [&idle, &busy] {
        std::fs::create_dir(root).unwrap();
    }
    let at_work = pool.checkout(launch(&bench, &busy)).await.unwrap();
    drop(pool.checkout(launch(&bench, &idle)).await.unwrap());
    let begun = Instant::now();
    while pool.rows().await.len() > 1 {
        assert!(begun.elapsed() < PATIENCE, "{:?}", pool.rows().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rows = pool.rows().await;
    assert_eq!(rows[0].root, busy);
    assert!(rows[0].memory_bytes.is_some_and(|bytes| bytes > 100_000));
    drop(at_work);
    pool.close().await;
}
