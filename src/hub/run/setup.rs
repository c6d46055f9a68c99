//! Prepares a fresh worktree by the set-up commands of its project's file.
//!
//! They are not put to the allowlist: a person has read and trusted the file that lists them, and any change of it asks again. Where the run
//! may only read, they are not run.

use crate::{
    agents::{
        pool::Lineage,
        process::{Command, Launcher, Process},
    },
    domain::{fault::Fault, policy::Security, project_file::ProjectTerms, run::Warning},
    stdx::text,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, time::timeout};

/// Of all commands together.
const LIMIT: Duration = Duration::from_mins(10);
/// Of the output, in what a reader of the run is told.
const TAIL: usize = 2_000;

/// What set-up commands are run with.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) launcher: &'a Launcher,
    /// They have no more rights at the hub than an agent has.
    pub(crate) lineage: &'a Lineage,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) worktree: &'a Path,
}

impl Setup<'_> {
    /// Runs them in order, to the first that fails. The run goes on all the same: its agent may know what to do.
    pub(crate) async fn run(&self, terms: &ProjectTerms, security: Security) -> Vec<Warning> {
        let commands = &terms.file.setup.commands;
        if commands.is_empty() || !terms.trusted {
            return Vec::new();
        }
        if security == Security::Deny {
            let detail =
                "the project's set-up commands were not run: the policy allows reading only";
            return vec![Warning::new("setup_skipped", detail)];
        }
        let done = timeout(LIMIT, async {
            for command in commands {
                self.one(command).await?;
            }
            Ok(())
        });
        let failed = match done.await {
            Ok(Ok(())) => return Vec::new(),
            Ok(Err(detail)) => detail,
            Err(_elapsed) => format!("they took longer than {} s", LIMIT.as_secs()),
        };
        vec![Warning::new("setup_failed", failed)]
    }

    /// Answers what went wrong. Dropped before its end, it takes the command and all that it started with it.
    async fn one(&self, command: &[String]) -> Result<(), String> {
        let Some((program, args)) = command.split_first() else {
            return Ok(());
        };
        let shown = command.join(" ");
        let Process {
            stdin,
            mut stdout,
            handle,
        } = self
            .launcher
            .launch(Command {
                agent: "setup".to_owned(),
                program: PathBuf::from(program),
                args: args.to_vec(),
                env: self.env.clone(),
                cwd: self.worktree.to_owned(),
            })
            .await
            .map_err(|Fault { detail, .. }| format!("`{shown}`: {detail}"))?;
        self.lineage.watch(handle.pid(), handle.gone());
        drop(stdin);
        let tail: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = tail.clone();
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = stdout.read(&mut buffer).await {
                let mut tail = kept.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(&buffer[..read]);
                let cut = tail.len().saturating_sub(2 * TAIL);
                tail.drain(..cut);
            }
        });
        let exit = handle.exited().await;
        // A process that went on in the background may hold the pipe.
        reading.abort();
        if exit.code == Some(0) {
            return Ok(());
        }
        let out = tail.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let out = String::from_utf8_lossy(&out).into_owned();
        let all = format!("{}\n{}", out.trim_end(), handle.stderr_tail().trim_end());
        Err(format!(
            "`{shown}` ended with {exit}: {}",
            text::tail(all.trim(), TAIL)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Setup;
    use crate::{
        agents::{pool::Lineage, process::Launcher},
        domain::{
            policy::Security,
            project_file::{self, ProjectFile, ProjectTerms},
        },
    };
    use std::{collections::BTreeMap, path::Path, sync::Arc};

    #[tokio::test]
    async fn nothing_runs_of_a_file_that_nobody_trusts_or_where_the_run_may_only_read() {
        // There is no program by which anything could be started.
        let nowhere = Path::new("/nonexistent");
        let launcher = Launcher::new(
            nowhere.join("reaper"),
            nowhere.to_owned(),
            nowhere.to_owned(),
            Arc::new(str::to_owned),
        );
        let (lineage, env) = (Lineage::default(), BTreeMap::new());
        let setup = Setup {
            launcher: &launcher,
            lineage: &lineage,
            env: &env,
            worktree: nowhere,
        };
        let terms = |trusted| ProjectTerms {
            file: ProjectFile {
                setup: project_file::Setup {
                    commands: vec![vec!["true".to_owned()]],
                },
                ..ProjectFile::default()
            },
            trusted,
            warnings: Vec::new(),
        };
        let told = async |trusted, security| {
            let warnings = setup.run(&terms(trusted), security).await;
            let kinds = warnings.into_iter().map(|warning| warning.kind);
            kinds.collect::<Vec<_>>()
        };
        assert!(told(false, Security::Full).await.is_empty());
        assert_eq!(told(true, Security::Deny).await, ["setup_skipped"]);
        assert_eq!(told(true, Security::Allowlist).await, ["setup_failed"]);
    }
}
