//! `fake-agent cli claude|lines|text …`: a CLI that is run once a turn, and prints as the real ones do. Its conversations lie in a folder of
//! its working directory; lines of the prompt that start with `!` are commands, as for the ACP agent.

use crate::{options, tools::Tools};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

const FOLDER: &str = ".fake-cli";

/// How one turn is asked for, by argument.
#[derive(Debug, Default)]
struct Asked {
    dialect: String,
    /// `--session-id ID`: a new conversation of this name, which must not be there.
    new: Option<String>,
    /// `--resume ID`, which must be there.
    resume: Option<String>,
    /// `--continue`: the newest one.
    latest: bool,
    persona: Option<PathBuf>,
    tools: Option<PathBuf>,
    prompt_file: Option<PathBuf>,
    prompt: Option<String>,
    model: String,
    mode: String,
}

/// One turn.
struct Turn {
    asked: Asked,
    session: String,
    prompts: u64,
    said: String,
    args: String,
    calls: u32,
}

pub(crate) fn run(args: &[String]) -> ExitCode {
    if args.iter().any(|arg| arg == "--ignore-term") {
        return options::deafened(&[&["cli".to_owned()], args].concat());
    }
    let asked = Asked::parse(args);
    let Some((session, prompts)) = asked.conversation() else {
        let wanted = asked.resume.clone().unwrap_or_default();
        eprintln!("No conversation found with session ID: {wanted}");
        return ExitCode::from(1);
    };
    let prompt = asked.prompt();
    let turn = Turn {
        asked,
        session,
        prompts,
        said: String::new(),
        args: args.join(" "),
        calls: 0,
    };
    turn.play(&prompt)
}

impl Asked {
    fn parse(args: &[String]) -> Self {
        let mut asked = Self::default();
        let mut args = args.iter();
        asked.dialect = args.next().cloned().unwrap_or_default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().unwrap_or_default();
            match arg.as_str() {
                "--session-id" => asked.new = Some(value()),
                "--resume" => asked.resume = Some(value()),
                "--continue" => asked.latest = true,
                "--persona" => asked.persona = Some(value().into()),
                "--tools" => asked.tools = Some(value().into()),
                "--prompt-file" => asked.prompt_file = Some(value().into()),
                "--prompt" => asked.prompt = Some(value()),
                "--model" => asked.model = value(),
                "--mode" => asked.mode = value(),
                _ => {}
            }
        }
        asked
    }

    /// Its name, and how many prompts it had with this one.
    fn conversation(&self) -> Option<(String, u64)> {
        let folder = Path::new(FOLDER);
        fs::create_dir_all(folder).unwrap();
        let newest = folder.join("newest");
        let name = match (&self.new, &self.resume) {
            (Some(new), _) if folder.join(new).exists() => return None,
            (Some(new), _) => new.clone(),
            (None, Some(old)) if !folder.join(old).exists() => return None,
            (None, Some(old)) => old.clone(),
            (None, None) if self.latest => fs::read_to_string(&newest).ok()?,
            (None, None) => format!("s-{}", std::process::id()),
        };
        let file = folder.join(&name);
        let before: u64 = fs::read_to_string(&file).map_or(0, |text| text.parse().unwrap());
        fs::write(&file, (before + 1).to_string()).unwrap();
        fs::write(&newest, &name).unwrap();
        Some((name, before + 1))
    }

    fn prompt(&self) -> String {
        match (&self.prompt, &self.prompt_file) {
            (Some(prompt), _) => prompt.clone(),
            (None, Some(file)) => fs::read_to_string(file).unwrap(),
            (None, None) => {
                let mut prompt = String::new();
                drop(std::io::stdin().read_to_string(&mut prompt));
                prompt
            }
        }
    }
}

impl Turn {
    fn play(mut self, prompt: &str) -> ExitCode {
        self.print(&json!({"type": "system", "subtype": "init", "session_id": self.session}));
        let commands: Vec<&str> = prompt
            .lines()
            .filter_map(|line| line.trim().strip_prefix('!'))
            .collect();
        if commands.is_empty() {
            let asked = prompt
                .rsplit("</eyas:concluding>\n\n")
                .next()
                .unwrap_or(prompt);
            self.say(&format!("echo: {asked}"));
        }
        let mut deaf = false;
        for command in commands {
            let Some(command) = crate::script::once(command) else {
                continue;
            };
            let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
            match word {
                "die" => {
                    eprintln!("the program dies as told");
                    return ExitCode::from(u8::try_from(number(rest)).unwrap_or(1));
                }
                // Nothing more, as if all had been said.
                "leave" => return ExitCode::SUCCESS,
                "fail" => {
                    let failed = json!({"type": "result", "subtype": "success", "is_error": true, "result": rest});
                    self.print(&failed);
                    return ExitCode::from(1);
                }
                "linger" => deaf = true,
                _ => self.one(word, rest, prompt),
            }
        }
        let usage = json!({"input_tokens": 11, "output_tokens": 7});
        self.print(&json!({"type": "result", "subtype": "success", "is_error": false, "stop_reason": "end_turn",
            "result": self.said, "session_id": self.session, "usage": usage, "total_cost_usd": 0.25}));
        if deaf {
            thread::sleep(Duration::from_mins(5));
        }
        ExitCode::SUCCESS
    }

