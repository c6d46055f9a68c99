//! `eyas run …`.

use super::{
    answer::{self, AnswerArgs},
    args::one_of,
    conclusion,
    context::{CliContext, heard},
    input::{self, InputArgs},
    live,
    names::Names,
    print,
    table::{ago, at, details, one_line, span, table, word},
    tree,
    worktree::{self, WorktreeVerb},
};
use crate::{
    api::{
        events::{EventsApiClient, Watch},
        run::{RunApiClient, RunCancel, RunEvents, RunList, RunRef},
    },
    domain::{
        event::{Event, EventKind},
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::{Attempt, Run, RunState},
    },
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, time::Duration};

/// Verbs on runs.
#[derive(Debug, Subcommand)]
pub enum RunVerb {
    /// Runs, newest first
    List(ListArgs),
    /// One run, with its conclusion
    Get {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
    },
    /// Watch a run to its end
    #[command(after_help = "Ctrl-C ends the wait, never the run. Exit code 1 when the run failed.")]
    Wait {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
        /// Wait at most so long [default: to the end]
        #[arg(long, value_name = "MS")]
        wait_ms: Option<u64>,
    },
    /// Ask for the end of a run
    Cancel {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Say something to a run: a further turn of its agent
    Input(InputArgs),
    /// Answer what a run's agent asks
    Answer(AnswerArgs),
    /// What has happened in a run, oldest first
    Events(EventsArgs),
    /// A run's attempts, oldest first
    Attempts {
        /// Id of the run, as `eyas run list` shows it
        id: RunId,
    },
    #[command(flatten)]
    Worktree(WorktreeVerb),
}

/// Which runs to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those in this state
    #[arg(long, value_parser = one_of::<RunState, 7>([
        "queued", "running", "input_required", "succeeded", "failed", "cancelled", "timed_out",
    ]))]
    state: Option<RunState>,
    /// Only this project's: name, id or path
    #[arg(long)]
    project: Option<String>,
    /// Only this instance's: name or id
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Only those that this run's agent delegated
    #[arg(long, value_name = "RUN")]
    parent: Option<RunId>,
    /// Only those with this label
    #[arg(long)]
    label: Option<String>,
    /// Also those that were archived
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    page: PageArgs,
}

/// Which events to show.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Id of the run, as `eyas run list` shows it
    id: RunId,
    /// Go on with what happens from now, to the run's end
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    page: PageArgs,
}

/// Which page of a list.
#[derive(Debug, Default, Args)]
pub struct PageArgs {
    /// At most so many, 1 to 200 [default: 50]
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Read on after this cursor
    #[arg(long)]
    pub cursor: Option<String>,
}

