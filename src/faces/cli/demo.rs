//! `eyas demo`: the whole way once, in a home that is gone afterwards. Every figure it shows is measured while it runs.

use super::{
    conclusion,
    context::{CliContext, heard},
    live::{self, Watched},
    print,
    table::{details, one_line, span},
};
use crate::{
    api::{
        instance::{IdentityFile, InstanceApiClient, InstanceCreate, InstanceName, InstanceView},
        persona::{PersonaApiClient, PersonaCreate, PersonaFields},
        run::{Delegate, RunApiClient},
    },
    domain::{
        fault::{ErrorKind, Fault},
        run::{Mode, Run, RunState},
    },
    stdx::scratch::Scratch,
};
use serde::Serialize;
use std::{path::Path, process::ExitCode, time::Instant};

const INSTANCE: &str = "scout";
const FIRST: &str = "What is in this project: which languages, how large, and where does it start?";
const SECOND: &str = "Where are the tests, and which TODOs are left?";
/// Lines of a conclusion that are shown.
const LINES: usize = 14;

/// What the demo found, for `--json`.
#[derive(Debug, Serialize)]
struct Told {
    instance: InstanceView,
    cold: Delegation,
    warm: Delegation,
}

/// A delegation, timed from the call to its conclusion as this side sees it.
#[derive(Debug, Serialize)]
struct Delegation {
    took_ms: u64,
    run: Run,
}

pub(super) async fn run(context: &CliContext) -> Result<ExitCode, Fault> {
    let home = Scratch::new("eyas-demo-")
        .map_err(|error| Fault::internal(format!("cannot make a temporary home: {error}")))?;
    let inside = CliContext {
        connection: (context.open.0)(home.path())?,
        in_process: true,
        ..context.clone()
    };
    let told = tokio::select! {
        told = tell(&inside) => told,
        () = live::interrupted() => Err(left()),
    };
    // Its agents are gone when this answers, so nothing writes into the home any more.
    inside.connection.close().await;
    let removed = home.remove();
    let told = told?;
    removed
        .map_err(|error| Fault::internal(format!("the temporary home stays behind: {error}")))?;
    context.show(&told, || ending(&told, &context.program))?;
    let succeeded = [&told.cold, &told.warm]
        .iter()
        .all(|one| one.run.state == RunState::Succeeded);
    Ok(if succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn left() -> Fault {
    Fault::new(ErrorKind::Refused, "the demo was left; nothing is kept")
}

/// The story: who, then twice a delegation.
async fn tell(context: &CliContext) -> Result<Told, Fault> {
    say(
        context,
        &format!(
            "eyas demo\n\n  project  {}\n  home     a temporary folder; nothing is kept, nothing is written into the project",
            context.cwd.display()
        ),
    )?;
    let instance = place(context).await?;
    say(context, &placed(&instance))?;
    say(
        context,
        "\n2  a delegation to a cold agent: its process is started for it\n",
    )?;
    let cold = delegate(context, FIRST, Mode::Cold).await?;
    say(context, &delegated(&cold))?;
    say(
        context,
        "\n3  a delegation to a warm agent: it is running, a session is open\n",
    )?;
    let client = context.client().await?;
    heard(
        InstanceApiClient::start(
            &*client,
            InstanceName {
                name: INSTANCE.to_owned(),
            },
        )
        .await,
    )?;
    let warm = delegate(context, SECOND, Mode::Warm).await?;
    say(context, &delegated(&warm))?;
    Ok(Told {
        instance,
        cold,
        warm,
    })
}

fn say(context: &CliContext, text: &str) -> Result<(), Fault> {
    if context.json {
        Ok(())
    } else {
        print::out(&format!("{text}\n"))
    }
}

async fn place(context: &CliContext) -> Result<InstanceView, Fault> {
    let client = context.client().await?;
    let persona = PersonaCreate {
        id: INSTANCE.to_owned(),
        from: Some("researcher".to_owned()),
        fields: PersonaFields {
            name: Some("Scout".to_owned()),
            description: Some("Use to find out what a project is made of.".to_owned()),
            ..PersonaFields::default()
        },
    };
    let persona = heard(PersonaApiClient::create(&*client, persona).await)?;
    let instance = InstanceCreate {
        name: INSTANCE.to_owned(),
        persona: Some(persona.id),
        agent: Some("embedded".to_owned()),
        project: Some(context.cwd.to_string_lossy().into_owned()),
        ..InstanceCreate::default()
    };
    let name = heard(InstanceApiClient::create(&*client, instance).await)?
        .instance
        .name;
    heard(InstanceApiClient::get(&*client, InstanceName { name }).await)
}

async fn delegate(context: &CliContext, prompt: &str, mode: Mode) -> Result<Delegation, Fault> {
    let client = context.client().await?;
    let params = Delegate {
        prompt: prompt.to_owned(),
        instance: Some(INSTANCE.to_owned()),
        project: Some(context.cwd.to_string_lossy().into_owned()),
        mode: Some(mode),
        ..Delegate::default()
    };
    let asked = Instant::now();
    let run = heard(client.delegate(params).await)?;
    match live::follow(context, run, None).await? {
        Watched::Settled(run) => {
            let took_ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
            Ok(Delegation { took_ms, run })
        }
        Watched::StillGoing(_) | Watched::Left(_) => Err(left()),
    }
}

fn placed(view: &InstanceView) -> String {
    let files = view
        .files
        .iter()
        .map(|file| (file.name.as_str(), heading(file)));
    format!(
        "\n1  an instance: the persona \"{}\" placed in a workspace of its own\n\n{}",
        view.instance.name,
        indent(&details(files), usize::MAX)
    )
}

fn heading(file: &IdentityFile) -> String {
    one_line(&file.content)
        .trim_start_matches(['#', ' '])
        .to_owned()
}

fn delegated(delegation: &Delegation) -> String {
    let run = &delegation.run;
    let text = match &run.conclusion {
        Some(conclusion) => conclusion.summary.clone(),
        None => conclusion::words(run),
    };
    format!(
        "     \"{}\"\n     {} · {} · {}\n\n{}",
        run.prompt,
        run.state.as_str(),
        warmth(run),
        took(delegation),
        indent(&text, LINES)
    )
}

fn warmth(run: &Run) -> &'static str {
    if run.warm { "warm" } else { "cold" }
}

fn took(delegation: &Delegation) -> String {
    span(i64::try_from(delegation.took_ms).unwrap_or(i64::MAX))
}

fn indent(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.trim_end().lines().collect();
    let mut shown: String = all
        .iter()
        .take(lines)
        .map(|line| format!("     {line}\n"))
        .collect();
    if all.len() > lines {
        shown.push_str(&format!("     … {} more lines\n", all.len() - lines));
    }
    shown
}

fn ending(told: &Told, program: &Path) -> String {
    let entry = serde_json::json!({"mcpServers": {"eyas": {"command": program, "args": ["mcp"]}}});
    format!(
        "
   {} {}, {} {}: measured just now, from the call to the conclusion.

   Who answered is the surveyor, an agent inside this binary. It has no model: it reads the project and answers
   with what it finds. Agents with a model that are installed (`eyas agent list`) take its place by name.

   Next, one entry for your editor, here for Claude Code (.mcp.json); others are in editor-configs/:

     {entry}

   Then tell its model: \"delegate to eyas: …\". By hand: eyas delegate \"…\"",
        warmth(&told.cold.run),
        took(&told.cold),
        warmth(&told.warm.run),
        took(&told.warm),
    )
}