    fn one(&mut self, word: &str, rest: &str, prompt: &str) {
        match word {
            "say" => self.say(rest),
            "sleep" => thread::sleep(Duration::from_millis(number(rest))),
            "tool" => self.tool(rest, false),
            "denied" => self.tool(rest, true),
            "write" => {
                let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
                fs::write(path, text).unwrap();
                self.tool(&format!("Write {path}"), false);
            }
            "conclude" => {
                let (status, summary) = rest.split_once(' ').unwrap_or((rest, ""));
                self.say(&format!(
                    "<eyas:conclusion>\nstatus: {status}\nsummary: {summary}\n</eyas:conclusion>\n"
                ));
            }
            "history" => self.say(&self.prompts.to_string()),
            "session" => self.say(&self.session.clone()),
            "args" => self.say(&self.args.clone()),
            "model" => self.say(&self.asked.model.clone()),
            "mode" => self.say(&self.asked.mode.clone()),
            "system" => {
                let persona = self.asked.persona.as_ref();
                let persona = persona.map_or("(none)".to_owned(), |file| {
                    fs::read_to_string(file).unwrap()
                });
                self.say(&persona);
            }
            "told" => {
                let mut lines = prompt.lines().filter(|line| !line.trim().starts_with('!'));
                let told = lines.any(|line| line.contains(rest));
                self.say(&told.to_string());
            }
            "seen" => self.say(&seen(rest)),
            "junk" => out(format!("{rest}\n").as_bytes()),
            "weird" => self.print(&json!({"type": "from_the_future", "x": [1]})),
            "line" => crate::script::long_line(number(rest)),
            "stderr" => crate::script::flood(number(rest)),
            "flood" => self.flood(number(rest)),
            "grandchild" => self.grandchild(),
            "mcp" => self.mcp(rest),
            _ => self.say(&format!("unknown command {word}")),
        }
    }

    fn say(&mut self, text: &str) {
        self.said.push_str(text);
        match self.asked.dialect.as_str() {
            "text" => out(format!("{text}\n").as_bytes()),
            "lines" => self.line(&json!({"role": "assistant", "text": text, "id": self.session})),
            _ => {
                self.calls += 1;
                let id = format!("m{}", self.calls);
                self.print(&json!({"type": "assistant", "parent_tool_use_id": null,
                    "message": {"id": id, "content": [{"type": "text", "text": text}]}}));
            }
        }
    }

    /// `Name path`: a call that is over at once.
    fn tool(&mut self, rest: &str, denied: bool) {
        let (name, about) = rest.split_once(' ').unwrap_or((rest, ""));
        self.calls += 1;
        let id = format!("t{}", self.calls);
        let input = if name == "Bash" {
            json!({"command": about})
        } else {
            json!({"file_path": about})
        };
        self.print(&json!({"type": "assistant", "parent_tool_use_id": null,
            "message": {"id": "mt", "content": [{"type": "tool_use", "id": id, "name": name, "input": input}]}}));
        if denied {
            self.print(
                &json!({"type": "system", "subtype": "permission_denied", "tool_use_id": id}),
            );
        }
        self.print(&json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": id, "is_error": denied, "content": ""}]}}));
    }

    /// So many lines, as fast as it can.
    fn flood(&mut self, lines: u64) {
        for _ in 0..lines {
            self.print(&json!({"type": "assistant", "parent_tool_use_id": null,
                "message": {"id": "m0", "content": [{"type": "text", "text": "0123456789"}]}}));
        }
    }

    /// One in a session of its own, that holds the output.
    fn grandchild(&mut self) {
        let child = Command::new("setsid")
            .args(["sleep", "300"])
            .stdin(Stdio::null())
            .spawn();
        let pid = child.map(|child| child.id().to_string());
        self.say(&pid.unwrap_or_else(|error| error.to_string()));
    }

    /// `tool {arguments}`: calls a tool of the only server that it was given.
    fn mcp(&mut self, rest: &str) {
        let (tool, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let file = self.asked.tools.as_ref().expect("a file");
        let config: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let (_, server) = config["mcpServers"]
            .as_object()
            .unwrap()
            .iter()
            .next()
            .unwrap();
        let mut server = server.clone();
        let env = server["env"].as_object().unwrap().iter();
        let env: Vec<Value> = env
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        server["env"] = env.into();
        let arguments = serde_json::from_str(arguments).unwrap();
        let answer = Tools::start(&server, None).map(|mut tools| tools.call(tool, &arguments));
        let answer = answer.expect("a server");
        self.say(
            &answer["result"]["isError"]
                .as_bool()
                .unwrap_or(false)
                .to_string(),
        );
    }

    /// A line of the dialect of Claude; the others have none for it.
    fn print(&self, line: &Value) {
        if self.asked.dialect == "claude" {
            self.line(line);
        } else if self.asked.dialect == "lines" && line["type"] == "result" {
            self.line(&json!({"stop": "end_turn", "tokens": 18, "error": line["is_error"].as_bool().unwrap_or_default().then(|| line["result"].clone())}));
        }
    }

    #[allow(clippy::unused_self, reason = "it is this turn's output")]
    fn line(&self, line: &Value) {
        out(format!("{line}\n").as_bytes());
    }
}

/// Whether anybody's arguments hold this text. The one who looks is told it backwards, so that it does not find itself.
fn seen(backwards: &str) -> String {
    let text: String = backwards.chars().rev().collect();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut found = processes.filter(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&text)
    });
    if found.next().is_some() {
        "seen"
    } else {
        "hidden"
    }
    .to_owned()
}

/// Whoever closes its output has heard enough.
fn out(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}
