//! `eyas hub status|stop|restart`: the hub from outside. `eyas hub run` is the hub itself, in `app`.

use super::{
    context::{CliContext, heard},
    host,
    install::{self, InstallArgs},
    table::{ago, word},
};
use crate::{
    api::hub::{HubApiClient as _, HubShutdown, HubView, Nothing},
    domain::{
        breaker::{ClassView, HealthWord},
        fault::Fault,
    },
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{fmt::Write as _, process::ExitCode};

/// Verbs on the hub.
#[derive(Debug, Subcommand)]
pub enum HubVerb {
    /// Say whether a hub runs, and what it holds; none is started
    #[command(alias = "info")]
    Status,
    /// End the hub; another one starts when it is needed
    Stop(Ending),
    /// End the hub and start another one
    Restart(Ending),
    /// Start the hub of this home when you log in, so that schedules fire after a reboot
    Install(InstallArgs),
    /// Do so no more
    Uninstall(InstallArgs),
}

/// What becomes of the runs under way; without either the hub refuses while there are any.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Ending {
    /// Take no new work and end when the last run has ended
    #[arg(long, conflicts_with = "now")]
    pub wait: bool,
    /// End at once: runs under way go back to the queue
    #[arg(long)]
    pub now: bool,
}

impl From<Ending> for HubShutdown {
    fn from(ending: Ending) -> Self {
        Self {
            now: ending.now,
            wait: ending.wait,
        }
    }
}

pub(super) async fn run(verb: HubVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    match verb {
        HubVerb::Status => match context.connection.peek().await? {
            Some(view) => context.show(&view, || words(&view))?,
            None => context.show(&json!({"running": false}), || {
                "no hub is running".to_owned()
            })?,
        },
        HubVerb::Stop(ending) => {
            let ended = context.connection.end_hub(ending.into()).await?;
            let words = if ended {
                "the hub has ended"
            } else {
                "no hub is running"
            };
            context.show(&json!({"ended": ended}), || words.to_owned())?;
        }
        HubVerb::Install(args) => return install::install(args, context),
        HubVerb::Uninstall(args) => return install::uninstall(args, context),
        HubVerb::Restart(ending) => {
            context.connection.end_hub(ending.into()).await?;
            let view = heard(context.client().await?.info(Nothing {}).await)?;
            context.show(&view, || words(&view))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn words(view: &HubView) -> String {
    let mut text = format!("hub {} · pid {} · {}\n", view.version, view.pid, view.home);
    let draining = if view.draining { " · draining" } else { "" };
    let warm = u32::try_from(view.agents.len()).unwrap_or(u32::MAX);
    let counts = [
        count(view.open_runs, "open run"),
        count(view.peers, "face"),
        count(warm, "warm agent"),
    ]
    .join(" · ")
        + draining;
    text += &counts;
    for agent in &view.agents {
        let pinned = if agent.pinned { " · pinned" } else { "" };
        // Writing to a string cannot fail.
        let takes = agent.memory_bytes.map_or_else(String::new, |bytes| {
            format!("{} MB · ", bytes.div_ceil(1 << 20))
        });
        write!(
            text,
            "\n  {} · pid {} · {} turns · {takes}{}{pinned}",
            agent.agent, agent.pid, agent.busy, agent.root
        )
        .ok();
    }
    for broken in &view.broken {
        write!(
            text,
            "\n  {0} · broken: ended by itself {1} times, the last {2} · {3} · when you have looked at it: eyas agent reset {0}",
            broken.agent,
            broken.times,
            ago(broken.since),
            broken.root
        )
        .ok();
    }
    for class in &view.classes {
        write!(text, "\n  {}", standing(class)).ok();
    }
    if view.hosts.len() > 1 {
        for host in &view.hosts {
            write!(text, "\n  host {}", host::line(host)).ok();
        }
    }
    text
}

/// `claude, lane default · 1 of 4 turns · 3 ready · degraded: 6 failures, the last agent_died, 2 min ago`.
fn standing(class: &ClassView) -> String {
    // What follows is how the store tells bounds of several classes apart.
    let lane = class.lane.split('~').next().unwrap_or_default();
    let turns = match class.cap {
        Some(cap) => format!("{} of {cap} turns", class.working),
        None => format!("{} cold", count(class.working, "turn")),
    };
    let mut text = format!(
        "{}, lane {lane} · {turns} · {} ready",
        class.agent, class.ready
    );
    if class.state != HealthWord::Healthy {
        let failures = count(class.failures, "failure");
        write!(text, " · {}: {failures}", word(class.state)).ok();
        if let Some(last) = class.last_failure {
            write!(text, ", the last {}, {}", last.kind, ago(last.at)).ok();
        }
    }
    text
}

fn count(many: u32, what: &str) -> String {
    let end = if many == 1 { "" } else { "s" };
    format!("{many} {what}{end}")
}
