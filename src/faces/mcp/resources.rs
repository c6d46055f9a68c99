//! `eyas://` resources: runs, their transcripts and diffs, personas, and the identity files of instances.

use super::{
    handler::{Face, bad_cursor},
    results, tools, transcript, views,
};
use crate::{
    api::{
        instance::{InstanceApiClient, InstanceList, InstanceName, InstanceView},
        persona::{PersonaApiClient, PersonaId, PersonaList},
        run::{RunApiClient, RunList, RunRef},
    },
    domain::{
        conclusion::Changes,
        fault::{ErrorKind, Fault},
        instance::Instance,
        page::Page,
        persona::Persona,
        run::Run,
    },
    stdx::text::head,
};
use futures::future::try_join_all;
use rmcp::{
    ErrorData,
    model::{
        ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write as _;

const SCHEME: &str = "eyas://";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";
const TEXT: &str = "text/plain";
const DIFF: &str = "text/x-diff";
/// Of each kind in one page.
const RUNS: u32 = 20;
const INSTANCES: u32 = 10;
const PERSONAS: u32 = 50;

/// Templates, in the order of the kinds.
pub(super) const TEMPLATES: [(&str, &str, &str, &str); 5] = [
    (
        "eyas://runs/{id}",
        "run",
        "A run: state, conclusion, error",
        JSON,
    ),
    (
        "eyas://runs/{id}/transcript",
        "transcript",
        "What the agent of a run said and did",
        TEXT,
    ),
    (
        "eyas://runs/{id}/diff",
        "diff",
        "What a run changed in the files: as a diff in a worktree of its own, else by file",
        DIFF,
    ),
    (
        "eyas://personas/{id}",
        "persona",
        "A persona with its system prompt",
        JSON,
    ),
    (
        "eyas://instances/{name}/{file}",
        "instance-file",
        "An identity file of an instance, such as SOUL.md or MEMORY.md",
        MARKDOWN,
    ),
];

/// How far each kind was listed. Opaque to clients.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personas: Option<String>,
}

/// All templates.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    TEMPLATES
        .iter()
        .map(|(uri, name, description, mime)| {
            ResourceTemplate::new(*uri, *name)
                .with_description(*description)
                .with_mime_type(*mime)
        })
        .collect()
}

/// What there is to read about a run beside itself, as links.
pub(super) fn of(run: &Run) -> Vec<Resource> {
    let link = |name: &str| Resource::new(format!("{SCHEME}runs/{}/{name}", run.id), name);
    let mut links = Vec::new();
    if run.attempt > 0 {
        let transcript = link("transcript").with_title("Transcript of the run");
        links.push(transcript.with_mime_type(TEXT));
    }
    let changed = changes(run).is_some_and(|changes| !changes.files.is_empty());
    if changed {
        let diff = link("diff").with_title("What the run changed");
        links.push(diff.with_mime_type(DIFF));
    }
    links
}

fn changes(run: &Run) -> Option<&Changes> {
    run.conclusion.as_ref()?.changes.as_ref()
}

/// Recent runs, instances' files and personas, some of each on a page.
pub(super) async fn list(
    face: &Face,
    cursor: Option<String>,
) -> Result<ListResourcesResult, ErrorData> {
    let first = cursor.is_none();
    let from: Far = match &cursor {
        None => Far::default(),
        Some(text) => serde_json::from_str(text).map_err(|_not_ours| bad_cursor())?,
    };
    let mut next = Far::default();
    let mut items = Vec::new();
    if first || from.runs.is_some() {
        let page = runs(face, from.runs).await.map_err(results::refusal)?;
        items.extend(page.items.iter().map(run));
        next.runs = page.next_cursor;
    }
    if first || from.instances.is_some() {
        let page = instances(face, from.instances)
            .await
            .map_err(results::refusal)?;
        items.extend(files(face, &page.items).await.map_err(results::refusal)?);
        next.instances = page.next_cursor;
    }
    if first || from.personas.is_some() {
        let page = personas(face, from.personas, PERSONAS)
            .await
            .map_err(results::refusal)?;
        items.extend(page.items.iter().map(persona));
        next.personas = page.next_cursor;
    }
    let mut result = ListResourcesResult::with_all_items(items);
    if next.runs.is_some() || next.instances.is_some() || next.personas.is_some() {
        result.next_cursor = serde_json::to_string(&next).ok();
    }
    Ok(result)
}

