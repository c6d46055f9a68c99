//! The settings of one process: each value in its type, and a list of where each came from.

use super::{
    Environment, Origin, Shown, file,
    keys::KEYS,
    layout::{Layout, absolute},
    resolve::Sources,
    store_url::StoreUrl,
};
use crate::domain::{
    fault::Fault,
    policy::{Ceiling, Policy},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, path::PathBuf};

/// What was given on the command line, by the names of `config.toml`; `home` is one of them.
#[derive(Clone, Debug, Default)]
pub struct Flags(pub BTreeMap<String, String>);

/// Bounds on what is taken in.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// Of one prompt.
    pub prompt_bytes: u64,
}

/// The pool of warm agents.
#[derive(Clone, Debug)]
pub struct WarmSettings {
    /// Turns at the same time, of one agent in one lane.
    pub max_concurrent: u64,
    /// What becomes of a queue for them that is long.
    pub overflow: Overflow,
    /// How many may wait for a turn before `overflow` says what becomes of more.
    pub queue_depth: u64,
    /// How long an agent may be idle before it ends.
    pub idle_ttl_ms: u64,
    /// None in a project that has no `.eyas.toml`.
    pub require_init: bool,
    /// How often an agent that ended by itself is started anew within `restarts_within_ms`, before a person must look at it.
    pub restarts: u64,
    pub restarts_within_ms: u64,
}

/// What agents take.
#[derive(Clone, Debug)]
pub struct MemorySettings {
    /// Idle warm agents end while all together take more; 0: whatever they take.
    pub budget_bytes: u64,
    /// How often it is looked at.
    pub sample_ms: u64,
}

/// What becomes of runs that wait for a turn of a warm agent when many do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// They wait.
    #[default]
    Wait,
    /// Some get a process of their own; `cold.max_concurrent` bounds them.
    Cold,
}

/// Attempts with a process of their own.
#[derive(Clone, Debug)]
pub struct ColdSettings {
    /// At the same time: those that were asked for, which take no turn of a warm agent, and those that went cold as too many waited. Runs that
    /// agents delegate count on their own level.
    pub max_concurrent: u64,
}

/// The hub's own life.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// How long it stays with nobody there and nothing to do.
    pub idle_exit_ms: u64,
}

/// Agents in general.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// Who works when nobody says who.
    pub default: Option<String>,
    /// Names that every agent may see, beside its own; a trailing `*` stands for any ending.
    pub env_passthrough: Vec<String>,
    /// `NAME=value` lines for what no peer sent; mode 0600.
    pub env_file: Option<PathBuf>,
    /// Where agents come from.
    pub source: Origins,
}

/// Where agents come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origins {
    #[default]
    Any,
    /// This machine alone: nothing is fetched.
    Local,
}

/// How agents are fetched.
#[derive(Clone, Debug)]
pub struct DepotSettings {
    /// Where GitHub's API answers.
    pub github_api: String,
    /// Where `PyPI`'s index answers, in its JSON form.
    pub pypi: String,
    /// Of one download, and of what comes out of an archive.
    pub max_bytes: u64,
    /// How long a download may bring nothing.
    pub stall_ms: u64,
    /// How long a download may take.
    pub total_ms: u64,
}

/// Agents that delegate.
#[derive(Clone, Debug)]
pub struct HierarchySettings {
    /// How many runs may stand above a run.
    pub max_depth: u64,
}

/// What is kept of runs, and how long an agent may be silent.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// How long a run is kept after it ended, with prompt, conclusion and events; 0: for ever.
    pub retention_ms: u64,
    /// How long an agent may take from its prompt to its first word; 0: for ever.
    pub first_output_ms: u64,
    /// How long an agent may be silent once it has begun, but for the time in which a person is waited for; 0: for ever.
    pub stall_ms: u64,
}

