//! `eyas instance …`.

use super::{
    args::one_of,
    context::{CliContext, heard},
    names::Names,
    print,
    run::{PageArgs, more},
    table::{ago, at, details, table, word},
};
use crate::{
    api::instance::{
        InstanceApiClient, InstanceCreate, InstanceList, InstanceName, InstanceUpdate, InstanceView,
    },
    domain::{
        fault::Fault,
        instance::{InstanceStatus, Role},
    },
};
use clap::{Args, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Verbs on instances.
#[derive(Debug, Subcommand)]
pub enum InstanceVerb {
    /// Instances, by name
    List(ListArgs),
    /// One instance, or one of its identity files
    Get {
        /// Name or id of the instance
        name: String,
        /// Print this file, such as SOUL.md
        #[arg(long, value_name = "FILE")]
        file: Option<String>,
    },
    /// Place a persona in a workspace
    #[command(
        after_help = "Example:\n  eyas instance create rev --persona reviewer --project . --start"
    )]
    Create(CreateArgs),
    /// Change an instance; its identity files are rendered anew
    Update(UpdateArgs),
    /// Launch an instance's agent and keep it warm
    Start {
        /// Name or id of the instance
        name: String,
    },
    /// Cancel an instance's runs and let its agent go; delegations are refused until it is started
    Stop {
        /// Name or id of the instance
        name: String,
    },
    /// Stop an instance and start it again
    Restart {
        /// Name or id of the instance
        name: String,
    },
    /// Stop an instance and move it to the trash, where it is kept 30 days
    Delete {
        /// Name or id of the instance
        name: String,
    },
    /// Bring back the instance of that name that was deleted last
    Restore {
        /// Name that it had, or its id
        name: String,
    },
    /// Render an instance's identity files anew; files you edited are kept aside and named
    Render {
        /// Name or id of the instance
        name: String,
    },
}

/// Which instances to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this project's: name, id or path
    #[arg(long)]
    project: Option<String>,
    /// Only those in this status
    #[arg(long, value_parser = one_of::<InstanceStatus, 5>([
        "created", "starting", "running", "stopped", "error",
    ]))]
    status: Option<InstanceStatus>,
    #[command(flatten)]
    page: PageArgs,
}

/// A new instance.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Unique: lower-case words joined by hyphens
    name: String,
    /// Persona id
    #[arg(long, value_name = "ID")]
    persona: Option<String>,
    /// Agent id, which must be installed [default: the persona's preference]
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Project by name, id or path
    #[arg(long)]
    project: Option<String>,
    /// Place in the hierarchy [default: the persona's]
    #[arg(long, value_parser = one_of::<Role, 3>(["commander", "captain", "talon"]))]
    role: Option<Role>,
    /// Name of the instance above it
    #[arg(long, value_name = "NAME")]
    parent: Option<String>,
    /// Model id in the agent's own words
    #[arg(long)]
    model: Option<String>,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A captain for a project that has one: the old one is stopped and leads it no more; its open runs go on
    #[arg(long)]
    replace: bool,
    /// Launch its agent at once
    #[arg(long)]
    start: bool,
    /// Write nothing; show the files that would be written
    #[arg(long)]
    dry_run: bool,
}

/// Changes to an instance.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Name or id of the instance
    name: String,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Persona id
    #[arg(long, value_name = "ID")]
    persona: Option<String>,
    /// Agent id
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Model id in the agent's own words
    #[arg(long)]
    model: Option<String>,
    /// Take a value away; may be given again
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Clearable>,
}

/// What an instance can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Clearable {
    Persona,
    Agent,
    Model,
}

