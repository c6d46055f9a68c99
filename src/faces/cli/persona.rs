//! `eyas persona …`.

use super::{
    context::{CliContext, heard},
    fields::{Clearable, FieldArgs},
    print,
    run::{PageArgs, more},
    table::{details, table, word},
};
use crate::{
    api::persona::{
        PersonaApiClient, PersonaCreate, PersonaDelete, PersonaId, PersonaImport, PersonaList,
        PersonaUpdate,
    },
    domain::{
        fault::{ErrorKind, Fault},
        persona::Persona,
    },
    stdx::atomic,
};
use clap::{Args, Subcommand};
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The largest sub-agent file, in bytes.
const FILE_MAX: u64 = 256 * 1024;

/// Verbs on personas.
#[derive(Debug, Subcommand)]
pub enum PersonaVerb {
    /// Personas: yours and the catalogue's
    List(ListArgs),
    /// One persona
    Get {
        /// Id of the persona
        id: String,
    },
    /// Write a new persona
    #[command(after_help = "Examples:
  eyas persona create strict --from reviewer --trait blunt
  eyas persona create poet --name Poet --description \"Use for verse\" --system-prompt \"You write verse.\"")]
    Create {
        /// Its id: lower-case words joined by hyphens
        id: String,
        /// Catalogue id, or a sub-agent .md file, to start from
        #[arg(long, value_name = "ID|FILE")]
        from: Option<String>,
        #[command(flatten)]
        fields: Box<FieldArgs>,
    },
    /// Change a persona; a built-in one is copied to your home first
    Update {
        /// Id of the persona
        id: String,
        #[command(flatten)]
        fields: Box<FieldArgs>,
        /// Take a value away; may be given again
        #[arg(long, value_name = "FIELD")]
        clear: Vec<Clearable>,
    },
    /// Remove a persona of yours; a built-in one of that id is there again afterwards
    Delete {
        /// Id of the persona
        id: String,
        /// Also when instances use it
        #[arg(long)]
        force: bool,
    },
    /// Take in a sub-agent file: Markdown with YAML front matter
    #[command(
        after_help = "Example:\n  eyas persona import ~/.claude/agents/reviewer.md --id my-reviewer"
    )]
    Import {
        /// The file; it stays as it is
        file: PathBuf,
        /// Id to give it [default: the file's own name]
        #[arg(long)]
        id: Option<String>,
        /// Replace a persona of yours of that id
        #[arg(long)]
        force: bool,
    },
    /// Give a persona out as a sub-agent file
    Export {
        /// Id of the persona
        id: String,
        /// Write it here instead of stdout
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Replace that file
        #[arg(long, requires = "to")]
        force: bool,
    },
    /// Show the one text by which it would reach an agent
    Preview {
        /// Id of the persona
        id: String,
    },
}

/// Which personas to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Words that must all occur in id, name, role, description or traits
    query: Vec<String>,
    /// Exact category
    #[arg(long)]
    category: Option<String>,
    #[command(flatten)]
    page: PageArgs,
}

pub(super) async fn run(verb: PersonaVerb, context: &CliContext) -> Result<ExitCode, Fault> {
    let client = context.client().await?;
    let persona = match verb {
        PersonaVerb::List(args) => {
            list(args, context).await?;
            return Ok(ExitCode::SUCCESS);
        }
        PersonaVerb::Export { id, to, force } => {
            export(id, to.as_deref(), force, context).await?;
            return Ok(ExitCode::SUCCESS);
        }
        PersonaVerb::Preview { id } => {
            let text = heard(client.preview(PersonaId { id }).await)?;
            context.show(&text, || text.text.clone())?;
            return Ok(ExitCode::SUCCESS);
        }
        PersonaVerb::Get { id } => client.get(PersonaId { id }).await,
        PersonaVerb::Create { id, from, fields } => {
            client
                .create(PersonaCreate {
                    id,
                    from,
                    fields: fields.fields(&[]),
                })
                .await
        }
        PersonaVerb::Update { id, fields, clear } => {
            client
                .update(PersonaUpdate {
                    id,
                    fields: fields.fields(&clear),
                })
                .await
        }
        PersonaVerb::Delete { id, force } => client.delete(PersonaDelete { id, force }).await,
        PersonaVerb::Import { file, id, force } => {
            let text = read(&context.cwd.join(file))?;
            client.import(PersonaImport { text, id, force }).await
        }
    };
    let persona = heard(persona)?;
    context.show(&persona, || full(&persona))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(args: ListArgs, context: &CliContext) -> Result<(), Fault> {
    let params = PersonaList {
        query: (!args.query.is_empty()).then(|| args.query.join(" ")),
        category: args.category,
        cursor: args.page.cursor,
        limit: args.page.limit,
    };
    let page = heard(context.client().await?.list(params).await)?;
    if context.json {
        return print::json(&page);
    }
    let rows = page.items.iter().map(|persona| {
        [
            persona.id.clone(),
            persona.category.clone(),
            word(persona.source),
            persona.agent.clone().unwrap_or_default(),
            persona.description.clone(),
        ]
    });
    let header = ["PERSONA", "CATEGORY", "SOURCE", "AGENT", "USE"];
    print::out(&table(header, rows, context.terminal.width()))?;
    more(
        page.items.is_empty(),
        "personas",
        page.next_cursor.as_deref(),
    );
    Ok(())
}

async fn export(
    id: String,
    to: Option<&Path>,
    force: bool,
    context: &CliContext,
) -> Result<(), Fault> {
    let text = heard(context.client().await?.export(PersonaId { id }).await)?;
    let Some(to) = to else {
        return if context.json {
            print::json(&text)
        } else {
            print::raw(&text.text, context.terminal.stdout)
        };
    };
    let path = context.cwd.join(to);
    if path.exists() && !force {
        return Err(
            Fault::new(ErrorKind::NameExists, format!("{} exists", path.display()))
                .hint("--force replaces it"),
        );
    }
    atomic::write(&path, text.text.as_bytes(), 0o644)
        .map_err(|error| Fault::internal(format!("cannot write {}: {error}", path.display())))?;
    context.show(&text, || format!("written to {}", path.display()))
}

fn read(path: &Path) -> Result<String, Fault> {
    let broken = |error| {
        Fault::invalid(
            "file",
            format!("{} cannot be read: {error}", path.display()),
        )
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(broken)?;
    file.take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(broken)?;
    if bytes.len() as u64 > FILE_MAX {
        let detail = format!("{} is larger than 256 KiB", path.display());
        return Err(Fault::new(ErrorKind::TooLarge, detail).field("file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        Fault::invalid("file", format!("{} is not UTF-8: {error}", path.display()))
    })
}

fn full(persona: &Persona) -> String {
    let about = details([
        ("id", persona.id.clone()),
        ("name", persona.name.clone()),
        ("role", persona.role.clone()),
        ("use", persona.description.clone()),
        ("category", persona.category.clone()),
        ("source", word(persona.source)),
        ("agent", persona.agent.clone().unwrap_or_default()),
        ("model", persona.model.clone().unwrap_or_default()),
        (
            "reasoning",
            persona.reasoning_level.map(word).unwrap_or_default(),
        ),
        (
            "hierarchy",
            persona.hierarchy_role.map(word).unwrap_or_default(),
        ),
        ("traits", persona.traits.join(", ")),
        ("tools", persona.tools.join(", ")),
        ("remembers", persona.memory_seeds.join("\n")),
    ]);
    format!("{about}\n{}", persona.system_prompt.trim_end())
}