/// What a URI names.
pub(super) async fn read(face: &Face, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let path = uri.strip_prefix(SCHEME).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let found = match parts.as_slice() {
        ["runs", id] => run_text(face, id).await,
        ["runs", id, "transcript"] => transcript_text(face, id).await,
        ["runs", id, "diff"] => diff_text(face, id).await,
        ["personas", id] => persona_text(face, id).await,
        ["instances", name, file] => file_text(face, name, file).await,
        _ => Err(Fault::not_found("resource", head(uri, 200))),
    };
    let (mime, text) = found.map_err(|fault| missing(uri, fault))?;
    Ok(ReadResourceResult::new(vec![
        ResourceContents::text(text, uri).with_mime_type(mime),
    ]))
}

pub(super) fn missing(uri: &str, fault: Fault) -> ErrorData {
    if fault.kind == ErrorKind::NotFound {
        ErrorData::resource_not_found(
            format!("no resource {:?}: {}", head(uri, 200), fault.detail),
            Some(json!({"uri": head(uri, 200)})),
        )
    } else {
        results::refusal(fault)
    }
}

type Found = Result<(&'static str, String), Fault>;

async fn run_text(face: &Face, id: &str) -> Found {
    let run = tools::known(face, tools::run_id(id)?).await?;
    pretty(&run)
}

async fn transcript_text(face: &Face, id: &str) -> Found {
    let id = tools::run_id(id)?;
    let run = tools::known(face, id).await?;
    let said = transcript::whole(face, id).await?;
    let text = format!("# Run {id}\n\n{}\n\n# What happened\n{said}", run.prompt);
    Ok((TEXT, text))
}

/// The worktree's diff while there is one; afterwards, and in a shared tree, what the conclusion knows by file.
async fn diff_text(face: &Face, id: &str) -> Found {
    let id = tools::run_id(id)?;
    let run = tools::known(face, id).await?;
    let mut gone = None;
    if run.worktree.is_some() {
        let diff = face
            .link()
            .read(|hub| async move { RunApiClient::diff(&*hub, RunRef { id }).await })
            .await;
        match diff {
            Ok(diff) if diff.truncated => {
                let text = format!("{}\n# cut here: there is more\n", diff.text);
                return Ok((DIFF, text));
            }
            Ok(diff) => return Ok((DIFF, diff.text)),
            Err(fault) => gone = Some(fault),
        }
    }
    match (changes(&run), gone) {
        (Some(changes), _) => Ok((DIFF, listed(changes))),
        (None, Some(fault)) => Err(fault),
        (None, None) => Err(Fault::not_found("diff of run", id)),
    }
}

/// Changes by file, as comments of a diff: it has no hunks.
fn listed(changes: &Changes) -> String {
    let mut text = format!("# {}\n", views::sum(changes));
    for file in &changes.files {
        let status = views::plain(file.status);
        let lines = match (file.added, file.removed) {
            (None, None) => "binary".to_owned(),
            (added, removed) => format!(
                "+{} -{}",
                added.unwrap_or_default(),
                removed.unwrap_or_default()
            ),
        };
        let status = status.as_str().unwrap_or_default();
        put(
            &mut text,
            format_args!("# {status} {} {lines}\n", file.path),
        );
    }
    for commit in &changes.commits {
        put(
            &mut text,
            format_args!("# commit {} {}\n", commit.id, commit.subject),
        );
    }
    text
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what)
        .expect("a string takes all that is written");
}

async fn persona_text(face: &Face, id: &str) -> Found {
    let params = PersonaId { id: id.to_owned() };
    let persona = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { PersonaApiClient::get(&*hub, params).await }
        })
        .await?;
    pretty(&persona)
}

