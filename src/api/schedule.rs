//! `schedule.*`: delegations that are made again and again, by the calendar.

use crate::domain::{
    fault::Fault,
    page::Page,
    run::{Mode, Run},
    schedule::{Allowance, Misfire, Overlap, Schedule},
    spent::Budget,
    worktree::Isolation,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A schedule by name or id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleName {
    /// Name or id.
    pub schedule: String,
}

/// Which page of schedules; by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleList {
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A new schedule. Names are looked up at each of its times.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleCreate {
    /// Unique; also the label of its runs.
    pub name: String,
    /// Minute, hour, day of the month, month, weekday; or a form such as `@daily`.
    pub cron: String,
    /// IANA time zone; UTC otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is to be done, complete in itself.
    pub prompt: String,
    /// Instance by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Project by name, id or path; without an instance the caller's directory otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Persona id, without an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Agent id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// As for a delegation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// As for a delegation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Wall time of each run, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// What each run may use up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// What all of them may use up together in a day, a week or a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// While a run of it is open: skip begins none, queue lets the next wait, parallel works beside it.
    #[serde(default)]
    pub overlap: Overlap,
    /// For times when no hub was there: once begins one run for all, skip none, all one for each of the last.
    #[serde(default)]
    pub misfire: Misfire,
    /// How many of them, for all: 1 to 100; 10 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire_max: Option<u32>,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleUpdate {
    /// Name or id.
    pub schedule: String,
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Minute, hour, day of the month, month, weekday; or a form such as `@daily`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What each run may use up, in place of what was set; without any bound it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// What all of them may use up together, in place of what was set; without any bound it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// While a run of it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// For times when no hub was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire: Option<Misfire>,
    /// How many of them, for all: 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfire_max: Option<u32>,
    /// Whether its times count; from now on, when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// A schedule whose run is to begin now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleFire {
    /// Name or id.
    pub schedule: String,
    /// The same key gives the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Verbs on schedules. To change one is a person's alone.
#[rpc(server, client, namespace = "schedule", namespace_separator = ".")]
pub trait ScheduleApi {
    /// By name.
    #[method(name = "list")]
    async fn list(&self, params: ScheduleList) -> Result<Page<Schedule>, Fault>;
    /// One of them, with what it has used up of its allowance.
    #[method(name = "get")]
    async fn get(&self, params: ScheduleName) -> Result<Schedule, Fault>;
    /// A new one, active at once. One without any time to come is refused.
    #[method(name = "create", with_extensions)]
    async fn create(&self, params: ScheduleCreate) -> Result<Schedule, Fault>;
    /// Changes it.
    #[method(name = "update", with_extensions)]
    async fn update(&self, params: ScheduleUpdate) -> Result<Schedule, Fault>;
    /// Removes it; its runs stay.
    #[method(name = "delete", with_extensions)]
    async fn delete(&self, params: ScheduleName) -> Result<Schedule, Fault>;
    /// Begins a run now, beside its times. `busy` while one is open and its overlap is skip, `budget_reached` once its allowance is used up.
    #[method(name = "fire", with_extensions)]
    async fn fire(&self, params: ScheduleFire) -> Result<Run, Fault>;
}
