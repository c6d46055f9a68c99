//! `schedule.*`: delegations by the calendar, and the task that makes them when their time has come.

mod timer;

use super::{
    peers::PeerRef,
    rights::{person_only, to_the_end},
    run::RunDesk,
};
use crate::{
    api::{
        run::Delegate,
        schedule::{
            ScheduleApiServer, ScheduleCreate, ScheduleFire, ScheduleList, ScheduleName,
            ScheduleUpdate,
        },
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::ScheduleId,
        page::Page,
        run::Run,
        schedule::{Allowance, Calendar, MOST_MISSED, Overlap, SOME_MISSED, Schedule, Work},
        spent::Budget,
        time::Timestamp,
    },
    stdx::{clock, mint},
    store::{Occasion, PageAt, StoreError},
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::sync::Arc;
use tokio::sync::Notify;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// Longest key of a person's, in bytes: the schedule's is before it.
const LONGEST_KEY: usize = 200;

/// Serves `schedule.*`. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleDesk {
    runs: RunDesk,
    /// Told when a next time may have changed.
    changed: Arc<Notify>,
}

impl ScheduleDesk {
    /// A desk; [`ScheduleDesk::start`] lets its schedules fire.
    pub(crate) fn new(runs: RunDesk) -> Self {
        Self {
            runs,
            changed: Arc::default(),
        }
    }

    async fn find(&self, named: &str) -> Result<Schedule, Fault> {
        let schedules = &self.runs.store.schedules;
        let found = match named.parse::<ScheduleId>() {
            Ok(id) => schedules.get(id).await,
            Err(_) => schedules.by_name(named).await,
        };
        match found {
            Err(StoreError::NotFound { .. }) => {
                let all = PageAt {
                    cursor: None,
                    limit: 200,
                };
                let known = schedules.list(all).await?.items;
                let names = known.iter().map(|schedule| schedule.name.as_str());
                let list = "schedule list";
                Err(Fault::not_found_among("schedule", named, names, list).field("schedule"))
            }
            found => Ok(found?),
        }
    }

    async fn made(
        &self,
        params: ScheduleCreate,
        peer: Option<&PeerRef>,
    ) -> Result<Schedule, Fault> {
        let zone = params.zone.as_deref().unwrap_or("UTC");
        let calendar = Calendar::new(&params.cron, zone)?;
        let next = next_of(&calendar)?;
        let mut work = Work {
            prompt: params.prompt,
            instance: params.instance,
            project: params.project,
            persona: params.persona,
            agent: params.agent,
            mode: params.mode,
            isolation: params.isolation,
            timeout_ms: params.timeout_ms,
            budget: params.budget.filter(|budget| *budget != Budget::default()),
        };
        let place = self.runs.rehearse(&asked(&work), peer).await?;
        work.project = place.or(work.project);
        let schedule = Schedule {
            id: mint().into(),
            name: named(params.name)?,
            cron: params.cron.trim().to_owned(),
            zone: calendar.zone(),
            work,
            overlap: params.overlap,
            misfire: params.misfire,
            misfire_max: most(params.misfire_max.unwrap_or(SOME_MISSED))?,
            allowance: bound(params.allowance)?,
            used: None,
            active: true,
            next_at: Some(next),
            last_at: None,
            last_run: None,
            next_times: Vec::new(),
            disabled_reason: None,
            last_error: None,
            created_at: now(),
        };
        self.runs.store.schedules.insert(schedule.clone()).await?;
        Ok(schedule)
    }

    async fn changed(&self, params: ScheduleUpdate) -> Result<Schedule, Fault> {
        let mut schedule = self.find(&params.schedule).await?;
        if let Some(name) = params.name {
            schedule.name = named(name)?;
        }
        let asks_anew = params.prompt.is_some() || params.budget.is_some();
        schedule.work.prompt = params.prompt.unwrap_or(schedule.work.prompt);
        if let Some(budget) = params.budget {
            schedule.work.budget = Some(budget).filter(|budget| *budget != Budget::default());
        }
        if asks_anew {
            self.runs.rehearse(&asked(&schedule.work), None).await?;
        }
        if params.allowance.is_some() {
            schedule.allowance = bound(params.allowance)?;
        }
        schedule.overlap = params.overlap.unwrap_or(schedule.overlap);
        schedule.misfire = params.misfire.unwrap_or(schedule.misfire);
        schedule.misfire_max = most(params.misfire_max.unwrap_or(schedule.misfire_max))?;
        let moved = params.cron.is_some() || params.zone.is_some();
        schedule.cron = params.cron.unwrap_or(schedule.cron);
        schedule.zone = params.zone.unwrap_or(schedule.zone);
        let calendar = schedule.calendar()?;
        schedule.zone = calendar.zone();
        let active = params.active.unwrap_or(schedule.active);
        if !active {
            schedule.next_at = None;
        } else if moved || !schedule.active {
            schedule.next_at = Some(next_of(&calendar)?);
        }
        if active || params.active.is_some() {
            schedule.disabled_reason = None;
        }
        self.runs.store.schedules.update(schedule.clone()).await?;
        self.find(&schedule.id.to_string()).await
    }

