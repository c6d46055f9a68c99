//! Git, run so that nothing of a repository's own configuration runs with it.

use crate::{
    domain::fault::Fault,
    workspace::git::{Call, GitError, quiet},
};
use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Of one command that writes files: a checkout of a large repository takes longest.
pub(super) const WRITING: Duration = Duration::from_mins(5);
/// Of one that only looks. An agent can have git wait for ever, by a pipe in the place of a file that it reads, while others wait for us.
pub(super) const LOOKING: Duration = Duration::from_secs(if cfg!(test) { 5 } else { 20 });

/// Besides what every call of git is given.
const MORE: &[(&str, &str)] = &[
    ("core.untrackedCache", "false"),
    ("core.quotePath", "false"),
    ("checkout.guess", "false"),
];

/// Where and on what git is run.
#[derive(Clone, Debug)]
pub(super) struct Git {
    dir: PathBuf,
    /// The project's own tree, whose programs are not ours to run.
    project: PathBuf,
    /// A git directory of our own, in place of the one found at `dir`, and an index.
    own: Option<(PathBuf, PathBuf)>,
    limit: Duration,
    sink: Sink,
}

/// Where what a command prints goes.
#[derive(Clone, Debug)]
enum Sink {
    Memory,
    Head(usize),
    File(PathBuf, u64),
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
        Self::inside(dir, dir)
    }

    /// The worktree `dir` of the repository at `project`.
    pub(super) fn inside(dir: &Path, project: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            project: project.to_owned(),
            own: None,
            limit: LOOKING,
            sink: Sink::Memory,
        }
    }

    /// The work tree `dir` by a git directory of our own, whose index is `index`.
    pub(super) fn by(dir: &Path, project: &Path, own: &Path, index: &Path) -> Self {
        Self {
            own: Some((own.to_owned(), index.to_owned())),
            ..Self::inside(dir, project)
        }
    }

    /// For what writes files.
    pub(super) fn writing(mut self) -> Self {
        self.limit = WRITING;
        self
    }

    /// Of what is printed, only the first `most` bytes and one more.
    pub(super) fn head(mut self, most: usize) -> Self {
        self.sink = Sink::Head(most);
        self
    }

    /// What is printed goes to a new file; more than `most` bytes are `too_large`.
    pub(super) fn into_file(mut self, path: &Path, most: u64) -> Self {
        self.sink = Sink::File(path.to_owned(), most);
        self
    }

    /// What git says, in good or in bad, to `input`.
    ///
    /// # Errors
    /// `internal`: there is no git; `timed_out`; `too_large`.
    pub(super) async fn say(&self, args: &[&str], input: Vec<u8>) -> Result<Said, Fault> {
        let mut call = self.call();
        if self.own.is_none() {
            // The repository's own configuration is read, and names programs. To list them starts none.
            let named = self.call().run(quiet::LIST_DRIVERS).await.map_err(fault)?;
            call = call.set(quiet::drivers_off(&named.stdout)?);
        }
        call = match &self.sink {
            Sink::Memory => call,
            Sink::Head(most) => call.head(*most),
            Sink::File(path, most) => call.file(path, *most),
        };
        let output = call.input(input).run(&quiet::harmless(args)).await;
        let output = output.map_err(fault)?;
        Ok(Said {
            ok: output.code == 0,
            out: output.stdout,
            err: output.stderr.trim_end().to_owned(),
        })
    }

    /// What git prints.
    ///
    /// # Errors
    /// `internal` with git's own words when it refuses.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Said, Fault> {
        self.run_on(args, Vec::new()).await
    }

    /// The same, with something to read.
    pub(super) async fn run_on(&self, args: &[&str], input: Vec<u8>) -> Result<Said, Fault> {
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

    fn call(&self) -> Call {
        let above = self.dir.parent().unwrap_or(&self.dir);
        let mut environment: Vec<(&'static str, OsString)> = match &self.own {
            Some((own, index)) => {
                let mut environment = quiet::environment(own, &self.dir);
                environment.push(("GIT_INDEX_FILE", index.into()));
                environment
            }
            None => quiet::surroundings(),
        };
        environment.push(("GIT_CEILING_DIRECTORIES", above.into()));
        Call::new(&self.dir, self.limit)
            .beside(Some(&self.project))
            .environment(environment)
            .set(quiet::FIXED.iter().chain(MORE).copied())
            // A person named this directory; whose it is, is not asked again.
            .set([("safe.directory", self.dir.as_os_str())])
    }
}

fn fault(error: GitError) -> Fault {
    match error {
        GitError::Absent => absent(&"it is not on the hub's PATH"),
        GitError::Io(error) => absent(&error),
        GitError::NoRepository(_)
        | GitError::Late { .. }
        | GitError::TooMuch { .. }
        | GitError::Failed { .. } => error.into(),
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
