use super::{Values, is_secret, missing, named, own_values, secrets, select};
use crate::{agents::definitions::Registry, domain::agent::AgentDefinition};
use std::path::Path;

fn values(names: &[&str]) -> Values {
    names
        .iter()
        .map(|&name| (name.to_owned(), format!("value of {name}")))
        .collect()
}

fn agent(id: &str) -> AgentDefinition {
    let registry = Registry::load(Path::new("/nowhere"), Path::new("/own"));
    registry.get(id).unwrap().clone()
}

fn names(values: &Values) -> Vec<&str> {
    values.keys().map(String::as_str).collect()
}

#[test]
fn an_agent_sees_the_common_set_its_own_names_and_what_a_person_added() {
    let here = values(&[
        "ANTHROPIC_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_CODE_USE_BEDROCK",
        "EYAS_TOKEN",
        "GITHUB_TOKEN",
        "HOME",
        "LC_ALL",
        "MY_EXTRA",
        "NODE_OPTIONS",
        "OPENAI_API_KEY",
        "PATH",
        "VSCODE_PID",
        "https_proxy",
        "npm_config_x",
    ]);
    let extra = [
        "MY_EXTRA".to_owned(),
        "NODE_OPTIONS".to_owned(),
        "*".to_owned(),
    ];
    let seen = select(&here, &agent("claude"), &extra[..2]);
    assert_eq!(
        names(&seen),
        [
            "ANTHROPIC_API_KEY",
            "CLAUDE_CODE_USE_BEDROCK",
            "DISABLE_AUTOUPDATER",
            "HOME",
            "LC_ALL",
            "MY_EXTRA",
            "PATH",
            "https_proxy"
        ]
    );
    let all = select(&here, &agent("embedded"), &extra[2..]);
    assert!(!all.contains_key("EYAS_TOKEN") && all.contains_key("GITHUB_TOKEN"));
    assert_eq!(
        names(&select(&here, &agent("embedded"), &[])),
        ["HOME", "LC_ALL", "PATH", "https_proxy"]
    );
    assert_eq!(
        names(&own_values(&here, &agent("claude"))),
        ["ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK"]
    );
    assert_eq!(
        secrets(&here, &agent("claude"), &[]),
        ["value of ANTHROPIC_API_KEY"]
    );
    let sent = named(&here, &["PATH".to_owned(), "CLAUDE*".to_owned()]);
    assert_eq!(names(&sent), ["CLAUDE_CODE_USE_BEDROCK", "PATH"]);
}

#[test]
fn what_an_agent_needs_passes_and_is_missed() {
    let mut hawk = agent("embedded");
    hawk.env.required = vec!["HAWK_KEY".to_owned(), "HAWK_URL".to_owned()];
    hawk.launch
        .env
        .insert("HAWK_URL".to_owned(), "x".to_owned());
    assert_eq!(missing(&Values::new(), &hawk), ["HAWK_KEY"]);
    let mut here = values(&["HAWK_KEY"]);
    assert!(missing(&here, &hawk).is_empty());
    assert_eq!(select(&here, &hawk, &[]).len(), 2);
    here.insert("HAWK_KEY".to_owned(), String::new());
    assert_eq!(missing(&here, &hawk), ["HAWK_KEY"]);
}

#[test]
fn secrets_are_known_by_their_names() {
    for name in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "OPENAI_APIKEY",
        "DB_PASSWORD",
        "pgpassword",
        "ANTHROPIC_CUSTOM_HEADERS",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ] {
        assert!(is_secret(name), "{name}");
    }
    for name in [
        "PATH",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_BASE_URL",
        "SSH_AUTH_SOCK",
        "MONKEY",
        "MAX_THINKING_TOKENS",
        "AUTHOR",
        "PWD",
    ] {
        assert!(!is_secret(name), "{name}");
    }
}
