//! A hub that kills itself at the commits of inputs and of ticks, just before and just after: what was answered is there, and nothing happens twice.

use super::{
    keep::Keep,
    kit::{Face, Job, is_over, summary},
};
use crate::hub::nest::{kill, until};
use eyas::{
    domain::{
        event::{Event, EventKind},
        schedule::Schedule,
        time::Timestamp,
    },
    stdx::clock,
    store::{
        EventFilter, Store,
        sql::{self, Settings},
    },
};
use serde_json::{Value, json};
use std::{os::unix::process::ExitStatusExt as _, process::Child};

const SIGKILL: i32 = 9;

/// A hub that dies at this commit, and by nothing else.
struct Doomed(Child);

impl Doomed {
    fn start(job: &Job, death: &str) -> Self {
        let mut command = job.nest.eyas(&["hub", "run"]);
        Self(command.env("EYAS_TEST_DEATH", death).spawn().unwrap())
    }

    fn listens(&mut self, job: &Job) {
        let pid = self.0.id();
        until("a hub that listens", || {
            let here = job.nest.endpoint();
            here.is_some_and(|here| here.pid == pid).then_some(())
        });
    }

    fn dies(&mut self, death: &str) {
        let status = until(death, || self.0.try_wait().unwrap());
        assert_eq!(status.signal(), Some(SIGKILL), "{death}: {status}");
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            kill(self.0.id());
            self.0.wait().unwrap();
        }
    }
}

fn is_sound(job: &Job) {
    let seen = Keep::new().look(job);
    seen.expect("a database").is_sound();
}

fn over(rpc: &mut Face, id: &Value) -> Value {
    let params = json!({"id": id, "wait_ms": 20_000});
    until("the end of the run", || {
        let run = rpc.result("run.wait", &params);
        is_over(&run).then_some(run)
    })
}

/// The input is answered under its key, put to the agent by the attempt that ends the run, and is there once.
fn an_input_survives(death: &str) {
    let job = Job::new();
    let mut doomed = Doomed::start(&job, death);
    doomed.listens(&job);
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let asked = json!({"prompt": "!say one.\n!sleep 1500", "project": project});
    let run = rpc.result("run.delegate", &asked);
    let id = run["id"].clone();
    let said = json!({"id": id, "message": "!say two.", "idempotency_key": "k"});
    let first = rpc.send("run.input", &said);
    doomed.dies(death);
    let answer = rpc.answer(first);
    rpc.kill();
    job.nothing_is_left();
    is_sound(&job);

    let mut rpc = job.rpc();
    let again = rpc.result("run.input", &said);
    assert_eq!(again["id"], id, "{death}: {again}");
    assert_eq!(again["delivery"]["seq"], 1, "{death}: {again}");
    if answer["result"].is_object() {
        assert_eq!(again["duplicate"], true, "{death}: it was answered");
    }
    let ended = over(&mut rpc, &id);
    assert_eq!(ended["state"], "succeeded", "{death}: {ended}");
    // A new process is told the conversation from its beginning, where its turn had not ended in order.
    assert!(summary(&ended).ends_with("two."), "{death}: {ended}");
    assert_eq!(ended["attempt"], 2, "{death}: one was lost");
    let interaction = rpc.result("run.interaction", &json!({"id": id}));
    assert_eq!(interaction["pending_inputs"], json!([]), "{death}");
    let page = rpc.result("run.events", &json!({"id": id, "limit": 200}));
    let inputs = page["items"].as_array().unwrap().iter();
    let inputs: Vec<_> = inputs.filter(|event| event["kind"] == "input").collect();
    let of = |state: &str| {
        let wanted = inputs.iter().filter(|one| one["data"]["state"] == state);
        wanted
            .map(|one| one["data"]["again"] == true)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("pending").len(), 1, "{death}: {inputs:?}");
    let delivered = of("delivered");
    assert!(
        !delivered.is_empty() && !delivered[0],
        "{death}: {inputs:?}"
    );
    assert!(
        delivered[1..].iter().all(|again| *again),
        "{death}: {inputs:?}"
    );
    rpc.close();
    job.kill_hub();
    is_sound(&job);
}

