//! The machine's own tools: run below a shim like any agent, with an environment of their own and no rights at the hub.

use super::unavailable;
use crate::{
    agents::{
        environment::{self, Values},
        pool::Lineage,
        process::{Command, Launcher, Process},
    },
    domain::fault::Fault,
    stdx::text,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, time::timeout};

/// What a tool says on its stdout is read as far as this.
const MOST: u64 = 16 << 20;
/// Of what it said on stderr, in a fault.
const TAIL: usize = 1_500;
/// After a tool has ended, for what it wrote to be read: whatever it left behind may hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What tools are run with.
#[derive(Clone)]
pub struct Tools {
    launcher: Launcher,
    lineage: Lineage,
    env: Values,
    /// All that is known, for what is no tool's business.
    values: Values,
}

/// Environment values stay out of every log.
impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) ok: bool,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
    words: String,
}

impl Done {
    /// What it wrote, or what it failed with.
    pub(super) fn well(self) -> Result<Vec<u8>, Fault> {
        if self.ok {
            Ok(self.out)
        } else {
            Err(self.fault())
        }
    }

    /// What it failed with.
    pub(super) fn fault(&self) -> Fault {
        let said = match self.err.trim() {
            "" => String::from_utf8_lossy(&self.out).into_owned(),
            said => said.to_owned(),
        };
        unavailable(format!(
            "`{}` failed: {}",
            self.words,
            text::tail(said.trim(), TAIL)
        ))
    }
}

impl Tools {
    /// `values` is the environment of whoever installs.
    #[must_use]
    pub fn new(launcher: Launcher, lineage: Lineage, values: Values) -> Self {
        Self {
            launcher,
            lineage,
            env: environment::of_tools(&values),
            values,
        }
    }

    /// A value of the environment that is set.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The first program of that name on PATH.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        self.all(name).into_iter().next()
    }

    /// Every program of that name on PATH, in its order.
    pub(super) fn all(&self, name: &str) -> Vec<PathBuf> {
        let path = self.env.get("PATH").map(String::as_str).unwrap_or_default();
        let folders: Vec<&str> = path.split(':').filter(|one| one.starts_with('/')).collect();
        which::which_in_all(name, Some(folders.join(":")), "/")
            .map(Iterator::collect)
            .unwrap_or_default()
    }

    /// Runs a program to its end, with `first` before everything else on PATH.
    ///
    /// # Errors
    /// `store_unavailable` when it cannot be started or takes too long. That it fails is in the answer.
    pub(super) async fn run(
        &self,
        program: &Path,
        args: &[&str],
        cwd: &Path,
        first: Option<&Path>,
        limit: Duration,
    ) -> Result<Done, Fault> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let words = format!("{name} {}", args.first().copied().unwrap_or_default());
        let mut env = self.env.clone();
        if let Some(first) = first {
            let path = env.get("PATH").cloned().unwrap_or_default();
            env.insert("PATH".to_owned(), format!("{}:{path}", first.display()));
        }
        let command = Command {
            agent: "install".to_owned(),
            program: program.to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            env,
            cwd: cwd.to_owned(),
        };
        let launched = self.launcher.launch(command).await;
        let Process {
            stdin,
            stdout,
            handle,
        } = launched.map_err(|fault| unavailable(fault.detail))?;
        self.lineage.watch(handle.pid(), handle.gone());
        drop(stdin);
        let reading = tokio::spawn(async move {
            let mut out = Vec::new();
            drop(stdout.take(MOST).read_to_end(&mut out).await);
            out
        });
        let Ok(exit) = timeout(limit, handle.exited()).await else {
            // Dropping the hold ends it and all that it started.
            return Err(unavailable(format!(
                "`{words}` took longer than {} s",
                limit.as_secs()
            )));
        };
        let stop = reading.abort_handle();
        let out = timeout(LAST_WORDS, reading).await;
        stop.abort();
        Ok(Done {
            ok: exit.code == Some(0),
            out: out.ok().and_then(Result::ok).unwrap_or_default(),
            err: handle.stderr_tail(),
            words: words.trim().to_owned(),
        })
    }
}
