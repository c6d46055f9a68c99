//! Starts agents, each below a shim of its own.

use super::{
    Command, Process,
    handle::{Exit, ProcessHandle},
    order::Order,
    spawner,
    stderr::{Tail, drain},
    stdin::gated,
    sweep::{self, Swept},
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

/// How long a dead agent's stderr is still read: a grandchild that escaped may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Starts agent processes.
#[derive(Clone)]
pub struct Launcher {
    reaper: PathBuf,
    identities: PathBuf,
    logs: PathBuf,
    redact: Redact,
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
        Self {
            reaper,
            identities,
            logs,
            redact,
        }
    }

    /// Starts an agent below its shim.
    ///
    /// # Errors
    /// `agent_spawn`: the program or the directory is not there, or the system refuses.
    pub async fn launch(&self, command: Command) -> Result<Process, Fault> {
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
        let handle = ProcessHandle::new(pid, grip, gate, tail, exit);
        tracing::debug!(agent.name = command.agent, pid, "launched");
        Ok(Process {
            stdin,
            stdout,
            handle,
        })
    }

    /// Ends what a dead hub left: exactly the processes that its shims recorded, never a bare number. Answers what that was.
    pub async fn sweep(&self) -> Swept {
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
