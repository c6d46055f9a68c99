//! What a store is asked costs no more with a long history: nobody reads all runs or all events to find some.

use super::kit::{Home, keyed, success};
use eyas::{
    domain::{
        ids::{InstanceId, ProjectId, RunId},
        run::RunState,
    },
    store::{EventFilter, NewRun, PageAt, RunFilter, Store, sql::Settings},
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::{
    str::FromStr as _,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Ended runs, ten to a session, with three events each; of the class that is there.
const HISTORY: &str = "INSERT INTO session(id,agent,class_key,cwd,next_seq) SELECT CAST(lpad(to_hex(i),32,'0') AS UUID),'a',(SELECT min(class_key) FROM class),'/',11 FROM generate_series(0,399) s(i); \
 INSERT INTO run(id,session,seq,class_key,state,attempt,event_seq,created_at,started_at,ended_at,instance,project,label,lane,mode,prompt) \
 SELECT CAST(lpad(to_hex(i+4096),32,'0') AS UUID),CAST(lpad(to_hex(i/10),32,'0') AS UUID),i%10+1,(SELECT min(class_key) FROM class),CASE i%10 WHEN 0 THEN 'failed' ELSE 'succeeded' END,1,3, \
 1700000000000+i,1,2,CAST(lpad(to_hex(i%20),32,'0') AS UUID),CAST(lpad(to_hex(i%20),32,'0') AS UUID),'label-'||(i%20),'default','auto',repeat('x',200) FROM generate_series(0,3999) s(i); \
 INSERT INTO event(at,run,run_seq,project,kind,data) SELECT 1,r.id,n,r.project,'message','{}' FROM run r, generate_series(1,3) n WHERE r.label IS NOT NULL; ANALYZE";
/// Its rows in these tables.
const ROWS: i64 = 400 + 4_000 + 12_000;
const SEEN: &str = "SELECT CAST(sum(n_tup_ins) AS BIGINT), CAST(sum(idx_scan) AS BIGINT), CAST(sum(seq_tup_read) AS BIGINT) FROM pg_stat_user_tables WHERE relname IN ('session','run','event')";
/// Often enough for every plan that is made once.
const ROUNDS: u128 = 8;

/// What the server has been told by connections that have ended: rows written, how often an index was asked, rows read without one.
async fn seen(connection: &mut PgConnection, enough: impl Fn((i64, i64, i64)) -> bool) -> i64 {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = sqlx::query_as(SEEN).fetch_one(&mut *connection).await;
        let seen: (i64, i64, i64) = seen.unwrap();
        if enough(seen) {
            return seen.2;
        }
        assert!(Instant::now() < patience, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One round of what hubs and people ask all the time.
async fn used(store: &Store, home: &Home, round: u128) {
    let id = Uuid::from_u128(round % 20);
    let none = RunFilter::default();
    let filters = [
        none.clone(),
        RunFilter {
            state: Some(RunState::Succeeded),
            ..none.clone()
        },
        RunFilter {
            state: Some(RunState::Queued),
            ..none.clone()
        },
        RunFilter {
            project: Some(ProjectId(id)),
            ..none.clone()
        },
        RunFilter {
            instance: Some(InstanceId(id)),
            ..none.clone()
        },
        RunFilter {
            label: Some(format!("label-{}", round % 20)),
            ..none
        },
    ];
    for filter in filters {
        store.runs.list(filter, PageAt::default()).await.unwrap();
    }
    let run = RunId(Uuid::from_u128(4096 + round));
    store.runs.get(run).await.unwrap();
    for filter in [
        EventFilter::default(),
        EventFilter {
            run: Some(run),
            ..EventFilter::default()
        },
        EventFilter {
            project: Some(ProjectId(id)),
            ..EventFilter::default()
        },
    ] {
        store.events.after(None, filter, 100).await.unwrap();
    }
    let new = NewRun {
        tree: Some(format!("/tree/{round}")),
        ..keyed(&format!("k{round}"), "f")
    };
    store.runs.accept(new).await.unwrap();
    let claimed = store.runs.claim(home.me, 1, 60_000).await.unwrap();
    let end = success();
    store.runs.finish(claimed[0].lease, end).await.unwrap();
}

#[tokio::test]
async fn whatever_the_history() {
    let home = Home::new().await;
    home.accept(super::kit::run()).await;
    let lease = home.claim_one().await;
    home.finish(lease).await;
    home.store.closer.close().await;
    let options = PgConnectOptions::from_str(&home.place.url()).unwrap();
    let mut filling = options.connect().await.unwrap();
    sqlx::raw_sql(HISTORY).execute(&mut filling).await.unwrap();
    filling.close().await.unwrap();
    let mut connection = options.connect().await.unwrap();
    let before = seen(&mut connection, |(written, ..)| written > ROWS).await;
    let store = home.place.open(Settings::default()).await;
    for round in 0..ROUNDS {
        used(&store, &home, round).await;
    }
    store.closer.close().await;
    let accepted = ROWS + i64::try_from(ROUNDS).unwrap() * 5;
    let after = seen(&mut connection, |(written, asked, _)| {
        written >= accepted && asked > 0
    });
    let read = after.await - before;
    // To read one of the tables as a whole takes more.
    assert!(read < 1_000, "{read} rows were read without an index");
}