/// How far runs may go.
#[derive(Clone, Copy, Debug)]
pub struct PolicySettings {
    /// Where nobody says otherwise.
    pub base: Policy,
    /// What no project and no delegation goes beyond.
    pub ceiling: Ceiling,
}

/// Git worktrees of runs.
#[derive(Clone, Debug)]
pub struct WorktreeSettings {
    /// How many there may be; more are refused.
    pub max: u64,
    /// How long one stays after its run ended, unless there is work in it that is nowhere else.
    pub keep_ms: u64,
}

/// Everything that can be set, and where things lie.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a person edits.
    pub home: PathBuf,
    /// Everything else.
    pub data: PathBuf,
    /// The one directory given for both, by flag or `$EYAS_HOME`.
    pub given_home: Option<PathBuf>,
    pub config_file: PathBuf,
    pub personas_dir: PathBuf,
    pub agents_dir: PathBuf,
    pub templates_dir: PathBuf,
    pub instances_dir: PathBuf,
    pub worktrees_dir: PathBuf,
    pub depot: PathBuf,
    /// Which versions of agents are used.
    pub agents_lock: PathBuf,
    pub database: PathBuf,
    /// The database to use in place of that file.
    pub store_url: Option<StoreUrl>,
    pub logs_dir: PathBuf,
    /// `$XDG_RUNTIME_DIR`, where sockets go if it can be used.
    pub runtime_dir: Option<PathBuf>,
    pub limits: LimitSettings,
    pub warm: WarmSettings,
    pub memory: MemorySettings,
    pub cold: ColdSettings,
    /// What this machine is called among those that share a database; by its own name otherwise.
    pub host_name: Option<String>,
    pub hub: HubSettings,
    pub agent: AgentSettings,
    pub fetching: DepotSettings,
    pub runs: RunSettings,
    pub hierarchy: HierarchySettings,
    pub policy: PolicySettings,
    pub worktrees: WorktreeSettings,
    /// A level or a filter such as `eyas=debug`; each process has its own default.
    pub log: Option<String>,
    /// Of this binary; `EYAS_TEST_VERSION` stands in for it, for tests of upgrades only.
    pub version: String,
    /// `EYAS_TEST_REVISION`, which stands in for the API's revision, for tests of upgrades only.
    pub test_revision: Option<u32>,
    /// `EYAS_TEST_DEATH`, where a hub kills itself, for tests of what is left then only: `before Claim 2`.
    pub test_death: Option<String>,
    /// `EYAS_TEST_LEASE_MS`, how long leases last, for tests of hubs that are stopped only.
    pub test_lease_ms: Option<u64>,
    shown: Vec<Shown>,
}

impl Settings {
    /// Takes each value from flag, environment, `config.toml` or default, in this order.
    ///
    /// # Errors
    /// `required_field` without any home; `invalid_params` for a file that cannot be read, an unknown setting or a value of the wrong kind.
    pub fn load(env: &Environment, flags: &Flags) -> Result<Self, Fault> {
        let flag = flags.0.get("home").map(String::as_str);
        let given = flag.or_else(|| env.var("EYAS_HOME"));
        let layout = Layout::find(env, given)?;
        let config_file = layout.home.join("config.toml");
        let file = file::read(&config_file)?;
        let sources = Sources {
            flags: &flags.0,
            env,
            file: &file,
            home: &layout.home,
        };
        let mut found = KEYS
            .iter()
            .map(|key| sources.value(key))
            .collect::<Result<Vec<_>, _>>()?;
        let store_url = StoreUrl::take(&mut found)?;
        let mut settings = typed(layout, &Values(&found));
        settings.store_url = store_url;
        settings.given_home = given.map(|_| settings.home.clone());
        settings.runtime_dir = absolute(env, "XDG_RUNTIME_DIR");
        settings.pretend(env);
        settings.shown = settings.show(&home_origin(env, flag), found);
        Ok(settings)
    }

