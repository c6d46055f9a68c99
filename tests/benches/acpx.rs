//! acpx, which keeps the agent of a session running too: what a prompt takes from a shell by way of it.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
};

const SESSION: &str = "bench";

/// A session of its own, closed when dropped.
pub(crate) struct Acpx<'a> {
    agent: String,
    project: &'a Path,
    env: &'a BTreeMap<String, String>,
}

impl<'a> Acpx<'a> {
    /// `None` where it is not installed, or does not take the agent.
    pub(crate) fn start(
        agent: &[String],
        project: &'a Path,
        env: &'a BTreeMap<String, String>,
    ) -> Option<Self> {
        let session = Self {
            agent: agent.join(" "),
            project,
            env,
        };
        let opened = session.run(&["sessions", "new", "--name", SESSION]);
        opened.then_some(session)
    }

    pub(crate) fn prompt(&self, text: &str) {
        assert!(self.run(&["prompt", "--session", SESSION, text]));
    }

    fn run(&self, words: &[&str]) -> bool {
        let mut command = Command::new("acpx");
        command.args(["--agent", &self.agent]).args(words);
        command.env_clear().envs(self.env).current_dir(self.project);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|done| done.success())
    }
}

impl Drop for Acpx<'_> {
    fn drop(&mut self) {
        self.run(&["sessions", "close", SESSION]);
    }
}
