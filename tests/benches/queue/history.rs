//! What a long history changes: the same questions to a store with a thousand finished runs and to one with many, in turn.

use crate::{
    database::{Database, Kind},
    made, run,
    table::{p50, ratio, row, us},
};
use eyas::{
    domain::{
        ids::{HubId, InstanceId, ProjectId, RunId},
        run::RunState,
    },
    stdx::mint,
    store::{EventFilter, PageAt, RunFilter, Store},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use std::{
    collections::BTreeMap,
    str::FromStr as _,
    time::{Duration, Instant},
};
use uuid::Uuid;

const FEW: u64 = 1_000;
const ROUNDS: u64 = 200;
const LEASE_MS: i64 = 60_000;

pub(crate) fn bench(runs: u64, events: u64) {
    for kind in Kind::all() {
        run(compared(kind, runs, events));
    }
}

async fn compared(kind: Kind, runs: u64, events: u64) {
    let per_run = events / runs;
    let few = filled(kind, FEW, per_run).await;
    let before = size(&few).await;
    let many = filled(kind, runs, per_run).await;
    let grown = size(&many).await.saturating_sub(before);
    let each = grown / (runs - FEW).max(1);
    row(
        &format!("{}: {runs} runs, {events} events", kind.name()),
        format!("{each} bytes a run"),
        "",
    );
    let stores = [few.open().await, many.open().await];
    let (mut short, mut long) = (BTreeMap::new(), BTreeMap::new());
    for round in 0..ROUNDS {
        ask(&stores[0], FEW, round, &mut short).await;
        ask(&stores[1], runs, round, &mut long).await;
    }
    for (what, mut taken) in long {
        let long = p50(&mut taken);
        let short = p50(short.get_mut(what).unwrap());
        row(
            &format!("{}: {what} p50", kind.name()),
            format!("{} = {:.2} x {}", us(long), ratio(long, short), us(short)),
            "<= 1.5 x",
        );
    }
    for store in stores {
        store.closer.close().await;
    }
}

type Times = BTreeMap<&'static str, Vec<Duration>>;

/// One of each.
async fn ask(store: &Store, runs: u64, round: u64, times: &mut Times) {
    // Spread over the whole history.
    let at = runs * (2 * round + 1) / (2 * ROUNDS);
    let id = RunId(number(RUN, at));
    timed(times, "run.get", store.runs.get(id)).await.unwrap();
    for (what, filter) in filters(at) {
        let page = store.runs.list(filter, PageAt::default());
        timed(times, what, page).await.unwrap();
    }
    let newest = store.events.latest().await.unwrap().unwrap();
    let all = EventFilter::default();
    let recent = store.events.after(Some(newest), all, 100);
    timed(times, "events.watch, from now", recent)
        .await
        .unwrap();
    let of_run = EventFilter {
        run: Some(id),
        ..all
    };
    let of_run = store.events.after(None, of_run, 100);
    timed(times, "events of a run", of_run).await.unwrap();
    let project = EventFilter {
        project: Some(ProjectId(number(PROJECT, at % 20))),
        ..all
    };
    let project = store.events.after(None, project, 100);
    timed(times, "events of a project, from the first", project)
        .await
        .unwrap();
    timed(times, "delegate", store.runs.accept(made::run()))
        .await
        .unwrap();
    let claim = store.runs.claim(HubId(mint()), 1, LEASE_MS);
    let mut claimed = timed(times, "claim", claim).await.unwrap();
    let held = claimed.pop().unwrap();
    let end = store.runs.finish(held.lease, made::success());
    timed(times, "finish", end).await.unwrap();
}

fn filters(at: u64) -> [(&'static str, RunFilter); 6] {
    let none = RunFilter::default();
    [
        ("run.list", none.clone()),
        (
            "run.list, succeeded",
            RunFilter {
                state: Some(RunState::Succeeded),
                ..none.clone()
            },
        ),
        (
            "run.list, queued",
            RunFilter {
                state: Some(RunState::Queued),
                ..none.clone()
            },
        ),
        (
            "run.list, of a project",
            RunFilter {
                project: Some(ProjectId(number(PROJECT, at % 20))),
                ..none.clone()
            },
        ),
        (
            "run.list, of an instance",
            RunFilter {
                instance: Some(InstanceId(number(INSTANCE, at % 20))),
                ..none.clone()
            },
        ),
        (
            "run.list, with a label",
            RunFilter {
                label: Some(format!("label-{}", at % 20)),
                ..none
            },
        ),
    ]
}

async fn timed<T>(times: &mut Times, what: &'static str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    times.entry(what).or_default().push(begun.elapsed());
    done
}

const SESSION: u64 = 1;
const RUN: u64 = 2;
const PROJECT: u64 = 3;
const INSTANCE: u64 = 4;

/// An id that both this program and the databases can reckon.
fn number(noun: u64, n: u64) -> Uuid {
    Uuid::from_u64_pair(noun, n)
}

/// A store with so many finished runs, ten to a session.
async fn filled(kind: Kind, runs: u64, per_run: u64) -> Database {
    let database = Database::new(kind).await;
    let store = database.open().await;
    // The class that they stand in, and one run as the store writes it.
    store.runs.accept(made::run()).await.unwrap();
    let held = store.runs.claim(HubId(mint()), 1, LEASE_MS).await.unwrap();
    let end = made::success();
    store.runs.finish(held[0].lease, end).await.unwrap();
    store.closer.close().await;
    let script = match kind {
        Kind::Sqlite => format!(
            "BEGIN; CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<{}) SELECT i FROM n; {} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
            runs - 1,
            rows(per_run, |noun, n| format!(
                "unhex(format('%016x%016x',{noun},{n}))"
            ))
        ),
        Kind::Postgres => format!(
            "BEGIN; CREATE TEMP TABLE n AS SELECT i FROM generate_series(0,{}) AS s(i); {} COMMIT;",
            runs - 1,
            rows(per_run, |noun, n| format!(
                "CAST(lpad(to_hex({noun}),16,'0')||lpad(to_hex(CAST({n} AS BIGINT)),16,'0') AS UUID)"
            ))
        ),
    };
    raw(&database, &script).await;
    if kind == Kind::Postgres {
        raw(&database, "VACUUM ANALYZE").await;
    }
    database
}

/// The same for both, but for how an id is written.
fn rows(per_run: u64, id: impl Fn(u64, &str) -> String) -> String {
    let (session, run) = (id(SESSION, "i/10"), id(RUN, "i"));
    let (project, instance) = (id(PROJECT, "i%20"), id(INSTANCE, "i%20"));
    let class = "(SELECT min(class_key) FROM class)";
    let text = "x".repeat(200);
    let at = "(1700000000000+i*100)";
    format!(
        "CREATE TEMP TABLE e AS SELECT i AS e FROM n WHERE i<{per_run}; \
         INSERT INTO session(id,agent,class_key,cwd,next_seq) SELECT DISTINCT {session},'agent-0',{class},'/somewhere',11 FROM n; \
         INSERT INTO run(id,session,seq,class_key,state,attempt,event_seq,created_at,started_at,ended_at,instance,project,label,lane,mode,prompt) \
         SELECT {run},{session},i%10+1,{class},CASE i%10 WHEN 0 THEN 'failed' WHEN 1 THEN 'cancelled' ELSE 'succeeded' END,1,{per_run}, \
         {at},{at}+10,{at}+90,{instance},{project},'label-'||(i%20),'default','auto','{text}' FROM n ORDER BY i; \
         INSERT INTO attempt(run,n,fence,holder,outcome,started_at,ended_at) SELECT {run},1,i%10+1,{run},'succeeded',{at}+10,{at}+90 FROM n; \
         INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
         SELECT {at}+e.e,{run},e.e+1,{project},{instance},CASE e.e WHEN 0 THEN 'accepted' ELSE 'message' END,'{{\"text\":\"{text}\"}}' \
         FROM n CROSS JOIN e ORDER BY n.i,e.e; DROP TABLE n; DROP TABLE e;"
    )
}

async fn raw(database: &Database, script: &str) {
    let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
    match database {
        Database::Sqlite(_) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database.file());
            let mut connection = options.connect().await.unwrap();
            script.execute(&mut connection).await.unwrap();
        }
        Database::Postgres { .. } => {
            let options = sqlx::postgres::PgConnectOptions::from_str(&database.url()).unwrap();
            let mut connection = options.connect().await.unwrap();
            script.execute(&mut connection).await.unwrap();
        }
    }
}

/// In bytes, indexes included.
async fn size(database: &Database) -> u64 {
    match database {
        Database::Sqlite(_) => std::fs::metadata(database.file()).unwrap().len(),
        Database::Postgres { .. } => {
            let options = sqlx::postgres::PgConnectOptions::from_str(&database.url()).unwrap();
            let mut connection = options.connect().await.unwrap();
            let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            u64::try_from(size).unwrap()
        }
    }
}
