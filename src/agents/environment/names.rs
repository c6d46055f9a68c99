//! Names of the environment: which pass for all, which never, which hold a secret.

/// What every agent may see. A trailing `*` stands for any ending.
pub const COMMON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TMPDIR",
    "XDG_*",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

/// What the tools that install agents go by: registries, mirrors, certificates, a login.
pub const TOOLS: &[&str] = &[
    "NPM_CONFIG_*",
    "NPM_TOKEN",
    "PIP_*",
    "UV_*",
    "NIX_*",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// What we go by ourselves when we fetch an agent: seen by no agent and no tool.
pub const FETCHING: &[&str] = &["DOCKER_CONFIG", "GITHUB_TOKEN", "GH_TOKEN"];

/// What belongs to the editor, to another agent or to us, and would make a child take itself for something it is not.
/// Names of one conversation of Claude Code are among them for a second reason: they differ each time, so an agent that
/// saw them could never be warm for the next caller.
const NEVER: &[&str] = &[
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_SSE_PORT",
    "CLAUDE_CODE_SESSION_*",
    "CLAUDE_CODE_PARENT_*",
    "CLAUDE_CODE_CHILD_*",
    "CLAUDE_CODE_REMOTE*",
    "CLAUDE_CODE_AGENT_*",
    "CLAUDE_CODE_TEAM_*",
    "CLAUDE_CODE_TASK_*",
    "CLAUDE_CODE_IDE_*",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_CODE_TMPDIR",
    "OPENCODE_SESSION*",
    "OPENCODE_PID",
    "OPENCODE_RUN_ID",
    "OPENCODE_SERVER_*",
    "NODE_OPTIONS",
    "NODE_CHANNEL_*",
    "NODE_UNIQUE_ID",
    "ELECTRON_RUN_AS_NODE",
    "ELECTRON_NO_ATTACH_CONSOLE",
    "npm_*",
    "VSCODE_*",
    "EYAS_*",
];

/// Parts of a name, between underscores, that tell of a secret.
const SECRET: &[&str] = &[
    "KEY",
    "KEYS",
    "APIKEY",
    "TOKEN",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "HEADERS",
    "COOKIE",
    "BEARER",
    "JWT",
    "PRIVATE",
];

/// Whether `pattern`, an exact name or one with a trailing `*`, stands for `name`.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Whether a name never passes, whoever asks for it.
#[must_use]
pub fn never(name: &str) -> bool {
    NEVER.iter().any(|pattern| matches(pattern, name))
}

/// Whether the value of a name is to be kept out of texts. Names in `TOKENS` hold numbers, as `MAX_THINKING_TOKENS` does.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    // They name a socket and a directory.
    if matches!(name, "SSH_AUTH_SOCK" | "PWD" | "OLDPWD") {
        return false;
    }
    name.to_ascii_uppercase()
        .split('_')
        .any(|part| SECRET.contains(&part) || part.ends_with("PASSWORD") || part.ends_with("TOKEN"))
}
