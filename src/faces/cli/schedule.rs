//! `eyas schedule …`.

use super::{
    args::one_of,
    context::{CliContext, heard},
    run::{PageArgs, more},
    table::{ago, details, one_line, span, table, word},
};
use crate::{
    api::schedule::{
        ScheduleApiClient, ScheduleCreate, ScheduleFire, ScheduleList, ScheduleName, ScheduleUpdate,
    },
    domain::{
        fault::Fault,
        schedule::{Allowance, Misfire, Overlap, Period, Schedule},
        spent::Budget,
        time::Timestamp,
    },
};
use clap::{Args, Subcommand};
use jsonrpsee::core::client::Client;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  eyas schedule create nightly \"30 3 * * *\" \"run the tests, report what fails\" --zone Europe/Berlin
  eyas schedule create standup \"0 9 * * mon-fri\" \"what changed since yesterday?\" --to rev
  eyas schedule create tidy @weekly \"look for dead code\" --misfire skip

A schedule fires while a hub is there, and an active one keeps the hub there.
A fixed time that daylight saving leaves out comes at the first moment after it; one that comes twice counts once.";

/// Verbs on schedules.
#[derive(Debug, Subcommand)]
pub enum ScheduleVerb {
    /// Schedules by name
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// One schedule, with its next five times
    Get {
        /// Its name or id
        schedule: String,
    },
    /// Delegate a prompt again and again, by the calendar
    #[command(after_help = EXAMPLES)]
    Create(Box<CreateArgs>),
    /// Change a schedule; what is not named stays
    Update(Box<UpdateArgs>),
    /// Let its times count again, from now on
    Enable {
        /// Its name or id
        schedule: String,
    },
    /// Let its times pass
    Disable {
        /// Its name or id
        schedule: String,
    },
    /// Remove a schedule; its runs stay
    Delete {
        /// Its name or id
        schedule: String,
    },
    /// Begin its run now, beside its times
    Fire {
        /// Its name or id
        schedule: String,
        /// The same key gives the same run
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// A new schedule.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Its name, and the label of its runs
    name: String,
    /// Minute, hour, day of the month, month, weekday; or @hourly, @daily, @weekly, @monthly, @yearly
    cron: String,
    /// What is to be done, complete in itself
    prompt: String,
    /// IANA time zone [default: UTC]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Instance, by name or id
    #[arg(long, value_name = "NAME", visible_alias = "instance")]
    to: Option<String>,
    /// Persona id, without an instance
    #[arg(long, value_name = "ID")]
    persona: Option<String>,
    /// Agent id
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Project by name, id or path [default: this folder]
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// End each run when it has taken so long
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    #[command(flatten)]
    costs: Costs,
    #[command(flatten)]
    policies: Policies,
}

/// What to change.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Its name or id
    schedule: String,
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    /// Minute, hour, day of the month, month, weekday; or a form such as @daily
    #[arg(long)]
    cron: Option<String>,
    /// IANA time zone
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What is to be done
    #[arg(long)]
    prompt: Option<String>,
    #[command(flatten)]
    costs: Costs,
    #[command(flatten)]
    policies: Policies,
}

/// What it may cost.
#[derive(Clone, Copy, Debug, Args)]
struct Costs {
    /// US dollars that each run may cost; 0: as much as it will
    #[arg(long, value_name = "USD")]
    budget_usd: Option<f64>,
    /// Tokens that each run may take; 0: as many as it will
    #[arg(long, value_name = "N")]
    budget_tokens: Option<u64>,
    /// US dollars that all runs of a period may cost; once they have no more begin until the next
    #[arg(long, value_name = "USD")]
    allow_usd: Option<f64>,
    /// Tokens that all runs of a period may take
    #[arg(long, value_name = "N")]
    allow_tokens: Option<u64>,
    /// Runs of a period
    #[arg(long, value_name = "N")]
    allow_runs: Option<u32>,
    /// Prompts that all of them may put in a period
    #[arg(long, value_name = "N")]
    allow_turns: Option<u32>,
    /// The period: day, week or month; alone, nothing is bounded any more [default: day]
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Period, 3>(["day", "week", "month"]))]
    per: Option<Period>,
}

