//! The scripted hub's schedules: one is there, and what is asked of it is noted.

use super::fake::{self, Hub};
use eyas::{
    api::schedule::{
        ScheduleApiServer, ScheduleCreate, ScheduleFire, ScheduleList, ScheduleName, ScheduleUpdate,
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::ScheduleId,
        page::Page,
        run::Run,
        schedule::{Misfire, Overlap, Schedule, Work},
        time::Timestamp,
    },
    stdx,
};
use jsonrpsee::{Extensions, core::async_trait};

fn schedule(name: &str, prompt: &str) -> Schedule {
    Schedule {
        id: ScheduleId(stdx::mint()),
        name: name.to_owned(),
        cron: "30 3 * * *".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        work: Work {
            prompt: prompt.to_owned(),
            ..Work::default()
        },
        overlap: Overlap::Skip,
        misfire: Misfire::Once,
        misfire_max: 10,
        active: true,
        next_at: Some(Timestamp(1_800_000_000_000)),
        last_at: None,
        last_run: None,
        next_times: vec![Timestamp(1_800_000_000_000), Timestamp(1_800_086_400_000)],
        disabled_reason: None,
        allowance: None,
        used: None,
        last_error: None,
        created_at: Timestamp(1_700_000_000_000),
    }
}

fn known(name: &str) -> Result<Schedule, Fault> {
    match name {
        "nightly" => Ok(schedule(name, &"x".repeat(10_000))),
        "mine" => Err(Fault::new(ErrorKind::Forbidden, "only a person does that")),
        _ => Err(
            Fault::not_found_among("schedule", name, ["nightly"], "schedule list")
                .field("schedule"),
        ),
    }
}

#[async_trait]
impl ScheduleApiServer for Hub {
    async fn list(&self, params: ScheduleList) -> Result<Page<Schedule>, Fault> {
        self.note("schedule.list", &params);
        Ok(Page {
            items: vec![known("nightly")?],
            next_cursor: None,
        })
    }

    async fn get(&self, params: ScheduleName) -> Result<Schedule, Fault> {
        known(&params.schedule)
    }

    async fn create(&self, _: &Extensions, params: ScheduleCreate) -> Result<Schedule, Fault> {
        self.note("schedule.create", &params);
        Ok(schedule(&params.name, &params.prompt))
    }

    async fn update(&self, _: &Extensions, params: ScheduleUpdate) -> Result<Schedule, Fault> {
        self.note("schedule.update", &params);
        let mut found = known(&params.schedule)?;
        if params.active == Some(false) {
            found.active = false;
            found.next_at = None;
            found.next_times.clear();
        }
        Ok(found)
    }

    async fn delete(&self, _: &Extensions, params: ScheduleName) -> Result<Schedule, Fault> {
        self.note("schedule.delete", &params);
        known(&params.schedule)
    }

    async fn fire(&self, _: &Extensions, params: ScheduleFire) -> Result<Run, Fault> {
        self.note("schedule.fire", &params);
        let found = known(&params.schedule)?;
        let mut run = fake::run("fired");
        run.label = Some(found.name);
        self.put(run.clone());
        Ok(run)
    }
}