    /// Every value with where it came from, directories first.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    fn show(&self, origin: &Origin, found: Vec<Shown>) -> Vec<Shown> {
        [("home", &self.home), ("data", &self.data)]
            .into_iter()
            .map(|(name, path)| Shown {
                name: name.to_owned(),
                value: path.to_string_lossy().into(),
                origin: origin.clone(),
            })
            .chain(found)
            .collect()
    }

    fn pretend(&mut self, env: &Environment) {
        if let Some(version) = env.var("EYAS_TEST_VERSION") {
            version.clone_into(&mut self.version);
        }
        self.test_death = env.var("EYAS_TEST_DEATH").map(str::to_owned);
        self.test_lease_ms = env.var("EYAS_TEST_LEASE_MS").and_then(|ms| ms.parse().ok());
        self.test_revision = env
            .var("EYAS_TEST_REVISION")
            .and_then(|revision| revision.parse().ok());
    }
}

fn home_origin(env: &Environment, flag: Option<&str>) -> Origin {
    let set = ["EYAS_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"]
        .into_iter()
        .find(|name| env.var(name).is_some());
    match (flag, set) {
        (Some(_), _) => Origin::Flag,
        (None, Some(name)) => Origin::Environment(name.to_owned()),
        (None, None) => Origin::Default,
    }
}

/// What was found, by name. Every name in `KEYS` is there, in the kind it has there.
struct Values<'a>(&'a [Shown]);

impl Values<'_> {
    fn get(&self, name: &str) -> Option<&serde_json::Value> {
        self.0
            .iter()
            .find(|shown| shown.name == name)
            .map(|shown| &shown.value)
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name)
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default()
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name).and_then(serde_json::Value::as_bool) == Some(true)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    /// One of a few words; each of them is known to `T`.
    fn word<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        self.get(name)
            .and_then(|word| T::deserialize(word).ok())
            .unwrap_or_default()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).and_then(serde_json::Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }
}

