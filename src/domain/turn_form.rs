//! A CLI that is run once a turn: the arguments of each turn, by what its output is read, and what it is told of the policy. Pure data, and
//! one pure function from a turn to its arguments.

use super::{
    fault::{ErrorKind, Fault},
    policy::Security,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of one argument; the system takes no longer ones.
const ARGUMENT: usize = 128 * 1024 - 1;
/// Bytes of a prompt, however it is given.
pub const PROMPT: usize = 32 * 1024 * 1024;

/// What may stand in an argument, between braces.
const PLACEHOLDERS: [&str; 10] = [
    "prompt",
    "prompt_file",
    "session",
    "model",
    "mode",
    "persona",
    "persona_file",
    "cwd",
    "tools",
    "tools_file",
];
/// Words that stand for several.
const FORM: &str = "{form}";
const POLICY: &str = "{policy}";

/// One argument, or several that are left out together where one of their placeholders stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Words {
    One(String),
    Together(Vec<String>),
}

/// How the prompt reaches the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptBy {
    /// On standard input, which then ends.
    #[default]
    Stdin,
    /// In a private file, whose path is `{prompt_file}`.
    File,
    /// As an argument, `{prompt}`, for a program that takes it no other way: everybody on the machine can read it while the turn lasts.
    Argument,
}

/// What the program prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Its answer, as it is.
    #[default]
    Text,
    /// A JSON object a line, of which `fields` says what it means.
    JsonLines,
    /// As `claude --output-format stream-json` does.
    Claude,
    /// As `codex exec --json` does.
    Codex,
    /// As `gemini --output-format stream-json` does.
    Gemini,
    /// As `opencode run --format json` does.
    Opencode,
}

/// Where in a line of JSON something stands: names between dots, numbers for places in a list, `*` for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// A piece of the answer.
    pub text: Option<String>,
    /// A line is a piece of the answer only if these paths have these values.
    #[serde(rename = "where")]
    pub holds: BTreeMap<String, String>,
    /// The whole answer, at the end: taken when no piece came.
    pub result: Option<String>,
    pub thought: Option<String>,
    /// The program's own id of the conversation.
    pub session: Option<String>,
    pub error: Option<String>,
    pub stop_reason: Option<String>,
    pub input_tokens: Option<String>,
    pub output_tokens: Option<String>,
    pub total_tokens: Option<String>,
    pub cost_usd: Option<String>,
}

/// Who names a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// The program, in its output.
    #[default]
    Output,
    /// Eyas: a new UUID, `{session}` of the first turn.
    Eyas,
}

/// How the program gets the MCP server by which its agent reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolsBy {
    /// A private file in the common format, whose path is `{tools_file}`; `{tools}` is the server's name in it.
    File,
    /// As `codex -c mcp_servers.…` takes it.
    Codex,
    /// As `OPENCODE_CONFIG_CONTENT` takes it.
    Opencode,
}

/// What the program is told of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Told {
    pub args: Vec<Words>,
    /// Set for its process; JSON is merged into what is there.
    pub env: BTreeMap<String, String>,
    /// What it does all the same, for people: the run then warns `policy_not_enforced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
}

/// What the program is told under each policy; where nothing is said, nobody knows what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyWords {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowlist: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<Told>,
}

impl PolicyWords {
    /// What it is told under this one.
    #[must_use]
    pub fn under(&self, security: Security) -> Option<&Told> {
        match security {
            Security::Deny => self.deny.as_ref(),
            Security::Allowlist => self.allowlist.as_ref(),
            Security::Full => self.full.as_ref(),
        }
    }
}

/// How a CLI is run once a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TurnForm {
    /// The program, where it is another than that of `launch`, which then speaks ACP and is taken if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Of every turn. `{form}` stands for those of the turn's own form (without it they come first), `{policy}` for those of the policy.
    pub args: Vec<Words>,
    /// Of the first turn of a conversation.
    pub start: Vec<Words>,
    /// Of a turn that goes on with the conversation `{session}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Vec<Words>>,
    /// Of a turn that goes on with the conversation before it, of which no id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<Vec<Words>>,
    pub prompt: PromptBy,
    pub output: Output,
    pub fields: Fields,
    pub named_by: NamedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolsBy>,
    pub policy: PolicyWords,
}

