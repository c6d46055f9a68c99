//! Every hot statement finds its rows by index: what it costs does not grow with history.

use super::{
    super::{
        classes, events, inputs, log, requests, row, runs, schedules, settle,
        statement::Statement as _,
    },
    connect, file, schema,
};
use crate::{
    domain::{
        ids::{InstanceId, ProjectId, RunId},
        run::RunState,
    },
    stdx::mint,
    store::{EventFilter, RunFilter},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection};

async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().map(|row| row.3).collect()
}

/// Tables that grow with history, by the names they have in the statements.
const GROWING: [&str; 21] = [
    "run",
    "r",
    "p",
    "event",
    "attempt",
    "idempotency",
    "session",
    "s",
    "z",
    "a",
    "b",
    "outbox",
    "request",
    "occurrence",
    "o",
    "q",
    "c",
    "input",
    "i",
    "failure",
    "y",
];

fn scans(step: &str) -> bool {
    let mut words = step.split(' ');
    // A scan of a partial index walks only the rows in it: what is open, held, or due.
    let partial = [
        "session_ready",
        "session_wake",
        "session_active",
        "session_waiting",
        "run_open",
        "run_deadline",
        "run_worktree",
        "request_open",
        "request_left",
        "event_beside",
        "class_judged",
    ];
    words.next() == Some("SCAN")
        && words.next().is_some_and(|table| GROWING.contains(&table))
        && !partial
            .iter()
            .any(|index| step.ends_with(index) || step.contains(&format!("{index} ")))
}

#[allow(clippy::too_many_lines, reason = "it is a list")]
fn statements() -> Vec<String> {
    let fixed = [
        runs::accept::KEY,
        runs::accept::KEY_SEEN,
        runs::accept::WRITE,
        runs::accept::PARENT,
        log::INSERT,
        log::INSERT_ALL,
        runs::claim::PICK.sqlite,
        runs::claim::LEASE.sqlite,
        runs::claim::LEASE_BEYOND.sqlite,
        runs::overflow::ROOM,
        runs::overflow::CROWDS,
        runs::overflow::FIRST,
        runs::claim::START,
        runs::renew::RENEW,
        runs::append::STEP.sqlite,
        runs::append::NOTE,
        runs::append::CONVERSATION,
        classes::BLAME,
        classes::CLASS_OF,
        classes::FORGET,
        classes::MAKE_GOOD,
        classes::AGAINST,
        classes::JUDGED,
        classes::WAITS,
        classes::DUE,
        classes::LIST,
        settle::END,
        settle::END_ATTEMPT,
        settle::FOLLOW.sqlite,
        runs::back::BACK,
        runs::back::LEAVE,
        runs::release::WAITS,
        runs::release::WAKE,
        runs::cancel::FIND,
        runs::cancel::ASK,
        runs::cancel::ASKED,
        runs::renew::OVERDUE,
        runs::recover::HELD,
        runs::prune::OLD,
        runs::prune::BESIDE,
        runs::prune::EVENTS,
        runs::prune::ATTEMPTS,
        runs::prune::REQUESTS,
        runs::prune::INPUTS,
        runs::prune::RUN,
        runs::prune::SESSION,
        runs::sweep::NEXT,
        runs::sweep::LATE,
        runs::sweep::PROMOTE,
        runs::read::GET,
        runs::read::ATTEMPTS,
        runs::read::OPEN,
        runs::read::OPEN_IN,
        row::SESSION,
        runs::tree::CHILDREN,
        runs::tree::TREE,
        runs::tree::ASKING,
        runs::sessions::SESSIONS,
        runs::worktree::SET,
        runs::worktree::LEFT,
        requests::open::HELD,
        requests::open::LEFT,
        requests::open::TAKE,
        requests::open::INSERT,
        requests::decide::DECIDE,
        requests::end::WITHDRAW,
        requests::end::NUMBERS,
        requests::end::LEAVE,
        requests::end::OVERDUE,
        requests::read::OF,
        requests::read::ONE,
        requests::state::WAIT,
        requests::state::WAITS,
        requests::state::TOLD,
        requests::state::GO_ON,
        schedules::DUE,
        schedules::NEXT,
        schedules::tick::OPEN,
        schedules::tick::OLD,
        schedules::used::ALLOWANCE,
        schedules::used::USED,
        events::LATEST,
        events::KEPT,
        inputs::accept::FIND,
        inputs::accept::KNOWN,
        inputs::accept::PLACE,
        inputs::accept::INSERT,
        inputs::accept::NUMBER,
        inputs::take::HELD,
        inputs::take::PROMPTED,
        inputs::take::ENDED,
        inputs::take::NEXT,
        inputs::take::DELIVER,
        inputs::take::CUT,
        inputs::end::WAITS,
        inputs::end::DROP,
        inputs::read::OF,
        inputs::read::PENDING,
        runs::extras::NAMED,
        runs::extras::NAME,
        runs::extras::HOOK,
        runs::trail::TRAIL,
        runs::archive::STATE,
        runs::archive::HIDE,
        runs::archive::SHOW,
    ];
    let each = fixed.into_iter().flat_map(|script| script.split("; "));
    each.map(str::to_owned).collect()
}

/// Every combination of filters.
fn lists() -> Vec<String> {
    let states = [None, Some(RunState::Queued), Some(RunState::Failed)];
    let mut all = Vec::new();
    for (bits, state) in (0..8).flat_map(|bits| states.map(|state| (bits, state))) {
        let project = (bits & 1 != 0).then(|| ProjectId(mint()));
        let instance = (bits & 2 != 0).then(|| InstanceId(mint()));
        let runs = runs::read::list_sql(&RunFilter {
            state,
            project,
            instance,
            label: (bits & 4 != 0).then(|| "label".to_owned()),
            archived: state.is_none(),
            here: bits & 1 != 0,
        });
        let events = events::after_sql(&EventFilter {
            run: (bits & 4 != 0).then(|| RunId(mint())),
            project,
            instance,
        });
        all.extend([runs, events].map(|page| page.for_sqlite().as_str().to_owned()));
    }
    all
}

#[tokio::test]
async fn no_hot_statement_scans_what_grows() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("eyas.db");
    file::prepare(&path).unwrap();
    schema::bring_up_to_date(&path).await.unwrap();
    let mut connection = connect::plain(&path).connect().await.unwrap();
    for sql in statements().iter().chain(&lists()) {
        let steps = plan(&mut connection, sql).await;
        let scan = steps.iter().find(|step| scans(step));
        assert!(scan.is_none(), "{sql}\n{steps:#?}");
    }
    for sql in lists() {
        let steps = plan(&mut connection, &sql).await;
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(
            !sorts,
            "a page must not sort the whole list: {sql}\n{steps:#?}"
        );
    }
    // The oracle itself: what has no index is caught.
    let blind = plan(&mut connection, "SELECT * FROM run r WHERE r.prompt=''").await;
    assert!(blind.iter().any(|step| scans(step)), "{blind:#?}");
}