fn typed(Layout { home, data }: Layout, values: &Values<'_>) -> Settings {
    Settings {
        given_home: None,
        config_file: home.join("config.toml"),
        personas_dir: home.join("personas"),
        agents_dir: home.join("agents"),
        templates_dir: home.join("templates"),
        instances_dir: data.join("instances"),
        worktrees_dir: data.join("worktrees"),
        depot: data.join("depot"),
        agents_lock: home.join("agents.lock"),
        database: data.join("eyas.db"),
        store_url: None,
        logs_dir: data.join("logs"),
        runtime_dir: None,
        home,
        data,
        limits: LimitSettings {
            prompt_bytes: values.number("limits.prompt_bytes"),
        },
        warm: warm(values),
        memory: memory(values),
        cold: ColdSettings {
            max_concurrent: values.number("cold.max_concurrent").max(1),
        },
        host_name: values.text("host.name"),
        hub: HubSettings {
            idle_exit_ms: values.number("hub.idle_exit_ms"),
        },
        agent: AgentSettings {
            default: values.text("agent.default"),
            env_passthrough: values.list("agent.env_passthrough"),
            env_file: values.text("agent.env_file").map(PathBuf::from),
            source: values.word("agent.source"),
        },
        fetching: fetching(values),
        runs: runs(values),
        hierarchy: HierarchySettings {
            max_depth: values.number("hierarchy.max_depth"),
        },
        policy: PolicySettings {
            base: Policy {
                security: values.word("policy.security"),
                ask: values.word("policy.ask"),
                ask_timeout_ms: values.number("policy.ask_timeout_ms"),
            },
            ceiling: Ceiling {
                security: values.word("policy.max_security"),
                ask: values.word("policy.max_ask"),
            },
        },
        worktrees: worktrees(values),
        log: values.text("log"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        test_revision: None,
        test_death: None,
        test_lease_ms: None,
        shown: Vec::new(),
    }
}

fn worktrees(values: &Values<'_>) -> WorktreeSettings {
    WorktreeSettings {
        max: values.number("worktrees.max"),
        keep_ms: values.number("worktrees.keep_ms"),
    }
}

fn fetching(values: &Values<'_>) -> DepotSettings {
    DepotSettings {
        github_api: values.text("depot.github_api").unwrap_or_default(),
        pypi: values.text("depot.pypi").unwrap_or_default(),
        max_bytes: values.number("depot.max_bytes"),
        stall_ms: values.number("depot.stall_ms").max(1),
        total_ms: values.number("depot.total_ms").max(1),
    }
}

fn runs(values: &Values<'_>) -> RunSettings {
    RunSettings {
        retention_ms: values.number("runs.retention_ms"),
        first_output_ms: values.number("runs.first_output_ms"),
        stall_ms: values.number("runs.stall_ms"),
    }
}

fn memory(values: &Values<'_>) -> MemorySettings {
    MemorySettings {
        budget_bytes: values.number("memory.budget_bytes"),
        sample_ms: values.number("memory.sample_ms").max(100),
    }
}

fn warm(values: &Values<'_>) -> WarmSettings {
    WarmSettings {
        max_concurrent: values.number("warm.max_concurrent").max(1),
        overflow: values.word("warm.overflow"),
        queue_depth: values.number("warm.queue_depth"),
        idle_ttl_ms: values.number("warm.idle_ttl_ms"),
        require_init: values.is_on("warm.require_init"),
        restarts: values.number("warm.restarts"),
        restarts_within_ms: values.number("warm.restarts_within_ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Settings};
    use crate::{
        config::{Environment, Origin},
        domain::policy::{Asking, Security},
    };

    fn env(vars: &[(&str, &str)]) -> Environment {
        Environment {
            vars: vars
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            cwd: "/place".into(),
            home_dir: Some("/home/me".into()),
            ..Environment::default()
        }
    }

    fn origin(settings: &Settings, name: &str) -> Origin {
        let shown = settings.shown().iter().find(|shown| shown.name == name);
        shown.expect("it is a setting").origin.clone()
    }

    #[test]
    fn a_given_home_holds_everything_and_is_made_absolute() {
        let settings = Settings::load(&env(&[("EYAS_HOME", "nest")]), &Flags::default())
            .expect("nothing is wrong");
        assert_eq!(settings.home.to_str(), Some("/place/nest"));
        assert_eq!(settings.data, settings.home);
    }

    #[test]
    fn without_one_xdg_decides_and_relative_paths_are_ignored() {
        let vars = [("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "c")];
        let settings = Settings::load(&env(&vars), &Flags::default()).expect("nothing is wrong");
        assert_eq!(settings.data.to_str(), Some("/d/eyas"));
        assert_eq!(settings.home.to_str(), Some("/home/me/.config/eyas"));
        assert_eq!(settings.database.to_str(), Some("/d/eyas/eyas.db"));
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
        let home = tempfile::tempdir().expect("a directory");
        let file = "agent.env_file = \"env\"\n[hub]\nidle_exit_ms = 1\n[warm]\nmax_concurrent = 2\nidle_ttl_ms = 3\n";
        std::fs::write(home.path().join("config.toml"), file).expect("a file");
        let path = home.path().to_string_lossy().into_owned();
        let vars = [
            ("EYAS_HOME", path.as_str()),
            ("EYAS_WARM_MAX_CONCURRENT", "7"),
            ("EYAS_HUB_IDLE_EXIT_MS", "8"),
            ("EYAS_AGENT_ENV_PASSTHROUGH", "A, B_*"),
        ];
        let flags = Flags([("hub.idle_exit_ms".to_owned(), "9".to_owned())].into());
        let settings = Settings::load(&env(&vars), &flags).expect("nothing is wrong");
        assert_eq!(settings.hub.idle_exit_ms, 9);
        assert_eq!(settings.warm.max_concurrent, 7);
        assert_eq!(settings.warm.idle_ttl_ms, 3);
        assert_eq!(settings.limits.prompt_bytes, 4 << 20);
        assert_eq!(settings.agent.env_passthrough, ["A", "B_*"]);
        assert_eq!(settings.agent.env_file, Some(home.path().join("env")));
        assert_eq!(origin(&settings, "hub.idle_exit_ms"), Origin::Flag);
        assert_eq!(origin(&settings, "warm.idle_ttl_ms"), Origin::Config);
        assert_eq!(origin(&settings, "limits.prompt_bytes"), Origin::Default);
        assert_eq!(
            origin(&settings, "warm.max_concurrent"),
            Origin::Environment("EYAS_WARM_MAX_CONCURRENT".to_owned())
        );
    }

    #[test]
    fn what_is_said_to_be_off_is_off_and_what_a_table_leaves_out_is_as_ever() {
        let home = tempfile::tempdir().expect("a directory");
        let file = "[warm]\nrequire_init = true\nidle_ttl_ms = 0\n";
        std::fs::write(home.path().join("config.toml"), file).expect("a file");
        let path = home.path().to_string_lossy().into_owned();
        let loaded = |vars: &[(&str, &str)]| {
            let vars = [&[("EYAS_HOME", path.as_str())], vars].concat();
            let loaded = Settings::load(&env(&vars), &Flags::default());
            loaded.expect("nothing is wrong").warm
        };
        let warm = loaded(&[]);
        assert!(warm.require_init);
        assert_eq!((warm.idle_ttl_ms, warm.max_concurrent), (0, 4));
        assert!(!loaded(&[("EYAS_WARM_REQUIRE_INIT", "false")]).require_init);
    }

    #[test]
    fn the_policy_and_its_ceiling_are_words_that_are_known() {
        let vars = [
            ("EYAS_HOME", "nest"),
            ("EYAS_POLICY_SECURITY", "deny"),
            ("EYAS_POLICY_MAX_ASK", "off"),
        ];
        let policy = Settings::load(&env(&vars), &Flags::default())
            .expect("nothing is wrong")
            .policy;
        assert_eq!(policy.base.security, Security::Deny);
        assert_eq!(policy.base.ask, Asking::OnMiss);
        assert_eq!(policy.ceiling.security, Security::Full);
        assert_eq!(policy.ceiling.ask, Asking::Off);
        let vars = [
            ("EYAS_HOME", "nest"),
            ("EYAS_POLICY_SECURITY", "everything"),
        ];
        let fault = Settings::load(&env(&vars), &Flags::default()).expect_err("no such word");
        assert_eq!(fault.field.as_deref(), Some("policy.security"));
    }

    #[test]
    fn the_password_of_the_database_is_known_and_never_shown() {
        let vars = [
            ("EYAS_HOME", "nest"),
            ("EYAS_STORE_URL", "postgres://me:topsecret@host/eyas"),
        ];
        let settings = Settings::load(&env(&vars), &Flags::default()).expect("nothing is wrong");
        let url = settings.store_url.as_ref().expect("it is set");
        assert_eq!(url.expose(), "postgres://me:topsecret@host/eyas");
        assert!(!format!("{settings:?}").contains("topsecret"));
        let vars = [("EYAS_HOME", "nest"), ("EYAS_STORE_URL", "mysql://host")];
        let fault = Settings::load(&env(&vars), &Flags::default()).expect_err("another database");
        assert_eq!(fault.field.as_deref(), Some("store.url"));
    }

    #[test]
    fn a_value_of_the_wrong_kind_names_its_setting() {
        let vars = [("EYAS_HUB_IDLE_EXIT_MS", "soon")];
        let fault = Settings::load(&env(&vars), &Flags::default()).expect_err("not a number");
        assert_eq!(fault.field.as_deref(), Some("hub.idle_exit_ms"));
    }
}
