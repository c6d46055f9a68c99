//! What a session is to use, where the agent lets us say: its model, its mode.
//!
//! By a config option where it has one of that category, else by the method that was there before; a model also by an argument of the process.
//! What cannot be had is a warning: the agent works, if otherwise.

use super::{
    link::Link,
    opening::{Opening, is_fatal},
};
use crate::domain::{fault::Fault, run::Warning};
use serde_json::{Value, json};

/// Choices that a warning names.
const NAMED: usize = 20;

/// How an agent was told what its sessions are to be, when its process was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// It has this in a file that its environment names.
    pub persona: Option<String>,
    /// An argument chose it.
    pub model: Option<String>,
    /// To be set in each session.
    pub mode: Option<String>,
}

/// One thing that may be chosen.
struct Choice {
    /// In warnings, and the category of the option.
    what: &'static str,
    /// The older way: the list in the answer, the names in it, and the method.
    list: &'static str,
    current: &'static str,
    offered: &'static str,
    id: &'static str,
    method: &'static str,
    warning: &'static str,
}

const MODEL: Choice = Choice {
    what: "model",
    list: "models",
    current: "currentModelId",
    offered: "availableModels",
    id: "modelId",
    method: "session/set_model",
    warning: "model_not_set",
};

const MODE: Choice = Choice {
    what: "mode",
    list: "modes",
    current: "currentModeId",
    offered: "availableModes",
    id: "modeId",
    method: "session/set_mode",
    warning: "mode_not_set",
};

impl Link {
    /// Sets what the opening and the agent's definition want; `answer` says what there is.
    pub(super) async fn choose(
        &self,
        session: &str,
        opening: &Opening,
        answer: &Value,
    ) -> Result<Vec<Warning>, Fault> {
        let manner = self.manner();
        let mut warnings = Vec::new();
        let model = opening.model.as_deref().filter(|model| !model.is_empty());
        // What an argument chose needs no second word.
        if let Some(model) = model.filter(|model| manner.model.as_deref() != Some(*model)) {
            warnings.extend(self.chosen(&MODEL, session, model, answer).await?);
        }
        if let Some(mode) = manner.mode.as_deref() {
            warnings.extend(self.chosen(&MODE, session, mode, answer).await?);
        }
        Ok(warnings)
    }

    async fn chosen(
        &self,
        choice: &Choice,
        session: &str,
        wanted: &str,
        answer: &Value,
    ) -> Result<Option<Warning>, Fault> {
        let options = list(&answer["configOptions"]);
        let option = options
            .iter()
            .find(|one| one["category"] == choice.what || one["id"] == choice.what);
        match option {
            Some(option) => self.by_option(choice, session, wanted, option).await,
            None => self.by_method(choice, session, wanted, answer).await,
        }
    }

    async fn by_option(
        &self,
        choice: &Choice,
        session: &str,
        wanted: &str,
        option: &Value,
    ) -> Result<Option<Warning>, Fault> {
        let offered: Vec<&Value> = choices(option).collect();
        let found = offered.iter().find(|one| is_named(one, "value", wanted));
        if option["currentValue"] == wanted {
            return Ok(None);
        }
        // Given by `_meta` when it opened.
        if found.is_none() && choice.what == MODEL.what && self.capabilities().takes_meta() {
            return Ok(None);
        }
        let value = found.map_or(wanted, |one| word(one, "value"));
        let params = json!({"sessionId": session, "configId": option["id"], "value": value});
        let set = self
            .ask("session/set_config_option", params, self.session_limit())
            .await;
        let names: Vec<&str> = offered.iter().map(|one| word(one, "value")).collect();
        told(choice, wanted, set, &names)
    }

    /// Some agents take any word for a mode and say nothing: of a list, only what is on it is asked for.
    async fn by_method(
        &self,
        choice: &Choice,
        session: &str,
        wanted: &str,
        answer: &Value,
    ) -> Result<Option<Warning>, Fault> {
        let there = &answer[choice.list];
        let offered = list(&there[choice.offered]);
        let names: Vec<&str> = offered.iter().map(|one| id(one, choice)).collect();
        let found = offered
            .iter()
            .find(|one| is_named(one, "id", wanted) || is_named(one, choice.id, wanted));
        let value = match found {
            Some(found) => id(found, choice),
            None if offered.is_empty() => wanted,
            None => return Ok(Some(not_offered(choice, wanted, &names))),
        };
        if there[choice.current] == value {
            return Ok(None);
        }
        let mut params = json!({"sessionId": session});
        params[choice.id] = json!(value);
        let set = self.ask(choice.method, params, self.session_limit()).await;
        told(choice, wanted, set, &names)
    }
}

fn told(
    choice: &Choice,
    wanted: &str,
    set: Result<Value, Fault>,
    offered: &[&str],
) -> Result<Option<Warning>, Fault> {
    match set {
        Ok(_) => Ok(None),
        Err(fault) if is_fatal(fault.kind) => Err(fault),
        Err(_) if !offered.is_empty() => Ok(Some(not_offered(choice, wanted, offered))),
        Err(fault) => Ok(Some(Warning::new(
            choice.warning,
            format!(
                "the agent has no way to use {} \"{wanted}\": {}",
                choice.what, fault.detail
            ),
        ))),
    }
}

fn not_offered(choice: &Choice, wanted: &str, offered: &[&str]) -> Warning {
    let named: Vec<&str> = offered.iter().take(NAMED).copied().collect();
    Warning::new(
        choice.warning,
        format!(
            "the agent does not offer {} \"{wanted}\"; it offers {}",
            choice.what,
            named.join(", ")
        ),
    )
}

/// An option's choices, which may be in groups.
fn choices(option: &Value) -> impl Iterator<Item = &Value> {
    list(&option["options"])
        .iter()
        .flat_map(|choice| match choice["options"].as_array() {
            Some(group) => group.as_slice(),
            None => std::slice::from_ref(choice),
        })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_named(choice: &Value, key: &str, wanted: &str) -> bool {
    let same = |word: &Value| {
        word.as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    };
    same(&choice[key]) || same(&choice["name"])
}

fn word<'a>(choice: &'a Value, key: &str) -> &'a str {
    choice[key].as_str().unwrap_or_default()
}

/// Modes have an `id`, models a `modelId`.
fn id<'a>(one: &'a Value, choice: &Choice) -> &'a str {
    one["id"].as_str().unwrap_or_else(|| word(one, choice.id))
}
