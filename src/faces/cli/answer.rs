//! `eyas run answer`, and how what is asked is shown.

use super::{
    context::{CliContext, heard},
    live,
    table::one_line,
};
use crate::{
    api::run::{RunAnswer, RunApiClient, RunRef},
    domain::{fault::Fault, ids::RunId, request::Request, run::Run},
};
use clap::Args;

/// Which request, and what is said.
#[derive(Debug, Args)]
#[command(after_help = "`eyas run get` shows what is asked, and the options.")]
pub struct AnswerArgs {
    /// Id of the run, as `eyas run list` shows it
    id: RunId,
    /// Id of the request; may be left out while only one is open
    request: Option<String>,
    /// Choose this option
    #[arg(long, value_name = "ID", required_unless_present = "text")]
    option: Option<String>,
    /// Answer a question in your own words
    #[arg(long)]
    text: Option<String>,
}

pub(super) async fn run(args: AnswerArgs, context: &CliContext) -> Result<(), Fault> {
    let client = context.client().await?;
    let request = match args.request {
        Some(request) => request,
        None => the_only(&heard(client.get(RunRef { id: args.id }).await)?)?,
    };
    let params = RunAnswer {
        id: args.id,
        request,
        option: args.option,
        text: args.text,
    };
    let run = heard(client.answer(params).await)?;
    context.show(&run, || live::doing(&run))
}

fn the_only(run: &Run) -> Result<String, Fault> {
    match run.requests.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => {
            let detail = format!(
                "is needed: nothing is asked now, the run is {}",
                run.state.as_str()
            );
            Err(Fault::invalid("request", detail))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|one| one.id.as_str()).collect();
            Err(Fault::required("request").hint(format!("open are: {}", ids.join(", "))))
        }
    }
}

/// What a run asks, for a person, with the way to answer.
pub(super) fn words(run: &Run) -> String {
    let blocks = run.requests.iter().map(|request| block(run.id, request));
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// What the runs below it ask.
pub(super) fn words_below(run: &Run) -> String {
    let blocks = run.asks_below.iter().flat_map(|below| {
        let whose = format!("below it, run {}, {}:\n", below.run, one_line(&below.task));
        let blocks = below.requests.iter();
        blocks.map(move |request| whose.clone() + &block(below.run, request))
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn block(run: RunId, request: &Request) -> String {
    let mut lines = vec![format!("asks: {}", one_line(&request.title))];
    let detail = request.detail.as_deref().unwrap_or_default();
    lines.extend(detail.lines().map(|line| format!("  {line}")));
    for option in &request.options {
        lines.push(format!(
            "  --option {:<12} {}",
            option.id,
            one_line(&option.name)
        ));
    }
    if let Some(deadline) = request.deadline {
        lines.push(format!("  until {deadline}"));
    }
    let how = if request.options.is_empty() {
        "--text \"…\""
    } else {
        "--option ID"
    };
    lines.push(format!("  eyas run answer {run} {} {how}", request.id));
    lines.join("\n")
}
