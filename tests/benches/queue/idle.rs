//! What a hub costs that has nothing to do.

use crate::{
    database::{Database, Kind},
    home::Home,
    run,
    table::row,
};
use serde_json::json;
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use std::{
    fs,
    str::FromStr as _,
    thread,
    time::{Duration, Instant},
};

const SPAN: Duration = Duration::from_secs(30);
/// Of `/proc/<pid>/stat`, on every Linux that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn bench() {
    for kind in Kind::all() {
        match kind {
            Kind::Sqlite => {
                idle(Home::new(), kind, || 0.0);
            }
            Kind::Postgres => on_a_server(),
        }
    }
}

/// Beside what its processor has to do, what its server has.
fn on_a_server() {
    let database = run(Database::new(Kind::Postgres));
    let asked = || run(transactions(&database.url()));
    let (transactions, span) = idle(Home::on(database.url()), Kind::Postgres, asked);
    row(
        "PostgreSQL: transactions of an idle hub, a second",
        format!("{:.2}", transactions / span.as_secs_f64()),
        "<= 1",
    );
}

/// Those that have ended in the database, this one not among them.
async fn transactions(url: &str) -> f64 {
    let options = PgConnectOptions::from_str(url).unwrap();
    let mut connection: PgConnection = options.connect().await.unwrap();
    // What others did is told a little later.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended: i64 = sqlx::query_scalar(
        "SELECT xact_commit+xact_rollback FROM pg_stat_database WHERE datname=current_database()",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    #[allow(clippy::cast_precision_loss, reason = "they are few")]
    let ended = ended as f64;
    ended
}

/// Prints what processor time an idle hub takes; answers by how much a count went on, and in what time.
fn idle(home: Home, kind: Kind, count: impl Fn() -> f64) -> (f64, Duration) {
    let mut rpc = home.rpc();
    // Everything that begins once has begun.
    rpc.delegate(
        &json!({"prompt": "instant", "agent": "embedded", "project": home.project("idle")}),
    );
    let hub = home.hub_pid();
    let counted = count();
    let (begun, before) = (Instant::now(), ticks(hub));
    thread::sleep(SPAN);
    let counted = count() - counted;
    let span = begun.elapsed();
    let used = (ticks(hub) - before) / TICKS_PER_SECOND / span.as_secs_f64();
    row(
        &format!("{}: an idle hub, of a core", kind.name()),
        format!("{:.3} % = {:.2} x 0.2 %", used * 100.0, used / 0.002),
        "<= 1 x",
    );
    drop(rpc);
    home.stop();
    (counted, span)
}

/// Processor time of all its threads, in the kernel and out of it.
fn ticks(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may hold anything, in brackets.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next().unwrap().parse::<f64>().unwrap();
    next() + next()
}
