//! Starts agents, each below a shim of its own.

use super::{
    Command, Process,
    handle::{Exit, ProcessHandle},
    order::Order,
    spawner,
    stderr::{Tail, drain},
    stdin::gated,
    sweep::{self, Swept},
    weight::{self, Scales},
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx,
};
use std::{
    fmt::{self, Display},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    process::{Child, Command as TokioCommand},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// Takes secrets out of a text.
pub type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// How the files of texts for agents end.
pub(super) const ASIDE: &str = "md";

/// A file with a text for an agent; removed with it.
#[derive(Debug)]
pub struct Aside(PathBuf);

impl Aside {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Gone already is as good.
        drop(std::fs::remove_file(&self.0));
    }
}

/// How long a dead agent's stderr is still read: a grandchild that escaped may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Starts agent processes.
#[derive(Clone)]
pub struct Launcher {
    reaper: PathBuf,
    identities: PathBuf,
    /// Where turns have their private files.
    turns: PathBuf,
    logs: PathBuf,
    redact: Redact,
    scales: Scales,
}

impl fmt::Debug for Launcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launcher")
            .field("reaper", &self.reaper)
            .finish_non_exhaustive()
    }
}

impl Launcher {
    /// `reaper` is this very program; `identities` and `logs` are directories, made when needed; `redact` sees every line of stderr before
    /// it is kept.
    #[must_use]
    pub fn new(reaper: PathBuf, identities: PathBuf, logs: PathBuf, redact: Redact) -> Self {
        let turns = identities.with_file_name("turns");
        Self {
            reaper,
            identities,
            turns,
            logs,
            redact,
            scales: Scales::new(weight::EVERY),
        }
    }

    /// The same, but for how often it is looked at how much memory agents take.
    #[must_use]
    pub fn weighing(self, every: Duration) -> Self {
        Self {
            scales: Scales::new(every),
            ..self
        }
    }

    /// Starts an agent below its shim.
    ///
    /// # Errors
    /// `agent_spawn`: the program or the directory is not there, or the system refuses.
    pub async fn launch(&self, command: Command) -> Result<Process, Fault> {
        supported(std::env::consts::OS)?;
        check(&command)?;
        for folder in [&self.identities, &self.logs] {
            stdx::atomic::private_dir(folder).map_err(|error| refused(&command, &error))?;
        }
        let newborn = spawner::spawn(self.shim(&command))
            .await
            .map_err(|error| refused(&command, &error))?;
        let born = newborn.take().and_then(|(mut child, grip)| {
            let pipes = (
                child.stdin.take()?,
                child.stdout.take()?,
                child.stderr.take()?,
            );
            Some((child.id()?, child, grip, pipes))
        });
        let (pid, child, grip, (stdin, stdout, stderr)) =
            born.ok_or_else(|| refused(&command, &"it ended as it began"))?;
        let (stdin, gate) = gated(stdin);
        let tail = Tail::default();
        let draining = drain(
            stderr,
            tail.clone(),
            Arc::clone(&self.redact),
            self.log(&command),
            pid,
        );
        let (seen, exit) = watch::channel(None);
        tokio::spawn(watch_over(child, seen, tokio::spawn(draining)));
        let handle = ProcessHandle::new(pid, grip, gate, tail, exit, self.scales.add(pid));
        tracing::debug!(agent.name = command.agent, pid, "launched");
        Ok(Process {
            stdin,
            stdout,
            handle,
        })
    }

    /// A private folder for the files of one turn, which is gone with its hold.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn folder(&self) -> std::io::Result<stdx::scratch::Scratch> {
        stdx::atomic::private_dir(&self.turns)?;
        stdx::scratch::Scratch::below(&self.turns, "turn-")
    }

    /// A text that an agent is told to read, in a file that goes with what this answers. What a crash leaves the next sweep removes.
    ///
    /// # Errors
    /// `internal`: it cannot be written.
    pub fn set_aside(&self, text: &str) -> Result<Aside, Fault> {
        let path = self.identities.join(format!("{}.{ASIDE}", stdx::mint()));
        stdx::atomic::private_dir(&self.identities)
            .and_then(|()| stdx::atomic::write(&path, text.as_bytes(), 0o600))
            .map_err(|error| {
                Fault::internal(format_args!(
                    "{} cannot be written: {error}",
                    path.display()
                ))
            })?;
        Ok(Aside(path))
    }

    /// Ends what a dead hub left: exactly the processes that its shims recorded, never a bare number. Answers what that was. What lay in the
    /// folders of its turns goes too.
    pub async fn sweep(&self) -> Swept {
        match std::fs::remove_dir_all(&self.turns) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(folder = %self.turns.display(), %error, "files of turns were left");
            }
            Ok(()) | Err(_) => {}
        }
        sweep::sweep(&self.identities).await
    }

    fn shim(&self, command: &Command) -> TokioCommand {
        let record = self.identities.join(format!("{}.json", stdx::mint()));
        let mut shim = TokioCommand::new(&self.reaper);
        shim.args(Order::write(
            std::process::id(),
            &record,
            command.program.as_os_str(),
            &command.args,
        ))
        .env_clear()
        .envs(&command.env)
        .current_dir(&command.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
        shim
    }

    fn log(&self, command: &Command) -> PathBuf {
        let safe = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        let name: String = command.agent.chars().take(64).map(safe).collect();
        self.logs.join(format!("agent-{name}.log"))
    }
}

/// The one observer of the agent's end.
async fn watch_over(mut child: Child, seen: watch::Sender<Option<Exit>>, draining: JoinHandle<()>) {
    let exit = child.wait().await.map_or(
        Exit {
            code: None,
            signal: None,
        },
        Exit::from,
    );
    let stop = draining.abort_handle();
    if timeout(LAST_WORDS, draining).await.is_err() {
        stop.abort();
    }
    seen.send_replace(Some(exit));
}

/// The shim needs what Linux alone has: without it agents would outlive the hub, so none is started.
fn supported(system: &str) -> Result<(), Fault> {
    if system == "linux" {
        return Ok(());
    }
    let detail = format!("agents are started on Linux only for now; this is {system}");
    Err(Fault::new(ErrorKind::AgentSpawn, detail)
        .hint("run Eyas on Linux, or in a virtual machine or container of it"))
}

/// What can be known before the shim starts is told at once, with the right kind.
fn check(command: &Command) -> Result<(), Fault> {
    if !command.cwd.is_dir() {
        return Err(refused(
            command,
            &format_args!("there is no directory {}", command.cwd.display()),
        ));
    }
    let is_path = command.program.components().count() > 1;
    if is_path && !is_file(&command.cwd.join(&command.program)) {
        return Err(refused(
            command,
            &format_args!("there is no program {}", command.program.display()),
        ));
    }
    Ok(())
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}

fn refused(command: &Command, why: &dyn Display) -> Fault {
    Fault::new(
        ErrorKind::AgentSpawn,
        format!("agent \"{}\" cannot be started: {why}", command.agent),
    )
}

#[cfg(test)]
mod tests {
    use super::supported;
    use crate::domain::fault::ErrorKind;

    #[test]
    fn no_agent_is_started_where_it_might_be_orphaned() {
        assert_eq!(supported("linux"), Ok(()));
        for system in ["macos", "windows", "freebsd"] {
            let fault = supported(system).expect_err("nothing would end it");
            assert_eq!(fault.kind, ErrorKind::AgentSpawn);
            assert!(fault.detail.contains(system) && fault.hint.is_some());
        }
    }
}
