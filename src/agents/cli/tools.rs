//! The MCP server of our own that an agent is given for a turn, in the words of its program's configuration. The token lies in a private file
//! that the server alone is told of: neither an argument nor the agent's environment shows it.

use super::papers::Papers;
use crate::{
    agents::{
        acp::{Reporting, server_name},
        badge::Badge,
        definitions::overlay,
        pool::Launch,
    },
    domain::{
        agent::McpScope,
        turn_form::{ToolsBy, TurnForm},
    },
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, io};

/// What a turn is told of it.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) name: Option<String>,
    /// The file in which it is configured.
    pub(super) file: Option<String>,
    pub(super) args: Vec<String>,
    pub(super) badge: Option<Badge>,
}

/// There is such a server, and the program takes one.
pub(super) fn can_be_given(launch: &Launch, form: &TurnForm) -> bool {
    launch.equipment.is_some()
        && form.tools.is_some()
        && launch.definition.mcp_scope != McpScope::None
}

/// Configures it for a turn whose files lie in `papers`; `env` is the environment that the program will have. Blocks as long as the disk does.
pub(super) fn give(
    launch: &Launch,
    form: &TurnForm,
    reporting: Option<Reporting>,
    papers: &Papers,
    env: &mut BTreeMap<String, String>,
) -> io::Result<Given> {
    let (Some(reporting), Some(by), Some(equipment)) = (reporting, form.tools, &launch.equipment)
    else {
        return Ok(Given::default());
    };
    if !can_be_given(launch, form) {
        return Ok(Given::default());
    }
    // Its process is known when there is one; nobody can show the badge before.
    let (badge, token) = equipment.badges.mint(0)?;
    let token = papers.write("token", token.0.as_bytes())?;
    let name = server_name();
    let mut words = vec!["session-tools".to_owned(), "--token-file".to_owned(), token];
    if reporting.may_delegate {
        words.push("--may-delegate".to_owned());
    }
    let program = equipment.program.to_string_lossy().into_owned();
    let mut given = Given {
        badge: Some(badge),
        ..Given::default()
    };
    match by {
        ToolsBy::File => {
            let server =
                json!({"type": "stdio", "command": program, "args": words, "env": equipment.env});
            let config = json!({"mcpServers": {name.as_str(): server}}).to_string();
            given.file = Some(papers.write("tools.json", config.as_bytes())?);
        }
        ToolsBy::Codex => given.args = codex(&name, &program, &words, &equipment.env),
        ToolsBy::Opencode => {
            let command: Vec<&String> = [&program].into_iter().chain(&words).collect();
            let server = json!({"type": "local", "command": command, "environment": equipment.env, "enabled": true});
            let config = json!({"mcp": {name.as_str(): server}}).to_string();
            let over = BTreeMap::from([("OPENCODE_CONFIG_CONTENT".to_owned(), config)]);
            overlay(env, &over);
        }
    }
    given.name = Some(name);
    Ok(given)
}

/// Each value is TOML, of which JSON's strings and lists are a part.
fn codex(
    name: &str,
    program: &str,
    words: &[String],
    env: &BTreeMap<String, String>,
) -> Vec<String> {
    let pairs: Vec<String> = env
        .iter()
        .map(|(name, value)| format!("{} = {}", json!(name), json!(value)))
        .collect();
    let fields: Map<String, Value> = Map::from_iter([
        ("command".to_owned(), json!(program)),
        ("args".to_owned(), json!(words)),
        // Our own tools need nobody's leave.
        ("default_tools_approval_mode".to_owned(), json!("approve")),
    ]);
    let fields = fields
        .into_iter()
        .map(|(field, value)| format!("{field}={value}"));
    let env = format!("env={{{}}}", pairs.join(", "));
    fields
        .chain([env])
        .flat_map(|field| ["-c".to_owned(), format!("mcp_servers.{name}.{field}")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::codex;
    use std::collections::BTreeMap;

    #[test]
    fn codex_reads_our_words_as_toml() {
        let env = BTreeMap::from([("EYAS_HOME".to_owned(), "/h \"q\"".to_owned())]);
        let words = ["session-tools".to_owned(), "a b".to_owned()];
        let args = codex("eyas_1", "/opt/eyas", &words, &env);
        let text: String = args
            .iter()
            .filter(|arg| *arg != "-c")
            .map(|arg| format!("{arg}\n"))
            .collect();
        let read: toml::Table = toml::from_str(&text).expect("TOML");
        let server = &read["mcp_servers"]["eyas_1"];
        assert_eq!(server["command"].as_str(), Some("/opt/eyas"));
        assert_eq!(server["args"][1].as_str(), Some("a b"));
        assert_eq!(server["env"]["EYAS_HOME"].as_str(), Some("/h \"q\""));
    }
}
