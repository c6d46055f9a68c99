//! Git, run so that nothing of a repository's own configuration runs with it.

use crate::{
    domain::fault::{ErrorKind, Fault},
    workspace::git,
};
use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Of one command; a checkout of a large repository takes longest.
const LIMIT: Duration = Duration::from_mins(5);

/// What an agent may have written into `.git/config` and what would run a program or reach the network. The command line comes last, and wins.
const SAFE: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.quotePath=false",
    "core.sshCommand=false",
    "core.editor=false",
    "credential.helper=",
    "protocol.allow=never",
    "submodule.recurse=false",
    "checkout.guess=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Where and on what git is run.
#[derive(Clone, Debug)]
pub(super) struct Git {
    dir: PathBuf,
    /// A git directory of our own, in place of the one found at `dir`.
    own: Option<PathBuf>,
    index: Option<PathBuf>,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) ok: bool,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
}

impl Said {
    /// What it printed, without the last line's end.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end().to_owned()
    }
}

impl Git {
    /// The repository whose root `dir` is; one further up is not looked for.
    pub(super) fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            own: None,
            index: None,
        }
    }

    /// The work tree `dir` by a git directory of our own, whose index is `index`.
    pub(super) fn by(dir: &Path, own: &Path, index: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            own: Some(own.to_owned()),
            index: Some(index.to_owned()),
        }
    }

    /// What git says, in good or in bad. `input` is a file it reads.
    ///
    /// # Errors
    /// `internal`: there is no git, or it took too long.
    pub(super) async fn say(&self, args: &[&str], input: Option<&Path>) -> Result<Said, Fault> {
        let what = args.first().copied().unwrap_or_default();
        let mut command = self.command(args)?;
        if let Some(input) = input {
            command.stdin(Stdio::from(
                File::open(input).map_err(|e| unreadable(input, &e))?,
            ));
        }
        let output = timeout(LIMIT, command.output())
            .await
            .map_err(|_elapsed| {
                Fault::new(ErrorKind::TimedOut, format!("git {what} took too long"))
            })?
            .map_err(|error| absent(&error))?;
        Ok(Said {
            ok: output.status.success(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr)
                .trim_end()
                .to_owned(),
        })
    }

    /// What git prints.
    ///
    /// # Errors
    /// `internal` with git's own words when it refuses.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Said, Fault> {
        self.run_on(args, None).await
    }

    /// The same, with a file to read.
    pub(super) async fn run_on(&self, args: &[&str], input: Option<&Path>) -> Result<Said, Fault> {
        let said = self.say(args, input).await?;
        if said.ok {
            return Ok(said);
        }
        let what = args.first().copied().unwrap_or_default();
        Err(Fault::internal(format!(
            "git {what} failed in {}: {}",
            self.dir.display(),
            crate::stdx::text::tail(&said.err, 2_000)
        )))
    }

    fn command(&self, args: &[&str]) -> Result<Command, Fault> {
        let found = git::find(&self.dir);
        let (program, path) = found.ok_or_else(|| absent(&"it is not on the hub's PATH"))?;
        let mut command = Command::new(program);
        command.current_dir(&self.dir).arg("--no-pager");
        for setting in SAFE {
            command.args(["-c", setting]);
        }
        // A person named this directory; whose it is, is not asked again.
        command
            .arg("-c")
            .arg(format!("safe.directory={}", self.dir.display()));
        if let Some(own) = &self.own {
            command.arg("--git-dir").arg(own);
            command.arg("--work-tree").arg(&self.dir);
        }
        command.args(args);
        let above = self.dir.parent().unwrap_or(&self.dir);
        // Nothing of what surrounds the hub: a git whose hook started us would say which repository it means.
        command
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", above)
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_ALLOW_PROTOCOL", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        Ok(command)
    }
}

fn absent(why: &dyn fmt::Display) -> Fault {
    Fault::internal(format!("git cannot be run: {why}"))
        .hint("install git, and have it on the PATH of the hub")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::internal(format!("{}: {error}", path.display()))
}

/// The parts of what `-z` prints.
pub(super) fn parts(out: &[u8]) -> impl Iterator<Item = &[u8]> {
    out.split(|byte| *byte == 0).filter(|part| !part.is_empty())
}

/// The same as text.
pub(super) fn names(out: &[u8]) -> Vec<String> {
    parts(out)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect()
}
