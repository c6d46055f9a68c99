//! Things of the API as a model gets them: small. What is left out is a resource away.

use crate::{
    api::instance::InstanceView,
    domain::{
        conclusion::Changes,
        persona::Persona,
        run::{Attempt, Run},
        schedule::Schedule,
    },
    stdx::text::{head, tail},
};
use serde::Serialize;
use serde_json::{Value, json};

/// Bytes of a prompt in an answer about one thing.
const PROMPT: usize = 2 * 1024;
/// About 6,000 tokens.
const SUMMARY: usize = 24 * 1024;
/// Bytes of an error's detail, of a file, of the last words of an attempt.
const DETAIL: usize = 4 * 1024;
/// Bytes of a long text within a list.
const ROW: usize = 240;

/// Files and commits of a run in an answer about it, and in one that asks for all of them.
const FILES: usize = 20;
const COMMITS: usize = 10;
/// Bytes of all of them.
const CHANGES: usize = 16 * 1024;

/// Anything as it is.
pub(super) fn plain<T: Serialize>(thing: T) -> Value {
    serde_json::to_value(&thing).unwrap_or_default()
}

/// A run alone; with what it used, and with all that it changed.
pub(super) fn run(mut run: Run, usage: bool, changes: bool) -> Value {
    run.prompt = shortened(&run.prompt, PROMPT);
    if let Some(error) = &mut run.error {
        error.detail = shortened(&error.detail, DETAIL);
    }
    if let Some(conclusion) = &mut run.conclusion {
        conclusion.summary = ending(&conclusion.summary, SUMMARY);
    }
    let below = run.asks_below.iter_mut().flat_map(|one| &mut one.requests);
    for request in run.requests.iter_mut().chain(below) {
        request.title = shortened(&request.title, 2 * ROW);
        request.detail = request
            .detail
            .as_deref()
            .map(|text| shortened(text, DETAIL));
    }
    if let Some(found) = run.conclusion.as_mut().and_then(|one| one.changes.as_mut()) {
        if changes {
            cut(found, CHANGES / 64, CHANGES / 256);
            while found.files.len() > 1 && plain(&*found).to_string().len() > CHANGES {
                cut(found, found.files.len() * 3 / 4, COMMITS);
            }
        } else {
            cut(found, FILES, COMMITS);
        }
    }
    if !usage {
        run.usage = None;
        if let Some(conclusion) = &mut run.conclusion {
            conclusion.usage = None;
        }
    }
    plain(run)
}

/// A run within a list.
pub(super) fn run_row(mut run: Run) -> Value {
    run.prompt = shortened(&run.prompt, ROW);
    run.usage = None;
    if let Some(error) = &mut run.error {
        error.detail = shortened(&error.detail, ROW);
    }
    if let Some(conclusion) = &mut run.conclusion {
        conclusion.summary = shortened(&conclusion.summary, 2 * ROW);
        conclusion.usage = None;
        conclusion.artifacts.truncate(8);
        conclusion.tools = None;
        if let Some(changes) = &mut conclusion.changes {
            cut(changes, 0, 0);
        }
    }
    run.said = None;
    run.tree_usage = None;
    run.asks_below.clear();
    for request in &mut run.requests {
        request.title = shortened(&request.title, ROW);
        request.detail = None;
    }
    plain(run)
}

/// A run among the few that were asked for.
pub(super) fn run_of_several(mut run: Run) -> Value {
    run.prompt = shortened(&run.prompt, ROW);
    if let Some(conclusion) = &mut run.conclusion {
        conclusion.summary = ending(&conclusion.summary, SUMMARY / 8);
    }
    self::run(run, false, false)
}

fn cut(changes: &mut Changes, files: usize, commits: usize) {
    changes.truncated |= changes.files.len() > files || changes.commits.len() > commits;
    changes.files.truncate(files);
    changes.commits.truncate(commits);
}

/// What was changed, in a few words: `3 files +10 −2, 1 commit`.
pub(super) fn sum(changes: &Changes) -> String {
    let more = if changes.truncated { " or more" } else { "" };
    let several = |count: usize| if count == 1 { "" } else { "s" };
    let (files, commits) = (changes.files.len(), changes.commits.len());
    let mut text = format!(
        "{files} file{}{more} +{} −{}",
        several(files),
        changes.added,
        changes.removed
    );
    if commits > 0 {
        text = format!("{text}, {commits} commit{}", several(commits));
    }
    if !changes.overlaps.is_empty() {
        text += ", some of them changed by other runs too";
    }
    text
}

/// Attempts of a run.
pub(super) fn attempts(attempts: Vec<Attempt>) -> Value {
    let shown = attempts.into_iter().map(|mut attempt| {
        if let Some(words) = &mut attempt.stderr_tail {
            *words = ending(words, DETAIL / 4);
        }
        plain(attempt)
    });
    Value::Array(shown.collect())
}

/// A persona alone.
pub(super) fn persona(mut persona: Persona) -> Value {
    persona.system_prompt = shortened(&persona.system_prompt, PROMPT);
    for template in persona.identity_templates.values_mut() {
        *template = shortened(template, ROW);
    }
    plain(persona)
}

/// A persona within a list.
pub(super) fn persona_row(mut persona: Persona) -> Value {
    persona.system_prompt = shortened(&persona.system_prompt, ROW / 2);
    persona.description = shortened(&persona.description, 2 * ROW);
    persona.identity_templates.clear();
    persona.memory_seeds.clear();
    persona.extra.clear();
    plain(persona)
}

/// An instance, with the files that were asked for.
pub(super) fn instance(mut view: InstanceView) -> Value {
    for file in &mut view.files {
        file.content = shortened(&file.content, DETAIL);
    }
    plain(view)
}

/// A schedule alone.
pub(super) fn schedule(mut schedule: Schedule) -> Value {
    schedule.work.prompt = shortened(&schedule.work.prompt, PROMPT);
    plain(schedule)
}

/// A schedule within a list.
pub(super) fn schedule_row(mut schedule: Schedule) -> Value {
    schedule.work.prompt = shortened(&schedule.work.prompt, ROW);
    schedule.next_times.truncate(1);
    plain(schedule)
}

/// An object with one more property.
pub(super) fn add(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value);
    }
}

/// Nothing at all, as an object.
pub(super) fn empty() -> Value {
    json!({})
}

/// The beginning of a text, and how much is missing.
pub(super) fn shortened(text: &str, max: usize) -> String {
    let kept = head(text, max);
    match text.len() - kept.len() {
        0 => text.to_owned(),
        missing => format!("{kept}… ({missing} bytes more)"),
    }
}

/// The end of a text, and how much is missing.
pub(super) fn ending(text: &str, max: usize) -> String {
    let kept = tail(text, max);
    match text.len() - kept.len() {
        0 => text.to_owned(),
        missing => format!("({missing} bytes before) …{kept}"),
    }
}
