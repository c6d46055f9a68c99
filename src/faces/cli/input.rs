//! `eyas run input`.

use super::{
    args::one_of,
    context::{CliContext, heard},
    delegate::from_pipe,
    live, misused,
    table::word,
};
use crate::{
    api::{
        input::{RunDelivery, RunInput},
        run::RunApiClient,
    },
    domain::{
        fault::Fault,
        ids::RunId,
        input::{DeliveryOutcome, InputMode},
    },
};
use clap::Args;
use std::process::ExitCode;

/// What is said, and when the agent gets it.
#[derive(Debug, Args)]
#[command(after_help = "\
Each message is a further turn of the run. An ended run is not changed: a new one begins in its session, and is shown.
queue: after the messages that wait; followup: before them; steer: into the turn under way where the agent takes it, else as followup;
interrupt: cancels the turn and goes on with this.")]
pub struct InputArgs {
    /// Id of the run, as `eyas run list` shows it
    id: RunId,
    /// What its agent is to do next; "-" or nothing takes it from a pipe
    message: Option<String>,
    /// When the agent gets it [default: queue]
    #[arg(long, value_parser = one_of::<InputMode, 4>(["followup", "steer", "interrupt", "queue"]))]
    mode: Option<InputMode>,
    /// The same key with the same message is delivered once
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) async fn run(args: InputArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let message = match from_pipe("message", args.message.as_deref(), context).await {
        Ok(message) => message,
        Err(fault) => return Ok(misused(&fault, context)),
    };
    let params = RunInput {
        id: args.id,
        message,
        mode: args.mode,
        idempotency_key: args.key,
    };
    let said: RunDelivery = heard(context.client().await?.input(params).await)?;
    context.show(&said, || {
        let how = match said.delivery.outcome {
            DeliveryOutcome::Restarted => format!("a new run goes on: {}", said.run.id),
            outcome @ (DeliveryOutcome::Direct
            | DeliveryOutcome::Queued
            | DeliveryOutcome::Interrupted) => word(outcome),
        };
        format!("{how}\n{}", live::doing(&said.run))
    })?;
    Ok(ExitCode::SUCCESS)
}