    async fn begun(&self, params: ScheduleFire) -> Result<Run, Fault> {
        let schedule = self.find(&params.schedule).await?;
        let mut delegate = self.delegate(&schedule).await?;
        if let Some(key) = params.idempotency_key {
            if key.is_empty() || key.len() > LONGEST_KEY {
                let detail = format!("must have 1 to {LONGEST_KEY} bytes");
                return Err(Fault::invalid("idempotency_key", detail));
            }
            delegate.idempotency_key = Some(format!("schedule/{}/{key}", schedule.id));
        }
        let occasion = Occasion {
            schedule: schedule.id,
            tick: None,
            overlap: schedule.overlap,
            since: schedule.period_of(now()),
        };
        self.runs.begin_for(delegate, occasion).await
    }

    /// What it asks for now.
    async fn delegate(&self, schedule: &Schedule) -> Result<Delegate, Fault> {
        let session = match schedule.overlap {
            Overlap::Queue => self.runs.store.schedules.session(schedule.id).await?,
            Overlap::Skip | Overlap::Parallel => None,
        };
        Ok(Delegate {
            session,
            label: Some(schedule.name.clone()),
            ..asked(&schedule.work)
        })
    }
}

fn now() -> Timestamp {
    Timestamp(clock::now_ms())
}

fn next_of(calendar: &Calendar) -> Result<Timestamp, Fault> {
    calendar.after(now()).ok_or_else(|| {
        Fault::invalid("cron", "has no time to come").hint("that day does not exist")
    })
}

fn most(misfire_max: u32) -> Result<u32, Fault> {
    if (1..=MOST_MISSED).contains(&misfire_max) {
        return Ok(misfire_max);
    }
    Err(Fault::invalid(
        "misfire_max",
        format!("must be 1 to {MOST_MISSED}"),
    ))
}

/// One that bounds nothing is none.
fn bound(allowance: Option<Allowance>) -> Result<Option<Allowance>, Fault> {
    let Some(allowance) = allowance else {
        return Ok(None);
    };
    allowance.check()?;
    Ok(Some(allowance).filter(|allowance| !allowance.is_empty()))
}

fn named(name: String) -> Result<String, Fault> {
    if name.trim().is_empty() {
        return Err(Fault::required("name"));
    }
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) || name.trim() != name {
        let detail = format!("must be at most {LONGEST_NAME} bytes of plain text");
        return Err(Fault::invalid("name", detail));
    }
    if name.parse::<ScheduleId>().is_ok() {
        return Err(Fault::invalid("name", "looks like an id"));
    }
    Ok(name)
}

fn asked(work: &Work) -> Delegate {
    Delegate {
        prompt: work.prompt.clone(),
        instance: work.instance.clone(),
        project: work.project.clone(),
        persona: work.persona.clone(),
        agent: work.agent.clone(),
        mode: work.mode,
        isolation: work.isolation,
        timeout_ms: work.timeout_ms,
        budget: work.budget,
        ..Delegate::default()
    }
}

#[async_trait]
impl ScheduleApiServer for ScheduleDesk {
    async fn list(&self, params: ScheduleList) -> Result<Page<Schedule>, Fault> {
        let at = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or(0),
        };
        let page = self.runs.store.schedules.list(at).await?;
        Ok(page.map(Schedule::shown))
    }

    async fn get(&self, params: ScheduleName) -> Result<Schedule, Fault> {
        let mut schedule = self.find(&params.schedule).await?;
        if let Some(since) = schedule.period_of(now()) {
            let used = self.runs.store.schedules.used(schedule.id, since).await?;
            schedule.used = Some(used);
        }
        Ok(schedule.shown())
    }

    async fn create(&self, ext: &Extensions, params: ScheduleCreate) -> Result<Schedule, Fault> {
        person_only(ext)?;
        let (desk, peer) = (self.clone(), ext.get::<PeerRef>().cloned());
        let made = to_the_end(async move { desk.made(params, peer.as_ref()).await }).await?;
        self.changed.notify_one();
        Ok(made.shown())
    }

    async fn update(&self, ext: &Extensions, params: ScheduleUpdate) -> Result<Schedule, Fault> {
        person_only(ext)?;
        let schedule = self.changed(params).await?;
        self.changed.notify_one();
        Ok(schedule.shown())
    }

    async fn delete(&self, ext: &Extensions, params: ScheduleName) -> Result<Schedule, Fault> {
        person_only(ext)?;
        let schedule = self.find(&params.schedule).await?;
        self.runs.store.schedules.delete(schedule.id).await?;
        self.changed.notify_one();
        Ok(schedule)
    }

    async fn fire(&self, ext: &Extensions, params: ScheduleFire) -> Result<Run, Fault> {
        person_only(ext)?;
        if self.runs.ending.draining() {
            return Err(Fault::new(
                ErrorKind::Busy,
                "the hub takes no new work: it is about to end",
            )
            .hint("try again in a moment"));
        }
        let desk = self.clone();
        to_the_end(async move { desk.begun(params).await }).await
    }
}
