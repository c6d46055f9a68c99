//! What an agent asks of a person: a permission, or a question. Durable, and keyed by run.

use super::{fault::Fault, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To do something that the policy leaves to a person.
    Permission,
    /// Anything else; answered with one of the options, or with text.
    Question,
}

/// What choosing an option means. Options are told apart by it, never by position or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    AllowOnce,
    AllowAlways,
    RejectOnce,
    RejectAlways,
    /// An answer to a question.
    Choice,
}

/// One way to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestOption {
    /// What an answer names.
    pub id: String,
    /// For a person.
    pub name: String,
    pub kind: OptionKind,
}

/// An open request, as the API shows it with its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Unique; UUIDv7.
    pub id: String,
    pub kind: RequestKind,
    /// One line: what the agent wants, or its question.
    pub title: String,
    /// The command, the paths, or more of the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Empty: any text answers.
    pub options: Vec<RequestOption>,
    /// Unanswered by then it is denied, or answered by its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Answer {
    /// Id of an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Who decided a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    Person,
    /// Nobody answered in time.
    Deadline,
    /// The agent took it back, or its turn ended.
    Withdrawn,
}

/// The end of a request: who decided what, and why. Kept as long as its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    pub by: DecidedBy,
    /// Face and version of the person's editor or shell, where a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<String>,
    pub answer: Answer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub at: Timestamp,
}

impl Request {
    /// Whether `answer` is one that this request can take.
    ///
    /// # Errors
    /// `invalid_params` naming the field and what could be said instead; `required_field` when nothing is said.
    pub fn check(&self, answer: &Answer) -> Result<(), Fault> {
        match (&answer.option, &answer.text) {
            (None, None) => Err(Fault::required("option").hint(self.says())),
            (Some(option), _) if !self.options.iter().any(|one| one.id == *option) => {
                Err(Fault::invalid("option", "is none of this request").hint(self.says()))
            }
            (None, Some(_)) if self.kind == RequestKind::Permission => {
                Err(Fault::required("option").hint(self.says()))
            }
            (Some(_), _) | (None, Some(_)) => Ok(()),
        }
    }

    fn says(&self) -> String {
        let ids: Vec<_> = self.options.iter().map(|one| one.id.as_str()).collect();
        if ids.is_empty() {
            "answer with text".to_owned()
        } else {
            format!("its options: {}", ids.join(", "))
        }
    }
}
