//! The task that waits for the next time of all. It asks the store when that comes, when a schedule of this hub changes, and now and then:
//! another hub may have died, or the clock may have been set.

use super::{ScheduleDesk, now};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        schedule::{Due, Schedule, Tick, due},
    },
    store::Occasion,
};
use std::time::Duration;

/// A look without being told.
const LOOK: Duration = Duration::from_secs(10);
/// Never sooner than this after a look.
const LEAST: Duration = Duration::from_millis(20);

impl ScheduleDesk {
    /// Fires what is due, from now until the hub ends.
    pub(crate) fn start(self) {
        tokio::spawn(async move {
            let begun = self.runs.ending.begun().clone();
            let work = async {
                loop {
                    let pause = self.look().await.unwrap_or_else(|fault| {
                        tracing::warn!(%fault, "schedules were not looked at");
                        LOOK
                    });
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.changed.notified() => {}
                    }
                }
            };
            tokio::select! {
                () = work => {}
                () = begun.cancelled() => {}
            }
        });
    }

    /// Deals with what is due; answers how long nothing will be.
    async fn look(&self) -> Result<Duration, Fault> {
        if self.runs.ending.draining() {
            return Ok(LOOK);
        }
        let schedules = &self.runs.store.schedules;
        // Most looks find that nothing is due, and need no more than that.
        let left = match self.left().await? {
            Some(0) => {
                for schedule in schedules.due(now()).await? {
                    self.serve(&schedule).await?;
                }
                self.left().await?
            }
            left => left,
        };
        let left = left.map_or(LOOK, Duration::from_millis);
        Ok(left.clamp(LEAST, LOOK))
    }

    /// Milliseconds until the next time of all, if there is one.
    async fn left(&self) -> Result<Option<u64>, Fault> {
        let next = self.runs.store.schedules.next().await?;
        Ok(next.map(|next| u64::try_from(next.since_ms(now())).unwrap_or(0)))
    }

    async fn serve(&self, schedule: &Schedule) -> Result<(), Fault> {
        let Some(pending) = schedule.next_at else {
            return Ok(());
        };
        let calendar = match schedule.calendar() {
            Ok(calendar) => calendar,
            // Made by another version, which could read it.
            Err(fault) => return self.disable(schedule, fault.detail).await,
        };
        let policy = (schedule.misfire, schedule.misfire_max);
        for due in due(&calendar, policy, pending, now()) {
            match due {
                Due::Fire(tick) => self.fire_at(schedule, tick).await?,
                Due::Skip(tick) => {
                    let reason = "nobody was there in time".to_owned();
                    self.runs
                        .store
                        .schedules
                        .pass(schedule.id, tick, reason, false)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// What cannot be begun is passed over and said; only a store that does not answer is asked again.
    async fn fire_at(&self, schedule: &Schedule, tick: Tick) -> Result<(), Fault> {
        let occasion = Occasion {
            schedule: schedule.id,
            tick: Some(tick),
            overlap: schedule.overlap,
            // Of the moment at which it begins, which is what is written of it.
            since: schedule.period_of(now()),
        };
        let begun = match self.delegate(schedule).await {
            Ok(delegate) => self.runs.begin_for(delegate, occasion).await,
            Err(fault) => Err(fault),
        };
        match begun {
            Ok(run) => {
                tracing::info!(schedule = %schedule.name, run.id = %run.id, "a schedule has fired");
                Ok(())
            }
            Err(fault) if fault.kind == ErrorKind::DatabaseUnavailable => Err(fault),
            Err(fault) => {
                let failed = fault.kind != ErrorKind::Busy;
                if failed {
                    tracing::warn!(schedule = %schedule.name, %fault, "a schedule could not fire");
                }
                let schedules = &self.runs.store.schedules;
                schedules
                    .pass(schedule.id, tick, fault.detail, failed)
                    .await?;
                Ok(())
            }
        }
    }

    async fn disable(&self, schedule: &Schedule, reason: String) -> Result<(), Fault> {
        tracing::warn!(schedule = %schedule.name, reason, "a schedule was disabled");
        let disabled = Schedule {
            next_at: None,
            disabled_reason: Some(reason),
            ..schedule.clone()
        };
        Ok(self.runs.store.schedules.update(disabled).await?)
    }
}