#[test]
fn an_input_that_is_accepted() {
    an_input_survives("before Say 1");
    an_input_survives("after Say 1");
}

#[test]
fn an_input_that_is_put() {
    an_input_survives("before Take 1");
    an_input_survives("after Take 1");
}

#[test]
fn an_input_whose_turn_has_ended() {
    an_input_survives("before End 1");
}

async fn opened(job: &Job) -> Store {
    let path = job.nest.settings().database;
    sql::open_sqlite(&path, Settings::default()).await.unwrap()
}

/// Uses the store while no hub is there.
fn by_hand<T>(job: &Job, what: impl AsyncFnOnce(&Store) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = opened(job).await;
        let done = what(&store).await;
        store.closer.close().await;
        done
    })
}

/// A schedule one of whose ticks is due, and no hub.
fn due(job: &Job, folder: &str) -> Value {
    let mut rpc = job.rpc();
    let made = rpc.result(
        "schedule.create",
        &json!({"name": "due", "cron": "@yearly", "prompt": "!say done", "project": folder}),
    );
    rpc.close();
    job.kill_hub();
    by_hand(job, async |store| {
        let found = store.schedules.by_name("due").await.unwrap();
        let past = Schedule {
            next_at: Some(Timestamp(clock::now_ms() - 10_000)),
            ..found
        };
        store.schedules.update(past).await.unwrap();
    });
    made
}

fn told(job: &Job, kind: EventKind) -> Vec<Event> {
    by_hand(job, async |store| {
        let all = EventFilter::default();
        let mut events = store.events.after(None, all, 1_000).await.unwrap();
        events.retain(|event| event.kind == kind);
        events
    })
}

fn a_tick_survives(death: &str) {
    let job = Job::new();
    let made = due(&job, job.project.to_str().unwrap());
    Doomed::start(&job, death).dies(death);
    job.nothing_is_left();
    is_sound(&job);
    let mut rpc = job.rpc();
    let named = json!({"schedule": "due"});
    let after = until("its run", || {
        let found = rpc.result("schedule.get", &named);
        found["last_run"].is_string().then_some(found)
    });
    assert_eq!(after["next_at"], made["next_at"], "{death}: {after}");
    let ended = over(&mut rpc, &after["last_run"]);
    assert_eq!(summary(&ended), "done", "{death}: {ended}");
    let runs = rpc.result("run.list", &json!({"label": "due"}));
    assert_eq!(
        runs["items"].as_array().unwrap().len(),
        1,
        "{death}: {runs}"
    );
    rpc.close();
    job.kill_hub();
    assert_eq!(told(&job, EventKind::ScheduleFired).len(), 1, "{death}");
    is_sound(&job);
}

#[test]
fn a_tick_that_begins_a_run() {
    a_tick_survives("before Accept 1");
    a_tick_survives("after Accept 1");
}

fn a_tick_without_a_run_survives(death: &str) {
    let job = Job::new();
    let folder = job.folder("elsewhere");
    let made = due(&job, folder.to_str().unwrap());
    std::fs::remove_dir(&folder).unwrap();
    Doomed::start(&job, death).dies(death);
    job.nothing_is_left();
    let mut rpc = job.rpc();
    let named = json!({"schedule": "due"});
    let after = until("what became of it", || {
        let found = rpc.result("schedule.get", &named);
        found["last_error"].is_string().then_some(found)
    });
    assert_eq!(after["next_at"], made["next_at"], "{death}: {after}");
    assert!(after.get("last_run").is_none(), "{death}: {after}");
    rpc.close();
    job.kill_hub();
    assert_eq!(told(&job, EventKind::ScheduleSkipped).len(), 1, "{death}");
    is_sound(&job);
}

#[test]
fn a_tick_that_begins_none() {
    a_tick_without_a_run_survives("before Pass 1");
    a_tick_without_a_run_survives("after Pass 1");
}