/// Which turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// The first of a conversation, which is to have this id where Eyas names it.
    Start(Option<&'a str>),
    /// The first after something went wrong in between, with the newest conversation there is.
    ResumeLatest,
    /// The first of a process in a conversation that is known.
    ResumeById(&'a str),
    /// A further one; without an id it goes on with the newest.
    FollowUp(Option<&'a str>),
}

/// What the placeholders stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    pub prompt: Option<&'a str>,
    pub prompt_file: Option<&'a str>,
    pub model: Option<&'a str>,
    pub persona: Option<&'a str>,
    pub persona_file: Option<&'a str>,
    pub cwd: Option<&'a str>,
    pub tools: Option<&'a str>,
    pub tools_file: Option<&'a str>,
    /// Of the run's policy; its word is `{mode}`.
    pub security: Security,
    /// What it is told besides, after the words of the policy.
    pub more: &'a [String],
}

impl TurnForm {
    /// It takes the persona by an argument.
    #[must_use]
    pub fn takes_persona(&self) -> bool {
        self.names("persona") || self.names("persona_file")
    }

    /// What it prints names the conversation.
    #[must_use]
    pub fn tells_session(&self) -> bool {
        match self.output {
            Output::Text => false,
            Output::JsonLines => self.fields.session.is_some(),
            Output::Claude | Output::Codex | Output::Gemini | Output::Opencode => true,
        }
    }

    /// Some argument has this placeholder.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        let mark = format!("{{{name}}}");
        let policies = [&self.policy.deny, &self.policy.allowlist, &self.policy.full];
        let told = policies.into_iter().flatten().flat_map(|told| &told.args);
        let forms = [&self.resume, &self.latest].into_iter().flatten().flatten();
        let all = self.args.iter().chain(&self.start).chain(forms).chain(told);
        all.flat_map(Words::each).any(|word| word.contains(&mark))
    }

    /// The arguments of a turn.
    ///
    /// # Errors
    /// `not_found` when there is no form for such a turn; `invalid_params` when a placeholder outside a list of its own stands for nothing;
    /// `too_large` when an argument is longer than the system takes.
    pub fn arguments(&self, turn: Turn<'_>, values: &Values<'_>) -> Result<Vec<String>, Fault> {
        let (form, session) = self.form(turn)?;
        let policy = self.policy.under(values.security);
        let policy = policy.map(|told| told.args.as_slice()).unwrap_or_default();
        let fill = Fill { session, values };
        let places = self.args.iter().any(|words| words.is(FORM));
        let mut args = Vec::new();
        if !places {
            fill.all(form, &mut args)?;
        }
        for words in &self.args {
            if words.is(FORM) {
                fill.all(form, &mut args)?;
            } else if words.is(POLICY) {
                fill.all(policy, &mut args)?;
                args.extend_from_slice(values.more);
            } else {
                fill.one(words, &mut args)?;
            }
        }
        match args.iter().find(|arg| arg.len() > ARGUMENT) {
            Some(long) => Err(too_long(long.len())),
            None => Ok(args),
        }
    }

    fn form<'a>(&'a self, turn: Turn<'a>) -> Result<(&'a [Words], Option<&'a str>), Fault> {
        let none = |what: &str| {
            let detail = format!("its definition has no form by which it goes on with {what}");
            Fault::new(ErrorKind::NotFound, detail)
        };
        let latest = || match &self.latest {
            Some(form) => Ok((form.as_slice(), None)),
            None => Err(none("the conversation before")),
        };
        match turn {
            Turn::Start(session) => Ok((&self.start, session)),
            Turn::ResumeLatest | Turn::FollowUp(None) => latest(),
            Turn::ResumeById(session) | Turn::FollowUp(Some(session)) => match &self.resume {
                Some(form) => Ok((form, Some(session))),
                None => Err(none("a conversation by its id")),
            },
        }
    }

    /// Whether it can be used as it is written.
    ///
    /// # Errors
    /// What is wrong, in words that continue "`turn` …".
    pub fn check(&self) -> Result<(), String> {
        let told = [&self.policy.deny, &self.policy.allowlist, &self.policy.full];
        let told = told.into_iter().flatten().flat_map(|told| &told.args);
        let forms = [&self.resume, &self.latest].into_iter().flatten().flatten();
        let parts = self.start.iter().chain(forms).chain(told);
        for word in self.args.iter().flat_map(Words::each) {
            if word != FORM && word != POLICY {
                known(word)?;
            }
        }
        for word in parts.flat_map(Words::each) {
            known(word)?;
        }
        let needs = [
            (
                self.prompt == PromptBy::Argument,
                "prompt",
                "prompt = \"argument\"",
            ),
            (
                self.prompt == PromptBy::File,
                "prompt_file",
                "prompt = \"file\"",
            ),
            (
                self.named_by == NamedBy::Eyas,
                "session",
                "named_by = \"eyas\"",
            ),
            (
                self.tools == Some(ToolsBy::File),
                "tools_file",
                "tools = \"file\"",
            ),
        ];
        for (needed, name, by) in needs {
            if needed && !self.names(name) {
                return Err(format!("needs {{{name}}} in an argument, by `{by}`"));
            }
        }
        let stray = [
            ("prompt", PromptBy::Argument),
            ("prompt_file", PromptBy::File),
        ];
        for (name, by) in stray {
            if self.prompt != by && self.names(name) {
                return Err(format!(
                    "has {{{name}}} in an argument, but gives the prompt another way"
                ));
            }
        }
        let blind = self.fields.text.is_none() && self.fields.result.is_none();
        if self.output == Output::JsonLines && blind {
            return Err(
                "needs `fields.text` or `fields.result`, by `output = \"json_lines\"`".to_owned(),
            );
        }
        Ok(())
    }
}