pub(super) async fn run(verb: RunVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    match verb {
        RunVerb::List(args) => list(args, context).await?,
        RunVerb::Get { id } => {
            let run = heard(client.get(RunRef { id }).await)?;
            if context.json {
                print::json(&run)?;
            } else {
                let names = Names::ask(&client).await;
                let below = tree::below(&*client, &run).await?;
                let shown =
                    full(&run, &names) + &tree::words(&below, &names, context.terminal.width());
                print::out(&shown)?;
            }
        }
        RunVerb::Wait { id, wait_ms } => {
            let run = heard(client.get(RunRef { id }).await)?;
            let limit = wait_ms.map(Duration::from_millis);
            return conclusion::show(context, live::follow(context, run, limit).await?);
        }
        RunVerb::Cancel { id, reason } => {
            let run = heard(client.cancel(RunCancel { id, reason }).await)?;
            context.show(&run, || live::doing(&run))?;
        }
        RunVerb::Input(args) => return input::run(args, context).await,
        RunVerb::Answer(args) => answer::run(args, context).await?,
        RunVerb::Events(args) => events(args, context).await?,
        RunVerb::Attempts { id } => {
            let page = heard(client.attempts(RunRef { id }).await)?;
            context.show(&page, || attempts(&page.items, context.terminal.width()))?;
        }
        RunVerb::Worktree(verb) => worktree::run(verb, context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: ListArgs, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    let params = RunList {
        state: args.state,
        project: args.project.map(|typed| context.project(&typed)),
        instance: args.instance,
        parent: args.parent,
        label: args.label,
        archived: args.archived,
        cursor: args.page.cursor,
        limit: args.page.limit,
    };
    let page = heard(client.list(params).await)?;
    if context.json {
        return print::json(&page);
    }
    let names = Names::ask(&client).await;
    let rows = page.items.iter().map(|run| {
        [
            run.id.to_string(),
            run.state.as_str().to_owned(),
            run.instance
                .map_or_else(|| run.agent.clone(), |id| names.instance(Some(id))),
            at(names.project(run.project), run.host.as_deref()),
            ago(run.created_at),
            run.label.as_deref().unwrap_or(&run.prompt).to_owned(),
        ]
    });
    let header = ["RUN", "STATE", "WHO", "PROJECT", "WHEN", "WHAT"];
    print::out(&table(header, rows, context.terminal.width()))?;
    more(page.items.is_empty(), "runs", page.next_cursor.as_deref());
    Ok(())
}

/// Says on stderr that a list is empty, or how to read on.
pub(super) fn more(is_empty: bool, nouns: &str, next_cursor: Option<&str>) {
    if is_empty {
        print::err(&format!("no {nouns}"));
    }
    if let Some(cursor) = next_cursor {
        print::err(&format!("there are more: --cursor {cursor}"));
    }
}

fn full(run: &Run, names: &Names) -> String {
    let about = details([
        ("prompt", one_line(&run.prompt)),
        ("state", live::doing(run)),
        ("instance", names.instance(run.instance)),
        ("project", names.project(run.project)),
        ("persona", run.persona.clone().unwrap_or_default()),
        ("session", run.session.to_string()),
        ("continuity", run.continuity.map(word).unwrap_or_default()),
        ("label", run.label.clone().unwrap_or_default()),
        ("worktree", worktree::about(run)),
        (
            "begun by",
            run.parent.map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("with those below", tree::cost(run)),
        (
            "created",
            format!("{} ({})", run.created_at, ago(run.created_at)),
        ),
    ]);
    format!("{about}\n{}", conclusion::words(run))
}

fn attempts(attempts: &[Attempt], width: Option<u16>) -> String {
    let rows = attempts.iter().map(|attempt| {
        [
            attempt.n.to_string(),
            attempt.outcome.map_or_else(|| "under way".to_owned(), word),
            if attempt.warm { "warm" } else { "cold" }.to_owned(),
            attempt.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            attempt
                .ended_at
                .map(|end| span(end.since_ms(attempt.started_at)))
                .unwrap_or_default(),
            attempt.reason.clone().unwrap_or_default(),
        ]
    });
    let mut text = table(
        ["N", "OUTCOME", "AGENT", "PID", "TOOK", "REASON"],
        rows,
        width,
    );
    for attempt in attempts {
        if let Some(tail) = &attempt.stderr_tail {
            text.push_str(&format!(
                "\n\nlast words of attempt {}:\n{}",
                attempt.n,
                tail.trim_end()
            ));
        }
    }
    text
}

async fn events(args: EventsArgs, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    let mut cursor = args.page.cursor;
    loop {
        let params = RunEvents {
            id: args.id,
            cursor: cursor.clone(),
            limit: args.page.limit,
        };
        let page = heard(client.events(params).await)?;
        let ended = page
            .items
            .iter()
            .any(|event| event.kind == EventKind::Finished);
        if !args.follow {
            context.show(&page, || {
                page.items.iter().map(line).collect::<Vec<_>>().join("\n")
            })?;
            if !context.json {
                more(page.items.is_empty(), "events", page.next_cursor.as_deref());
            }
            return Ok(());
        }
        for event in &page.items {
            context.show(event, || line(event))?;
        }
        cursor = page
            .items
            .last()
            .map(|event| event.cursor.clone())
            .or(cursor);
        if ended {
            return Ok(());
        }
        if page.next_cursor.is_none() {
            return follow(args.id, cursor, context).await;
        }
    }
}

/// Live events to the run's end. A hub that went away is an end too: the cursor says where to go on.
async fn follow(run: RunId, after: Option<String>, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    let mut seen = after.clone();
    let watch = Watch {
        after,
        run: Some(run),
        ..Watch::default()
    };
    let mut events = heard(EventsApiClient::watch(&*client, watch).await)?;
    while let Some(event) = events.next().await {
        let event = event.map_err(Fault::internal)?;
        context.show(&event, || line(&event))?;
        if event.kind == EventKind::Finished {
            return Ok(());
        }
        seen = Some(event.cursor);
    }
    let hint = format!(
        "eyas run events {run} --follow --cursor {}",
        seen.unwrap_or_default()
    );
    Err(Fault::new(ErrorKind::HubLost, "the hub went away").hint(hint))
}

fn line(event: &Event) -> String {
    let text = [
        "text", "title", "step", "reason", "detail", "summary", "state",
    ]
    .into_iter()
    .find_map(|key| event.data.get(key).and_then(|value| value.as_str()))
    .map_or_else(|| event.data.to_string(), one_line);
    format!("{}  {:<16} {}", event.at, event.kind.as_str(), text)
}
