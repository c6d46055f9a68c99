//! Completion of names and ids, by their beginning.

use super::{
    handler::Face,
    prompts::INSTANCE,
    resources::{self, TEMPLATES},
    results,
};
use crate::domain::fault::{ErrorKind, Fault};
use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

/// Names looked at.
const MOST: u32 = 200;

/// What the argument could become.
#[allow(
    clippy::wildcard_enum_match_arm,
    clippy::wildcard_in_or_patterns,
    reason = "rmcp may add kinds of references"
)]
pub(super) async fn complete(
    face: &Face,
    request: CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let argument = request.argument.name.as_str();
    let known = match &request.r#ref {
        Reference::Prompt(_) if argument == INSTANCE => instances(face).await,
        Reference::Resource(resource) => {
            let context = request.context.as_ref();
            let name = context.and_then(|context| context.get_argument("name"));
            of_template(face, &resource.uri, argument, name).await?
        }
        // A task is free text; another kind of reference is one that we never gave out.
        Reference::Prompt(_) | _ => Ok(Vec::new()),
    };
    let known = known.map_err(results::refusal)?;
    Ok(CompleteResult::new(matching(
        known,
        &request.argument.value,
    )?))
}

async fn of_template(
    face: &Face,
    uri: &str,
    argument: &str,
    name: Option<&String>,
) -> Result<Result<Vec<String>, Fault>, ErrorData> {
    if TEMPLATES.iter().all(|(template, ..)| *template != uri) {
        let all = TEMPLATES.map(|(template, ..)| template).join(", ");
        return Err(ErrorData::invalid_params(
            format!("no resource template {uri:?}; there are: {all}"),
            None,
        ));
    }
    let noun = uri.split('/').nth(2).unwrap_or_default();
    Ok(match (noun, argument) {
        ("runs", "id") => runs(face).await,
        ("personas", "id") => personas(face).await,
        ("instances", "name") => instances(face).await,
        ("instances", "file") => files(face, name).await,
        _ => {
            return Err(ErrorData::invalid_params(
                format!("{uri} has no argument {argument:?}"),
                None,
            ));
        }
    })
}

async fn runs(face: &Face) -> Result<Vec<String>, Fault> {
    let page = resources::recent_runs(face, None, MOST).await?;
    Ok(page.items.iter().map(|run| run.id.to_string()).collect())
}

async fn personas(face: &Face) -> Result<Vec<String>, Fault> {
    let page = resources::personas(face, None, MOST).await?;
    Ok(page.items.into_iter().map(|persona| persona.id).collect())
}

async fn instances(face: &Face) -> Result<Vec<String>, Fault> {
    let page = resources::some_instances(face, None, MOST).await?;
    Ok(page
        .items
        .into_iter()
        .map(|instance| instance.name)
        .collect())
}

async fn files(face: &Face, name: Option<&String>) -> Result<Vec<String>, Fault> {
    let Some(name) = name else {
        return Ok(Vec::new());
    };
    match resources::instance(face, name).await {
        Ok(view) => Ok(view.files.into_iter().map(|file| file.name).collect()),
        Err(fault) if fault.kind == ErrorKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

fn matching(known: Vec<String>, beginning: &str) -> Result<CompletionInfo, ErrorData> {
    let beginning = beginning.to_lowercase();
    let mut values: Vec<String> = known
        .into_iter()
        .filter(|value| value.to_lowercase().starts_with(&beginning))
        .collect();
    let total = u32::try_from(values.len()).ok();
    let more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    CompletionInfo::with_pagination(values, total, more)
        .map_err(|why| ErrorData::internal_error(why, None))
}
