//! How the agent behaves before the first prompt, by argument.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// `--die-at initialize|session|prompt`: exits with 7 when that request arrives.
    pub(crate) die_at: Option<String>,
    /// `--mute-at STEP`: never answers it.
    pub(crate) mute_at: Option<String>,
    /// `--silent`: reads, and never answers.
    pub(crate) silent: bool,
    /// `--garbage-first`: prints lines that are no JSON-RPC before the first answer.
    pub(crate) garbage_first: bool,
    /// `--garbage-only`: prints such lines and never answers.
    pub(crate) garbage_only: bool,
    /// `--protocol N`: answers `initialize` with that version.
    pub(crate) protocol: u64,
    /// `--ignore-term`: ignores SIGTERM and the end of stdin.
    pub(crate) ignore_term: bool,
    /// Set by `--ignore-term` for its second self.
    pub(crate) deaf: bool,
    /// `--no-system-prompt`: does not advertise `systemPrompt`.
    pub(crate) no_system_prompt: bool,
    /// `--name NAME`: its name in `initialize`.
    pub(crate) name: String,
    /// `--auth-required`: answers `session/new` with -32000.
    pub(crate) auth_required: bool,
    /// `--load`, `--resume`: advertises and answers them, for any session id but `unknown`.
    pub(crate) load: bool,
    pub(crate) resume: bool,
    /// `--no-models`: offers no model option and no `session/set_model`.
    pub(crate) no_models: bool,
    /// `--set-model`: offers `session/set_model` and no model option.
    pub(crate) set_model: bool,
    /// `--serve port|tcp|unix`: serves there, says so in its first line, and asks for its token.
    pub(crate) serve: Option<String>,
    /// `--announce LINE`: that is its first line.
    pub(crate) announce: Option<String>,
    /// `--shut`: takes no connection.
    pub(crate) shut: bool,
    /// `--chatty`: goes on printing on stdout, faster than anybody reads.
    pub(crate) chatty: bool,
    /// `--modes`: offers the modes `plan` and `act` in the older way; `--mode-option`: by a config option.
    pub(crate) modes: bool,
    pub(crate) mode_option: bool,
    /// `--ask-trust`: asks whether the folder is trusted as a session opens.
    pub(crate) ask_trust: bool,
    /// All of them.
    pub(crate) args: Vec<String>,
    /// `--mutter TEXT`: says it on stderr as it begins.
    pub(crate) mutter: Option<String>,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Self {
        let mut options = Self {
            protocol: 1,
            name: "fake-agent".to_owned(),
            args: args.to_vec(),
            ..Self::default()
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--die-at" => options.die_at = args.next().cloned(),
                "--mute-at" => options.mute_at = args.next().cloned(),
                "--silent" => options.silent = true,
                "--garbage-first" => options.garbage_first = true,
                "--garbage-only" => options.garbage_only = true,
                "--protocol" => {
                    options.protocol = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
                }
                "--ignore-term" => options.ignore_term = true,
                "--deaf" => options.deaf = true,
                "--no-system-prompt" => options.no_system_prompt = true,
                "--name" => options.name = args.next().cloned().unwrap_or_default(),
                "--auth-required" => options.auth_required = true,
                "--load" => options.load = true,
                "--resume" => options.resume = true,
                "--no-models" => options.no_models = true,
                "--set-model" => options.set_model = true,
                "--serve" => options.serve = args.next().cloned(),
                "--announce" => options.announce = args.next().cloned(),
                "--shut" => options.shut = true,
                "--chatty" => options.chatty = true,
                "--modes" => options.modes = true,
                "--mode-option" => options.mode_option = true,
                "--ask-trust" => options.ask_trust = true,
                "--mutter" => options.mutter = args.next().cloned(),
                _ => {}
            }
        }
        options
    }
}

/// An ignored signal stays ignored across `exec`, and a shell can ignore one where safe Rust cannot.
pub(crate) fn deafened(args: &[String]) -> ExitCode {
    let me = std::env::current_exe().unwrap_or_default();
    let rest = args.iter().filter(|arg| *arg != "--ignore-term");
    let error = Command::new("sh")
        .args(["-c", "trap '' TERM; exec \"$0\" --deaf \"$@\""])
        .arg(me)
        .args(rest)
        .exec();
    drop(error);
    ExitCode::FAILURE
}
