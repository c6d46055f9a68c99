//! A delegation to a warm agent gets the session that was opened ahead, also when that one is not quite there yet.

use super::kit::{Bench, FAKE, LIMITS};
use eyas::{
    agents::{
        acp::{Manner, Opening},
        pool::{Berth, Launch, Pool},
    },
    domain::agent::{
        AgentDefinition, AgentSource, EnvRules, Launch as Program, McpScope, SessionRules,
        Transport,
    },
};
use std::{collections::BTreeMap, future::poll_fn, pin::pin, task::Poll, time::Duration};

fn launch(bench: &Bench) -> Launch {
    let command = bench.command(FAKE, &[]);
    let definition = AgentDefinition {
        id: command.agent.clone(),
        name: "Fake".to_owned(),
        launch: Program {
            command: FAKE.to_owned(),
            args: command.args.clone(),
            env: BTreeMap::new(),
        },
        env: EnvRules::default(),
        limits: LIMITS,
        mcp_scope: McpScope::default(),
        version: None,
        distribution: eyas::domain::distribution::Distribution::default(),
        capabilities: eyas::domain::agent::AgentCapabilities::default(),
        transport: Transport::default(),
        session: SessionRules::default(),
        install: None,
        turn: None,
        source: AgentSource::User,
    };
    Launch {
        definition,
        program: command.program.clone(),
        env: command.env.clone(),
        own_env: BTreeMap::new(),
        root: command.cwd.clone(),
        equipment: None,
        manner: Manner::default(),
    }
}

fn opening(bench: &Bench, persona: &str) -> Opening {
    Opening {
        cwd: bench.path().to_owned(),
        persona: Some(persona.to_owned()),
        model: None,
        reporting: None,
    }
}

/// The fake agent numbers its sessions.
fn number(session: &str) -> u32 {
    session.rsplit('-').next().unwrap().parse().unwrap()
}

async fn use_one(pool: &Pool, bench: &Bench, persona: &str) -> (Berth, u32) {
    let mut berth = pool.checkout(launch(bench)).await.unwrap();
    let opened = berth.open(&opening(bench, persona)).await.unwrap();
    (berth, number(&opened.session))
}

#[tokio::test]
async fn who_comes_while_it_is_opened_waits_for_it() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let mut numbers = Vec::new();
    for _ in 0..4 {
        let (berth, number) = use_one(&pool, &bench, "hawk").await;
        numbers.push(number);
        berth.settle(opening(&bench, "hawk"));
    }
    assert_eq!(numbers, [1, 2, 3, 4], "no session was opened in vain");
    pool.close().await;
}

#[tokio::test]
async fn it_serves_one_and_only_who_opens_alike() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let (berth, _) = use_one(&pool, &bench, "hawk").await;
    berth.settle(opening(&bench, "hawk"));
    let (other, not_the_spare) = use_one(&pool, &bench, "owl").await;
    let (one, two) = tokio::join!(
        use_one(&pool, &bench, "hawk"),
        use_one(&pool, &bench, "hawk")
    );
    let mut numbers = [not_the_spare, one.1, two.1];
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3, 4], "each has a session of its own");
    drop((other, one, two));
    pool.close().await;
}

#[tokio::test]
async fn one_whose_taker_went_away_is_kept_for_the_next() {
    let bench = Bench::new();
    let pool = Pool::start(bench.launcher.clone(), 60_000);
    let (berth, _) = use_one(&pool, &bench, "hawk").await;
    berth.settle(opening(&bench, "hawk"));
    let mut impatient = pool.checkout(launch(&bench)).await.unwrap();
    let wanted = opening(&bench, "hawk");
    {
        // Polled once, which asks for the spare, and dropped before anybody can have answered.
        let mut asking = pin!(impatient.open(&wanted));
        poll_fn(|context| {
            assert!(asking.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    drop(impatient);
    let rows = async || pool.rows().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while rows().await[0].spare == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the spare is lost");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (_berth, number) = use_one(&pool, &bench, "hawk").await;
    assert_eq!(number, 2);
    pool.close().await;
}