async fn file_text(face: &Face, name: &str, file: &str) -> Found {
    let view = instance(face, name).await?;
    let names: Vec<String> = view.files.iter().map(|one| one.name.clone()).collect();
    let mime = if is_markdown(file) { MARKDOWN } else { TEXT };
    view.files
        .into_iter()
        .find(|one| one.name == file)
        .map(|one| (mime, one.content))
        .ok_or_else(|| {
            let names = names.iter().map(String::as_str);
            Fault::not_found_among("file", head(file, 80), names, "resources/list")
        })
}

fn is_markdown(file: &str) -> bool {
    std::path::Path::new(file)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("md"))
}

fn pretty<T: Serialize>(thing: &T) -> Found {
    serde_json::to_string_pretty(thing)
        .map(|text| (JSON, text))
        .map_err(Fault::internal)
}

/// An instance with its files.
pub(super) async fn instance(face: &Face, name: &str) -> Result<InstanceView, Fault> {
    let params = InstanceName {
        name: name.to_owned(),
    };
    face.link()
        .read(|hub| {
            let params = params.clone();
            async move { InstanceApiClient::get(&*hub, params).await }
        })
        .await
}

async fn runs(face: &Face, cursor: Option<String>) -> Result<Page<Run>, Fault> {
    recent_runs(face, cursor, RUNS).await
}

/// Runs, newest first.
pub(super) async fn recent_runs(
    face: &Face,
    cursor: Option<String>,
    limit: u32,
) -> Result<Page<Run>, Fault> {
    let params = RunList {
        cursor,
        limit: Some(limit),
        ..RunList::default()
    };
    face.link()
        .read(|hub| {
            let params = params.clone();
            async move { RunApiClient::list(&*hub, params).await }
        })
        .await
}

async fn instances(face: &Face, cursor: Option<String>) -> Result<Page<Instance>, Fault> {
    some_instances(face, cursor, INSTANCES).await
}

/// Instances by name.
pub(super) async fn some_instances(
    face: &Face,
    cursor: Option<String>,
    limit: u32,
) -> Result<Page<Instance>, Fault> {
    let params = InstanceList {
        cursor,
        limit: Some(limit),
        ..InstanceList::default()
    };
    face.link()
        .read(|hub| {
            let params = params.clone();
            async move { InstanceApiClient::list(&*hub, params).await }
        })
        .await
}

/// Personas by id.
pub(super) async fn personas(
    face: &Face,
    cursor: Option<String>,
    limit: u32,
) -> Result<Page<Persona>, Fault> {
    let params = PersonaList {
        cursor,
        limit: Some(limit),
        ..PersonaList::default()
    };
    face.link()
        .read(|hub| {
            let params = params.clone();
            async move { PersonaApiClient::list(&*hub, params).await }
        })
        .await
}

async fn files(face: &Face, instances: &[Instance]) -> Result<Vec<Resource>, Fault> {
    let views = instances.iter().map(|one| instance(face, &one.name));
    let views = try_join_all(views).await?;
    Ok(views.iter().flat_map(files_of).collect())
}

fn files_of(view: &InstanceView) -> Vec<Resource> {
    let name = &view.instance.name;
    let file = |file: &crate::api::instance::IdentityFile| {
        let uri = format!("{SCHEME}instances/{name}/{}", file.name);
        Resource::new(uri, format!("{name}/{}", file.name))
            .with_title(format!("{} of {}", file.name, view.instance.display_name))
            .with_mime_type(if is_markdown(&file.name) {
                MARKDOWN
            } else {
                TEXT
            })
            .with_size(file.content.len() as u64)
    };
    view.files.iter().map(file).collect()
}

fn run(run: &Run) -> Resource {
    let title = head(run.prompt.lines().next().unwrap_or_default(), 80);
    Resource::new(
        format!("{SCHEME}runs/{}", run.id),
        format!("run {}", run.id),
    )
    .with_title(title)
    .with_description(results::doing(run))
    .with_mime_type(JSON)
}

fn persona(persona: &Persona) -> Resource {
    Resource::new(
        format!("{SCHEME}personas/{}", persona.id),
        format!("persona {}", persona.id),
    )
    .with_title(persona.name.clone())
    .with_description(head(&persona.description, 200))
    .with_mime_type(JSON)
}
