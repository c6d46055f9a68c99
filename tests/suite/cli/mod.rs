//! The command line, spoken to as a person or a script would: the real binary in a home of its own.

mod a_hub_may_be_installed_and_removed;
mod a_subagent_file_comes_out_as_it_went_in;
mod an_agents_words_cannot_move_the_cursor;
mod delegate_prints_the_conclusion_and_takes_its_prompt_from_a_pipe;
mod every_editor_entry_starts_eyas_mcp;
mod every_verb_says_what_it_does;
mod runs_are_kept_as_long_as_is_set;
mod the_demo_leaves_nothing_behind;
mod the_doctor_says_what_it_saw;
mod the_store_is_looked_after_from_outside;
mod usage_exits_2_and_a_fault_exits_1;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A home, a project and a temporary folder, all gone at the end. The hub lives inside each command.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "project", "tmp"] {
            fs::create_dir(bench.0.path().join(folder)).unwrap();
        }
        fs::write(
            bench.project().join("main.py"),
            "# TODO: sing\nprint('hello')\n",
        )
        .unwrap();
        bench
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.0.path().join("project")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.0.path().join("tmp")
    }

    /// Runs `eyas`, with this on its stdin.
    pub(crate) fn eyas(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eyas"))
            .args(args)
            .arg("--in-process")
            .current_dir(self.project())
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.0.path())
            .env("EYAS_HOME", self.home())
            .env("TMPDIR", self.tmp())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that does not read is free to end first.
        drop(child.stdin.take().unwrap().write_all(stdin));
        child.wait_with_output().unwrap()
    }

    /// The JSON that `eyas … --json` prints, and its exit code.
    pub(crate) fn json(&self, args: &[&str]) -> (serde_json::Value, Option<i32>) {
        let output = self.eyas(&[args, &["--json"]].concat(), b"");
        let value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"));
        (value, output.status.code())
    }
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
