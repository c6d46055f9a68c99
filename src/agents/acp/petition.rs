//! A request for permission that a person should decide, on its way to whoever can ask one.

use super::tool::Tool;
use crate::{
    domain::request::{OptionKind, RequestOption},
    stdx::text::head,
};
use serde_json::Value;
use tokio::sync::oneshot;

/// Of one option's id and name.
const WORD: usize = 256;
/// Ways to answer that a person is shown.
const OPTIONS: usize = 16;
/// Of what is shown beside the title.
const DETAIL: usize = 4 * 1024;
/// Paths that are named.
const PATHS: usize = 20;

/// What an agent wants to do. Its turn waits until this is answered; dropping it says no.
#[derive(Debug)]
pub struct Petition {
    pub title: String,
    /// Command, paths and changes, in short.
    pub detail: Option<String>,
    /// The agent's own, in its order.
    pub options: Vec<RequestOption>,
    /// All that tells it from another one. The same act asked for again has the same words.
    pub words: Vec<String>,
    answer: oneshot::Sender<Option<String>>,
}

impl Petition {
    /// Of a tool call, and where its answer will come from. `None` when none of the options lets anything happen, so nothing can be decided.
    pub(super) fn new(
        tool: &Tool,
        options: &Value,
    ) -> Option<(Self, oneshot::Receiver<Option<String>>)> {
        let options: Vec<_> = options
            .as_array()?
            .iter()
            .filter_map(option)
            .take(OPTIONS)
            .collect();
        if !options.iter().any(|option| may_act(option.kind)) {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let petition = Self {
            title: title(tool),
            detail: Some(detail(tool)).filter(|detail| !detail.is_empty()),
            options,
            words: words(tool),
            answer,
        };
        Some((petition, answered))
    }

    /// Chooses one of its options; `None`: the agent's way to be told no.
    pub fn answer(self, option: Option<String>) {
        // A turn that has ended needs no answer.
        drop(self.answer.send(option));
    }

    /// Returns when nobody needs an answer any more: the turn has ended or is being cancelled.
    pub async fn withdrawn(&mut self) {
        self.answer.closed().await;
    }
}

/// What an option's word means; a word from the future is a way to answer, and never taken for an allowance.
pub(super) fn kind(option: &Value) -> OptionKind {
    match option["kind"].as_str().unwrap_or_default() {
        "allow_once" => OptionKind::AllowOnce,
        "allow_always" => OptionKind::AllowAlways,
        "reject_once" => OptionKind::RejectOnce,
        "reject_always" => OptionKind::RejectAlways,
        _ => OptionKind::Choice,
    }
}

/// Whether the agent may have done something once this was chosen. Of an option that nobody knows one must expect it.
pub(super) fn may_act(kind: OptionKind) -> bool {
    match kind {
        OptionKind::AllowOnce | OptionKind::AllowAlways | OptionKind::Choice => true,
        OptionKind::RejectOnce | OptionKind::RejectAlways => false,
    }
}

/// An id that is cut would be another option's.
fn option(option: &Value) -> Option<RequestOption> {
    let id = option["optionId"].as_str().filter(|id| id.len() <= WORD)?;
    Some(RequestOption {
        id: id.to_owned(),
        name: head(option["name"].as_str().unwrap_or(id), WORD).to_owned(),
        kind: kind(option),
    })
}

fn title(tool: &Tool) -> String {
    let said = [Some(tool.title.as_str()), tool.command.as_deref()];
    let said = said.into_iter().flatten().map(one_line);
    let title = said.into_iter().find(|text| !text.is_empty());
    title.unwrap_or_else(|| format!("use a tool ({})", one_line(&tool.kind)))
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = head(text, 2 * WORD).split_whitespace().collect();
    words.join(" ")
}

fn detail(tool: &Tool) -> String {
    let mut parts = Vec::new();
    parts.extend(tool.command.as_deref().map(|line| format!("$ {line}\n")));
    let places = tool.directories.iter().take(PATHS);
    parts.extend(places.map(|place| format!("in {}\n", place.display())));
    let paths = tool.paths.iter().take(PATHS);
    parts.extend(paths.map(|path| format!("{}\n", path.display())));
    if tool.paths.len() > PATHS {
        parts.push(format!("and {} more\n", tool.paths.len() - PATHS));
    }
    let says_nothing = parts.is_empty();
    parts.push(tool.shown.words(says_nothing));
    let whole = parts.concat();
    let whole = whole.trim_end();
    let shown = head(whole, DETAIL);
    match whole.len() - shown.len() {
        0 => shown.to_owned(),
        more => format!("{shown}\n… and {more} bytes more"),
    }
}

/// A command says all that is done; anything else is told by its whole input and content.
fn words(tool: &Tool) -> Vec<String> {
    let mut words = vec![tool.kind.clone(), tool.title.clone()];
    match &tool.command {
        Some(command) => words.push(command.clone()),
        None => words.push(tool.shown.digest()),
    }
    let places = tool.directories.iter();
    words.extend(places.map(|place| format!("in {}", place.display())));
    let paths = tool.paths.iter();
    words.extend(paths.map(|path| path.to_string_lossy().into_owned()));
    words
}

#[cfg(test)]
mod tests {
    use super::{Petition, Tool};
    use serde_json::json;

    #[test]
    fn where_a_command_runs_is_shown_and_tells_it_from_another() {
        let options = json!([{"optionId": "y", "kind": "allow_once"}]);
        let [here, there] = ["/p", "/etc"].map(|place| {
            let tool = Tool {
                command: Some("cat passwd".to_owned()),
                directories: vec![place.into()],
                ..Tool::default()
            };
            Petition::new(&tool, &options).expect("a petition").0
        });
        assert_eq!(there.detail.as_deref(), Some("$ cat passwd\nin /etc"));
        assert_ne!(here.words, there.words);
    }
}