impl Costs {
    fn budget(self) -> Option<Budget> {
        let said = self.budget_usd.is_some() || self.budget_tokens.is_some();
        said.then(|| Budget {
            tokens: self.budget_tokens.filter(|tokens| *tokens > 0),
            cost_usd: self.budget_usd.filter(|usd| *usd != 0.0),
            ..Budget::default()
        })
    }

    fn allowance(self) -> Option<Allowance> {
        let allowance = Allowance {
            per: self.per.unwrap_or_default(),
            runs: self.allow_runs,
            tokens: self.allow_tokens,
            cost_usd: self.allow_usd,
            turns: self.allow_turns,
            wall_ms: None,
        };
        (self.per.is_some() || !allowance.is_empty()).then_some(allowance)
    }
}

/// What happens when a time does not come alone, or was missed.
#[derive(Clone, Copy, Debug, Args)]
struct Policies {
    /// While a run of it is open: skip begins none, queue lets the next wait, parallel works beside it
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Overlap, 3>(["skip", "queue", "parallel"]))]
    overlap: Option<Overlap>,
    /// For times when no hub was there: once begins one run for all, skip none, all one for each of the last
    #[arg(long, hide_possible_values = true, value_parser = one_of::<Misfire, 3>(["once", "skip", "all"]))]
    misfire: Option<Misfire>,
    /// How many of them, for all [default: 10]
    #[arg(long, value_name = "N")]
    misfire_max: Option<u32>,
}

pub(super) async fn run(verb: ScheduleVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let schedule = match verb {
        ScheduleVerb::List { page } => return list(&client, page, context).await,
        ScheduleVerb::Fire { schedule, key } => {
            let params = ScheduleFire {
                schedule,
                idempotency_key: key,
            };
            let run = heard(client.fire(params).await)?;
            context.show(&run, || format!("run {} is {}", run.id, word(run.state)))?;
            return Ok(ExitCode::SUCCESS);
        }
        ScheduleVerb::Get { schedule } => client.get(ScheduleName { schedule }).await,
        ScheduleVerb::Create(args) => client.create(created(*args, context)).await,
        ScheduleVerb::Update(args) => client.update(updated(*args)).await,
        ScheduleVerb::Enable { schedule } => client.update(active(schedule, true)).await,
        ScheduleVerb::Disable { schedule } => client.update(active(schedule, false)).await,
        ScheduleVerb::Delete { schedule } => client.delete(ScheduleName { schedule }).await,
    };
    let schedule = heard(schedule)?;
    context.show(&schedule, || full(&schedule))?;
    Ok(ExitCode::SUCCESS)
}

fn created(args: CreateArgs, context: &CliContext) -> ScheduleCreate {
    ScheduleCreate {
        name: args.name,
        cron: args.cron,
        zone: args.zone,
        prompt: args.prompt,
        instance: args.to,
        project: args.project.map(|typed| context.project(&typed)),
        persona: args.persona,
        agent: args.agent,
        mode: None,
        isolation: None,
        timeout_ms: args.timeout_ms,
        budget: args.costs.budget(),
        allowance: args.costs.allowance(),
        overlap: args.policies.overlap.unwrap_or_default(),
        misfire: args.policies.misfire.unwrap_or_default(),
        misfire_max: args.policies.misfire_max,
    }
}

fn updated(args: UpdateArgs) -> ScheduleUpdate {
    ScheduleUpdate {
        schedule: args.schedule,
        name: args.name,
        cron: args.cron,
        zone: args.zone,
        prompt: args.prompt,
        budget: args.costs.budget(),
        allowance: args.costs.allowance(),
        overlap: args.policies.overlap,
        misfire: args.policies.misfire,
        misfire_max: args.policies.misfire_max,
        active: None,
    }
}

fn active(schedule: String, active: bool) -> ScheduleUpdate {
    ScheduleUpdate {
        schedule,
        active: Some(active),
        ..ScheduleUpdate::default()
    }
}