pub(super) async fn run(verb: InstanceVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let by = |name| InstanceName { name };
    let mut asked_file = None;
    let mut dry = false;
    let view = match verb {
        InstanceVerb::List(args) => return list(args, context).await,
        InstanceVerb::Get { name, file } => {
            asked_file = file;
            client.get(by(name)).await
        }
        InstanceVerb::Create(args) => {
            dry = args.dry_run;
            client.create(create(args, context)).await
        }
        InstanceVerb::Update(args) => client.update(update(args)).await,
        InstanceVerb::Start { name } => client.start(by(name)).await,
        InstanceVerb::Stop { name } => client.stop(by(name)).await,
        InstanceVerb::Restart { name } => client.restart(by(name)).await,
        InstanceVerb::Delete { name } => client.delete(by(name)).await,
        InstanceVerb::Restore { name } => client.restore(by(name)).await,
        InstanceVerb::Render { name } => client.render(by(name)).await,
    };
    let view = heard(view)?;
    match asked_file {
        Some(name) => file(&view, &name, context)?,
        None => context.show(&view, || full(&view, dry))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(args: CreateArgs, context: &CliContext) -> InstanceCreate {
    InstanceCreate {
        name: args.name,
        display_name: args.display_name,
        persona: args.persona,
        agent: args.agent,
        project: args.project.map(|typed| context.project(&typed)),
        role: args.role,
        parent: args.parent,
        model: args.model,
        replace: args.replace,
        auto_start: args.start,
        dry_run: args.dry_run,
        idempotency_key: None,
    }
}

fn update(args: UpdateArgs) -> InstanceUpdate {
    let change = |value: Option<String>, field| {
        if args.clear.contains(&field) {
            Some(None)
        } else {
            value.map(Some)
        }
    };
    InstanceUpdate {
        name: args.name,
        display_name: args.display_name,
        persona: change(args.persona, Clearable::Persona),
        agent: change(args.agent, Clearable::Agent),
        model: change(args.model, Clearable::Model),
    }
}

async fn list(args: ListArgs, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let params = InstanceList {
        project: args.project.map(|typed| context.project(&typed)),
        status: args.status,
        cursor: args.page.cursor,
        limit: args.page.limit,
    };
    let page = heard(client.list(params).await)?;
    if context.json {
        print::json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let names = Names::ask(&client).await;
    let rows = page.items.iter().map(|instance| {
        [
            at(instance.name.clone(), instance.host.as_deref()),
            word(instance.status),
            word(instance.health),
            instance.persona.clone().unwrap_or_default(),
            instance.agent.clone().unwrap_or_default(),
            names.project(instance.project),
        ]
    });
    let header = [
        "INSTANCE", "STATUS", "HEALTH", "PERSONA", "AGENT", "PROJECT",
    ];
    print::out(&table(header, rows, context.terminal.width()))?;
    more(
        page.items.is_empty(),
        "instances",
        page.next_cursor.as_deref(),
    );
    Ok(ExitCode::SUCCESS)
}

fn file(view: &InstanceView, name: &str, context: &CliContext) -> Result<(), Fault> {
    let known = view.files.iter().map(|file| file.name.as_str());
    let file = view
        .files
        .iter()
        .find(|file| file.name == name)
        .ok_or_else(|| {
            Fault::not_found_among("identity file", name, known, "eyas instance get NAME")
        })?;
    if context.json {
        return print::json(file);
    }
    print::raw(&file.content, context.terminal.stdout)
}

fn full(view: &InstanceView, dry: bool) -> String {
    let instance = &view.instance;
    let files: Vec<_> = view.files.iter().map(|file| file.name.as_str()).collect();
    let mut text = details([
        ("name", instance.name.clone()),
        ("called", instance.display_name.clone()),
        (
            "status",
            format!(
                "{}, health {}",
                word(instance.status),
                word(instance.health)
            ),
        ),
        ("persona", instance.persona.clone().unwrap_or_default()),
        ("agent", instance.agent.clone().unwrap_or_default()),
        ("model", instance.model.clone().unwrap_or_default()),
        ("role", instance.role.map(word).unwrap_or_default()),
        ("above it", instance.parent.clone().unwrap_or_default()),
        ("workspace", instance.workspace.clone()),
        ("files", files.join(" ")),
        ("kept aside", view.kept.join(" ")),
        ("created", ago(instance.created_at)),
        ("deleted", instance.deleted_at.map(ago).unwrap_or_default()),
    ]);
    if dry {
        for file in &view.files {
            text.push_str(&format!(
                "\n--- {}\n{}\n",
                file.name,
                file.content.trim_end()
            ));
        }
    }
    text
}
