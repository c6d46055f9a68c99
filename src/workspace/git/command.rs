//! One call of the `git` program.

use super::{
    OUTPUT,
    error::GitError,
    guard, program,
    sink::{Kept, Sink, read},
};
use crate::stdx::text;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

/// Of stderr.
const COMPLAINT: usize = 16 * 1024;

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Output {
    /// Exit code; 128 and more for a signal.
    pub code: i32,
    /// Bytes: paths need not be UTF-8.
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    /// What it wrote, as text, without the white space around it.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    pub(super) fn success(self, what: &str) -> Result<Self, GitError> {
        if self.code == 0 {
            return Ok(self);
        }
        Err(GitError::Failed {
            what: what.to_owned(),
            detail: text::tail(self.stderr.trim(), 500).to_owned(),
        })
    }
}

/// A call to be made.
pub(in crate::workspace) struct Call {
    root: PathBuf,
    /// Another tree whose programs are not ours to run.
    beside: Option<PathBuf>,
    limit: Duration,
    environment: Vec<(&'static str, OsString)>,
    configuration: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    sink: Sink,
}

impl Call {
    pub(in crate::workspace) fn new(root: &Path, limit: Duration) -> Self {
        Self {
            root: root.to_owned(),
            beside: None,
            limit,
            environment: Vec::new(),
            configuration: Vec::new(),
            input: Vec::new(),
            sink: Sink::Memory(OUTPUT),
        }
    }

    /// No program in `tree` is run either: the project's own tree, of which the root is a worktree.
    pub(in crate::workspace) fn beside(mut self, tree: Option<&Path>) -> Self {
        self.beside = tree.map(Path::to_owned);
        self
    }

    pub(in crate::workspace) fn environment(
        mut self,
        more: impl IntoIterator<Item = (&'static str, OsString)>,
    ) -> Self {
        self.environment.extend(more);
        self
    }

    /// Configuration that wins over every file. It goes by the environment and not by `-c`, which cannot name a key with `=` in it.
    pub(in crate::workspace) fn set<K: Into<OsString>, V: Into<OsString>>(
        mut self,
        more: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let more = more
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        self.configuration.extend(more);
        self
    }

    pub(in crate::workspace) fn input(mut self, input: Vec<u8>) -> Self {
        self.input = input;
        self
    }

    /// Takes the first `most` bytes of what it writes and one more, and ends it then.
    pub(in crate::workspace) fn head(mut self, most: usize) -> Self {
        self.sink = Sink::Head(most);
        self
    }

    /// Has what it writes in a new file, of which there is nothing left when it is more than `most` bytes.
    pub(in crate::workspace) fn file(mut self, path: &Path, most: u64) -> Self {
        self.sink = Sink::File(path.to_owned(), most);
        self
    }

    /// Makes it, in time or not at all.
    pub(in crate::workspace) async fn run<S: AsRef<OsStr>>(
        self,
        args: &[S],
    ) -> Result<Output, GitError> {
        let what = args.first().map_or(OsStr::new(""), AsRef::as_ref);
        let what = what.to_string_lossy().into_owned();
        let limit = self.limit;
        match tokio::time::timeout(limit, self.made(args, &what)).await {
            Ok(came) => came,
            Err(_late) => Err(GitError::Late {
                what,
                limit_ms: limit.as_millis(),
            }),
        }
    }

    async fn made<S: AsRef<OsStr>>(self, args: &[S], what: &str) -> Result<Output, GitError> {
        let trees: Vec<&Path> = [Some(self.root.as_path()), self.beside.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let (program, path) = program::find(&trees).ok_or(GitError::Absent)?;
        let mut command = Command::new(program);
        command
            .arg("--no-pager")
            .args(args)
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", path)
            .envs(self.environment)
            .env("GIT_CONFIG_COUNT", self.configuration.len().to_string());
        for (n, (key, value)) in self.configuration.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{n}"), key)
                .env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        let mut group = Group::start(command)?;
        let (stdin, stdout, stderr) = group.pipes()?;
        let written = async move {
            let mut stdin = stdin;
            // A git that has heard enough closes its end; its exit code tells.
            stdin.write_all(&self.input).await.ok();
        };
        let kept = self.sink.keep(stdout);
        let ((), out, err) = tokio::join!(written, kept, read(stderr, COMPLAINT));
        let stdout = match out? {
            Kept::All(stdout) => stdout,
            // The rest of it is killed as the group is dropped.
            Kept::Head(stdout) => {
                return Ok(Output {
                    code: 0,
                    stdout,
                    stderr: String::new(),
                });
            }
            Kept::TooMuch(limit) => {
                let what = what.to_owned();
                return Err(GitError::TooMuch { what, limit });
            }
        };
        let complaint = err?.unwrap_or_default();
        Ok(Output {
            code: group.end().await?,
            stdout,
            stderr: String::from_utf8_lossy(&complaint).into_owned(),
        })
    }
}

/// A started git and whatever it started; killed as it is dropped before its end.
struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    #[expect(
        clippy::disallowed_methods,
        reason = "not an agent: a short call of one known program, which must not wait behind the launching thread"
    )]
    fn start(mut command: Command) -> io::Result<Self> {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child.id().and_then(|pid| i32::try_from(pid).ok());
        let leader = leader.and_then(Pid::from_raw);
        if let Some(leader) = leader {
            guard::watch(leader);
        }
        Ok(Self { child, leader })
    }

    fn pipes(
        &mut self,
    ) -> io::Result<(
        tokio::process::ChildStdin,
        tokio::process::ChildStdout,
        tokio::process::ChildStderr,
    )> {
        let child = &mut self.child;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((stdin, stdout, stderr)),
            _ => Err(io::Error::other("git has no pipes")),
        }
    }

    async fn end(mut self) -> io::Result<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        let status = self.child.wait().await?;
        // Its number may be another's from here on.
        if let Some(leader) = self.leader.take() {
            guard::let_go(leader);
        }
        Ok(status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It is not waited for yet, so the number is still its own.
        if let Some(leader) = self.leader.filter(|_| self.child.id().is_some()) {
            if let Err(errno) = kill_process_group(leader, Signal::KILL) {
                tracing::trace!(%errno, "a late git had ended");
            }
            guard::let_go(leader);
        }
    }
}
