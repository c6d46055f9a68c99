//! Every setting: its name in `config.toml`, what it may hold, what it is without being set.

/// What a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Path,
    /// A whole number that is not negative.
    Number,
    /// True or false.
    Switch,
    /// Text in a list; commas part it in the environment.
    List,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Dotted name, as the tables of `config.toml` spell it.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As it would stand in the environment; empty = not set.
    pub(super) default: &'static str,
}

const SECURITY: Kind = Kind::Word(&["deny", "allowlist", "full"]);
const OVERFLOW: Kind = Kind::Word(&["cold", "wait"]);
const ORIGIN: Kind = Kind::Word(&["any", "local"]);
const ASKING: Kind = Kind::Word(&["off", "always", "on_miss"]);

const fn key(name: &'static str, kind: Kind, default: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
    }
}

/// All settings, by name. Durations are milliseconds.
pub(super) const KEYS: &[Key] = &[
    key("agent.default", Kind::Text, ""),
    key("agent.env_file", Kind::Path, ""),
    key("agent.env_passthrough", Kind::List, ""),
    key("agent.source", ORIGIN, "any"),
    key("cold.max_concurrent", Kind::Number, "2"),
    key("depot.github_api", Kind::Text, "https://api.github.com"),
    key("depot.max_bytes", Kind::Number, "2147483648"),
    key("depot.pypi", Kind::Text, "https://pypi.org/simple"),
    key("depot.stall_ms", Kind::Number, "30000"),
    key("depot.total_ms", Kind::Number, "1800000"),
    key("hierarchy.max_depth", Kind::Number, "3"),
    key("host.name", Kind::Text, ""),
    key("hub.idle_exit_ms", Kind::Number, "1800000"),
    key("limits.prompt_bytes", Kind::Number, "4194304"),
    key("log", Kind::Text, ""),
    key("memory.budget_bytes", Kind::Number, "0"),
    key("memory.sample_ms", Kind::Number, "10000"),
    key("policy.ask", ASKING, "on_miss"),
    key("policy.ask_timeout_ms", Kind::Number, "600000"),
    key("policy.max_ask", ASKING, "on_miss"),
    key("policy.max_security", SECURITY, "full"),
    key("policy.security", SECURITY, "allowlist"),
    key("runs.first_output_ms", Kind::Number, "600000"),
    key("runs.retention_ms", Kind::Number, "7776000000"),
    key("runs.stall_ms", Kind::Number, "1800000"),
    key("store.url", Kind::Text, ""),
    key("warm.idle_ttl_ms", Kind::Number, "600000"),
    key("warm.max_concurrent", Kind::Number, "4"),
    key("warm.overflow", OVERFLOW, "wait"),
    key("warm.queue_depth", Kind::Number, "16"),
    key("warm.require_init", Kind::Switch, "false"),
    key("warm.restarts", Kind::Number, "3"),
    key("warm.restarts_within_ms", Kind::Number, "60000"),
    key("worktrees.keep_ms", Kind::Number, "1209600000"),
    key("worktrees.max", Kind::Number, "32"),
];

impl Key {
    /// The variable that sets it: `hub.idle_exit_ms` is `EYAS_HUB_IDLE_EXIT_MS`.
    pub(super) fn variable(&self) -> String {
        format!("EYAS_{}", self.name.replace('.', "_").to_uppercase())
    }
}