async fn list(client: &Client, page: PageArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let params = ScheduleList {
        cursor: page.cursor,
        limit: page.limit,
    };
    let page = heard(client.list(params).await)?;
    context.show(&page, || rows(&page.items, context.terminal.width()))?;
    if !context.json {
        more(
            page.items.is_empty(),
            "schedules",
            page.next_cursor.as_deref(),
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(schedules: &[Schedule], width: Option<u16>) -> String {
    let rows = schedules.iter().map(|schedule| {
        [
            schedule.name.clone(),
            schedule.cron.clone(),
            schedule.zone.clone(),
            schedule.next_at.map_or_else(|| "off".to_owned(), minute),
            schedule.last_at.map(ago).unwrap_or_default(),
            schedule.work.prompt.clone(),
        ]
    });
    table(
        ["SCHEDULE", "CRON", "ZONE", "NEXT", "LAST", "PROMPT"],
        rows,
        width,
    )
}

fn full(schedule: &Schedule) -> String {
    let work = &schedule.work;
    let times: Vec<String> = schedule.next_times.iter().map(|at| minute(*at)).collect();
    let off = match (schedule.active, &schedule.disabled_reason) {
        (true, _) => String::new(),
        (false, Some(reason)) => format!("not active: {reason}"),
        (false, None) => "not active".to_owned(),
    };
    let misfire = match schedule.misfire {
        Misfire::All => format!("all, the last {}", schedule.misfire_max),
        Misfire::Once | Misfire::Skip => word(schedule.misfire),
    };
    details([
        ("name", schedule.name.clone()),
        ("cron", format!("{} in {}", schedule.cron, schedule.zone)),
        ("state", off),
        ("next", times.join("\n")),
        ("prompt", one_line(&work.prompt)),
        ("instance", work.instance.clone().unwrap_or_default()),
        ("project", work.project.clone().unwrap_or_default()),
        ("persona", work.persona.clone().unwrap_or_default()),
        ("agent", work.agent.clone().unwrap_or_default()),
        ("overlap", word(schedule.overlap)),
        ("misfire", misfire),
        ("budget", work.budget.map(budget).unwrap_or_default()),
        ("allowance", allowance(schedule)),
        ("last", schedule.last_at.map(ago).unwrap_or_default()),
        (
            "last run",
            schedule
                .last_run
                .map(|run| run.to_string())
                .unwrap_or_default(),
        ),
        ("problem", schedule.last_error.clone().unwrap_or_default()),
        ("id", schedule.id.to_string()),
    ])
}

/// `0.50 US dollars, 20000 tokens for each run`.
fn budget(budget: Budget) -> String {
    let parts = [
        budget.cost_usd.map(|usd| format!("{usd:.2} US dollars")),
        budget.tokens.map(|tokens| format!("{tokens} tokens")),
        budget.turns.map(|turns| format!("{turns} turns")),
        budget
            .wall_ms
            .map(|ms| format!("{} of work", span(whole(ms)))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{} for each run", parts.join(", "))
}

/// `1.20 of 5.00 US dollars, 2 of 3 runs this week`.
fn allowance(schedule: &Schedule) -> String {
    let Some(allowance) = schedule.allowance else {
        return String::new();
    };
    let used = schedule.used.unwrap_or_default();
    let usd = used.usage.cost_usd.unwrap_or(0.0);
    let tokens = used.usage.tokens().unwrap_or(0);
    let worked = span(whole(used.wall_ms));
    let parts = [
        allowance
            .cost_usd
            .map(|most| format!("{usd:.2} of {most:.2} US dollars")),
        allowance
            .tokens
            .map(|most| format!("{tokens} of {most} tokens")),
        allowance
            .runs
            .map(|most| format!("{} of {most} runs", used.runs)),
        allowance
            .turns
            .map(|most| format!("{} of {most} turns", used.turns)),
        allowance
            .wall_ms
            .map(|most| format!("{worked} of {} of work", span(whole(most)))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{} this {}", parts.join(", "), word(allowance.per))
}

fn whole(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// `2026-03-01 08:30 UTC`.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    match text.get(..16) {
        Some(text) => format!("{} UTC", text.replace('T', " ")),
        None => text,
    }
}