impl Words {
    fn each(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::One(word) => std::slice::from_ref(word).iter(),
            Self::Together(words) => words.iter(),
        }
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self, Self::One(word) if word == mark)
    }
}

struct Fill<'a> {
    session: Option<&'a str>,
    values: &'a Values<'a>,
}

impl Fill<'_> {
    fn all(&self, list: &[Words], into: &mut Vec<String>) -> Result<(), Fault> {
        list.iter().try_for_each(|words| self.one(words, into))
    }

    fn one(&self, words: &Words, into: &mut Vec<String>) -> Result<(), Fault> {
        match words {
            Words::One(word) => {
                let filled = self.word(word).map_err(|name| nothing(&name))?;
                into.push(filled);
            }
            Words::Together(words) => {
                let filled: Result<Vec<_>, _> = words.iter().map(|word| self.word(word)).collect();
                into.extend(filled.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The word with its placeholders filled in, in one pass: what stands in a value is no placeholder. Otherwise the name that stands for
    /// nothing.
    fn word(&self, word: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((before, name, after)) = placeholder(rest) {
            filled.push_str(before);
            filled.push_str(self.value(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let values = self.values;
        match name {
            "prompt" => values.prompt,
            "prompt_file" => values.prompt_file,
            "session" => self.session,
            "model" => values.model,
            "mode" => Some(mode(values.security)),
            "persona" => values.persona,
            "persona_file" => values.persona_file,
            "cwd" => values.cwd,
            "tools" => values.tools,
            "tools_file" => values.tools_file,
            _ => None,
        }
    }
}

fn mode(security: Security) -> &'static str {
    match security {
        Security::Deny => "deny",
        Security::Allowlist => "allowlist",
        Security::Full => "full",
    }
}

/// The first placeholder of a text, with what stands before and after it. Other braces are text: an argument may be JSON.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('{').map(|at| from + at) {
        let rest = &text[at + 1..];
        if let Some(name) = PLACEHOLDERS.iter().find(|name| {
            rest.strip_prefix(**name)
                .is_some_and(|rest| rest.starts_with('}'))
        }) {
            return Some((&text[..at], name, &rest[name.len() + 1..]));
        }
        from = at + 1;
    }
    None
}

/// A name in braces that stands for nothing is a slip, not text.
fn known(word: &str) -> Result<(), String> {
    let mut rest = word;
    while let Some((_, after)) = rest.split_once('{') {
        let name = after.split_once('}').map(|(name, _)| name);
        let is_name = |name: &&str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        if let Some(name) = name.filter(is_name)
            && !PLACEHOLDERS.contains(&name)
        {
            return Err(format!(
                "has {{{name}}} where it means nothing; known are {}",
                PLACEHOLDERS.join(", ")
            ));
        }
        rest = after;
    }
    Ok(())
}

fn nothing(name: &str) -> Fault {
    Fault::new(
        ErrorKind::InvalidParams,
        format!("the agent's definition needs {{{name}}}, which this turn has not"),
    )
    .hint("write the arguments with it as a list of their own: they are left out together")
}

fn too_long(len: usize) -> Fault {
    let detail = format!("an argument of {len} bytes is longer than the system takes ({ARGUMENT})");
    Fault::new(ErrorKind::TooLarge, detail).hint("give the prompt on standard input or in a file")
}

#[cfg(test)]
mod tests;
