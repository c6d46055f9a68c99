//! A home of a test's own, the binary run in it, and hubs inside the test's process with work made up.

use async_trait::async_trait;
use eyas::{
    api::hub::WarmAgent,
    config::{Environment, Flags, Settings},
    domain::{caller::Caller, fault::Fault, ids::RunId},
    hub::{
        ending::Ending,
        endpoint::Endpoint,
        ground::{Builder, Ground, Served, Work},
        join::Connection,
        life::Hub,
    },
};
use jsonrpsee::Methods;
use serde_json::Value;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until there is something, and gives up after [`PATIENCE`].
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A home, and the variables that every process of it is given.
pub(crate) struct Nest {
    root: TempDir,
    pub(crate) home: PathBuf,
    pub(crate) vars: Vec<(String, String)>,
}

impl Nest {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        Self {
            root,
            home,
            vars: Vec::new(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    fn all_vars(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut vars = vec![
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), text(self.root())),
            ("TMPDIR".to_owned(), text(self.root())),
            ("EYAS_HOME".to_owned(), text(&self.home)),
        ];
        vars.extend(self.vars.iter().cloned());
        vars
    }

    /// The binary, in this home and with nothing else of the test's environment.
    pub(crate) fn eyas(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eyas"));
        command
            .args(args)
            .env_clear()
            .envs(self.all_vars())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What the binary says to `input`, from its start to its end.
    pub(crate) fn say(&self, args: &[&str], input: &str) -> Output {
        finish(self.eyas(args), input)
    }

    /// The answers of `eyas rpc` to `lines`.
    pub(crate) fn rpc(&self, lines: &str) -> Vec<Value> {
        answers(&self.say(&["rpc"], lines))
    }

    /// `hub.info` by way of a face, which starts a hub if there is none.
    pub(crate) fn info(&self) -> Value {
        let answers = self.rpc(INFO);
        answers[0]["result"].clone()
    }

    /// What is written down about where the hub listens.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        Endpoint::read(&self.settings()).unwrap()
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment {
            vars: self.all_vars().into_iter().collect(),
            cwd: self.root().to_owned(),
            home_dir: Some(self.root().to_owned()),
            temp_dir: self.root().to_owned(),
            exe: env!("CARGO_BIN_EXE_eyas").into(),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::load(&self.environment(), &Flags::default()).unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        let settings = self.settings();
        let version = settings.version.clone();
        Connection::new(
            Arc::new(settings),
            Arc::new(self.environment()),
            "test",
            &version,
        )
    }

    /// A hub of this home inside the test's process.
    pub(crate) async fn hatch(&self, work: FakeWork, methods: Methods) -> Hatched {
        let ground = Arc::new(Mutex::new(None));
        let (work, kept) = (Arc::new(work), ground.clone());
        let builder = Builder::new(move |ground: Ground| {
            *kept.lock().unwrap() = Some(ground);
            let (work, methods) = (work.clone(), methods.clone());
            async move { Ok(Served { methods, work }) }
        });
        let (settings, env) = (Arc::new(self.settings()), Arc::new(self.environment()));
        let hub = Hub::open(settings, env, &builder).await.unwrap().unwrap();
        let ground = ground.lock().unwrap().take().unwrap();
        Hatched {
            ground,
            ending: hub.ending(),
            life: tokio::spawn(hub.run()),
        }
    }
}

/// Ends what a face has started; a hub that is still on its way has written down nowhere where it is.
impl Drop for Nest {
    fn drop(&mut self) {
        for pid in of_home(&self.home) {
            kill(pid);
        }
    }
}

/// Processes that were given this home, but for the test's own.
fn of_home(home: &Path) -> Vec<u32> {
    let given = format!("EYAS_HOME={}\0", home.display()).into_bytes();
    let is_given = |pid: &u32| {
        // One that has ended meanwhile has none.
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.windows(given.len()).any(|found| found == given)
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter(is_given)
        .collect()
}

/// SIGKILL, by pid.
pub(crate) fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    // Gone already is as good.
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
}

pub(crate) const INFO: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hub.info\"}\n";

pub(crate) fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    feed(&mut child, input);
    drop(child.stdin.take());
    child.wait_with_output().unwrap()
}

/// Writes to a face that goes on.
pub(crate) fn feed(child: &mut Child, input: &str) {
    // One that has ended already says why by its output.
    drop(child.stdin.as_mut().unwrap().write_all(input.as_bytes()));
}

/// Lines of JSON; nothing else may be there.
pub(crate) fn answers(output: &Output) -> Vec<Value> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A hub inside the test's process.
pub(crate) struct Hatched {
    pub(crate) ground: Ground,
    pub(crate) ending: Ending,
    pub(crate) life: JoinHandle<()>,
}

impl Hatched {
    pub(crate) async fn end(self) {
        self.ending.begin();
        self.life.await.unwrap();
    }
}

/// Work that is only told about.
#[derive(Debug, Default)]
pub(crate) struct FakeWork {
    pub(crate) open: Arc<Mutex<Vec<RunId>>>,
    pub(crate) env_names: Vec<String>,
    pub(crate) children: Vec<(u32, Caller)>,
}

impl FakeWork {
    /// Work with a run that does not end by itself.
    pub(crate) fn with(run: RunId) -> Self {
        Self {
            open: Arc::new(Mutex::new(vec![run])),
            ..Self::default()
        }
    }
}

#[async_trait]
impl Work for FakeWork {
    async fn open_runs(&self) -> Result<Vec<RunId>, Fault> {
        Ok(self.open.lock().unwrap().clone())
    }

    async fn agents(&self) -> Vec<WarmAgent> {
        Vec::new()
    }

    fn env_names(&self) -> Vec<String> {
        self.env_names.clone()
    }

    fn whose(&self, pid: u32) -> Option<Caller> {
        let child = self.children.iter().find(|(child, _)| *child == pid);
        child.map(|(_, caller)| *caller)
    }

    async fn stop(&self) {}
}
