//! The commands of a prompt.

use crate::{
    session::Session,
    tools::{self, Tools},
    wire::Wire,
};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::{Arc, mpsc::Sender},
    thread,
    time::Duration,
};

pub(crate) struct Turn {
    pub(crate) wire: Arc<Wire>,
    pub(crate) session: Arc<Session>,
    pub(crate) end: Sender<u8>,
}

impl Turn {
    /// Plays the prompt; the stop reason, or none when the turn is never to be answered.
    pub(crate) fn play(&self, text: &str) -> Option<String> {
        let commands: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix('!'))
            .collect();
        if commands.is_empty() {
            // Without what Eyas tells every agent at the beginning.
            let (told, asked) = text
                .split_once("</eyas:concluding>\n\n")
                .unwrap_or(("", text));
            let told = told.split("<eyas:concluding>").next().unwrap_or_default();
            self.say(&format!("echo: {told}{asked}"));
        }
        let mut stop = "end_turn".to_owned();
        let mut deaf = false;
        for command in commands {
            let Some(command) = once(command) else {
                continue;
            };
            let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
            match word {
                "stop" => rest.clone_into(&mut stop),
                "hang" => return None,
                "fail" => return self.fail(rest),
                "deaf" => deaf = true,
                "sleep" if deaf => thread::sleep(Duration::from_millis(number(rest))),
                "die" => return self.die(rest),
                "told" => self.say(&said(text, rest).to_string()),
                _ => self.one(word, rest),
            }
            if self.session.is_cancelled() && !deaf {
                return Some("cancelled".to_owned());
            }
        }
        Some(stop)
    }

    fn one(&self, word: &str, rest: &str) {
        match word {
            "say" => self.say(rest),
            "think" => self.chunk("agent_thought_chunk", rest),
            "sleep" => self.session.sleep(Duration::from_millis(number(rest))),
            "tool" => self.tool(rest),
            "plan" => self.plan(rest),
            "permission" => self.permission(&format!("p {rest}"), rest),
            "both" => self.both(rest),
            "together" => self.together(rest),
            "forget" => self
                .wire
                .pose("session/request_permission", self.wanted("p1", rest)),
            "garbage" => self
                .wire
                .raw(b"this is no JSON\n\xff\xfe\n{\"jsonrpc\":\"2.0\",\n{\"id\":1}\n"),
            "line" => long_line(number(rest)),
            "grandchild" => self.grandchild(rest),
            "env" => self.say(
                &std::env::vars()
                    .find(|(name, _)| name == rest)
                    .map_or("(unset)".to_owned(), |(_, value)| value),
            ),
            "system" => self.say(self.session.system.as_deref().unwrap_or("(none)")),
            "knows" => {
                let system = self.session.system.as_deref().unwrap_or_default();
                self.say(&system.contains(rest).to_string());
            }
            "session" => self.say(&self.session.id),
            "model" => self.say(&self.session.model.lock().unwrap().clone()),
            "pid" => self.say(&std::process::id().to_string()),
            "cwd" => self.say(&self.session.cwd.clone()),
            "history" => self.say(&self.session.prompts.lock().unwrap().to_string()),
            "stderr" => flood(number(rest)),
            "conclude" => self.conclude(rest),
            "mcp" => self.mcp(rest),
            "mcp-as" => self.mcp_as(rest),
            "mcp-list" => self.mcp_list(),
            "mcp-servers" => self.mcp_servers(rest),
            "version" => self.say(&self.session.version.to_string()),
            "meta" => self.say(&self.session.meta.to_string()),
            "write" => self.write(rest),
            "usage" => self.update(
                json!({"sessionUpdate": "usage_update", "used": 100, "size": 200,
                "cost": {"amount": 0.25, "currency": "USD"}}),
            ),
            "weird" => self.update(json!({"sessionUpdate": "from_the_future", "x": [1]})),
            "stray" => self.stray(rest),
            "run" => self.run(rest),
            "ask" => self.say(&self.wire.ask(rest, json!({}))["error"]["code"].to_string()),
            _ => self.more(word, rest),
        }
    }

    fn more(&self, word: &str, rest: &str) {
        match word {
            "mode" => self.say(&self.session.mode.lock().unwrap().clone()),
            "args" => self.say(&self.session.args.join(" ")),
            "file" => self.file(rest),
            "late" => self.late(rest),
            "eat" => {
                let bytes = usize::try_from(number(rest)).unwrap_or(0) << 20;
                self.session.eaten.lock().unwrap().push(vec![1; bytes]);
            }
            "chatter" => (0..number(rest)).for_each(|n| {
                self.wire.raw(format!("chatter {n}\n").as_bytes());
            }),
            "strays" => self.say(&Value::from(self.wire.strays()).to_string()),
            _ => self.say(&format!("unknown command {word}")),
        }
    }

    /// `NAME`: what stands in the file that this variable names.
    fn file(&self, name: &str) {
        let path = std::env::var(name).unwrap_or_default();
        self.say(&std::fs::read_to_string(path).unwrap_or_else(|error| error.to_string()));
    }

    /// `ms text`: says it so long after the turn has ended.
    fn late(&self, rest: &str) {
        let (ms, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let after = Duration::from_millis(number(ms));
        self.session
            .late
            .lock()
            .unwrap()
            .push((after, text.to_owned()));
    }

    /// Says what was kept for after the turn.
    pub(crate) fn trail(&self) {
        let late = std::mem::take(&mut *self.session.late.lock().unwrap());
        for (after, text) in late {
            thread::sleep(after);
            self.say(&text);
        }
    }

    fn update(&self, update: Value) {
        self.wire.notify(
            "session/update",
            json!({"sessionId": self.session.id, "update": update}),
        );
    }

    fn chunk(&self, kind: &str, text: &str) {
        self.update(json!({"sessionUpdate": kind, "content": {"type": "text", "text": text}}));
    }

    fn say(&self, text: &str) {
        self.chunk("agent_message_chunk", text);
    }

    fn stray(&self, text: &str) {
        let update = json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}});
        self.wire.notify(
            "session/update",
            json!({"sessionId": "of nobody", "update": update}),
        );
    }

    /// `title kind [path]`
    fn tool(&self, rest: &str) {
        let mut words = rest.split_whitespace();
        let (title, kind) = (
            words.next().unwrap_or("tool"),
            words.next().unwrap_or("other"),
        );
        let locations: Vec<Value> = words.map(|path| json!({"path": path})).collect();
        self.update(
            json!({"sessionUpdate": "tool_call", "toolCallId": "t1", "title": title, "kind": kind,
            "status": "pending", "locations": locations}),
        );
        self.update(
            json!({"sessionUpdate": "tool_call_update", "toolCallId": "t1", "status": "completed"}),
        );
    }

    fn plan(&self, rest: &str) {
        let entries: Vec<Value> = rest
            .split(',')
            .map(|entry| json!({"content": entry, "priority": "medium", "status": "pending"}))
            .collect();
        self.update(json!({"sessionUpdate": "plan", "entries": entries}));
    }

    /// `kind rest`: for `execute` the rest is a command, else a path. The reject option comes first, and twice.
    fn permission(&self, id: &str, rest: &str) {
        let params = self.wanted(id, rest);
        let answer = self.wire.ask("session/request_permission", params);
        let outcome = &answer["result"]["outcome"];
        let said = outcome["optionId"]
            .as_str()
            .or(outcome["outcome"].as_str())
            .unwrap_or("refused");
        self.say(&format!("permission: {said}\n"));
    }

    /// Several permissions at once, parted by `|`; says what came of each, in their order.
    fn together(&self, rest: &str) {
        let wanted = rest.split('|').map(str::trim).enumerate();
        let said: Vec<String> = thread::scope(|scope| {
            let asked: Vec<_> = wanted
                .map(|(n, what)| {
                    scope.spawn(move || {
                        let params = self.wanted(&format!("p{n}"), what);
                        let answer = self.wire.ask("session/request_permission", params);
                        let option = &answer["result"]["outcome"]["optionId"];
                        option.as_str().unwrap_or("cancelled").to_owned()
                    })
                })
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        });
        self.say(&format!("permissions: {}\n", said.join(" ")));
    }

    /// `tool {arguments} | kind rest`: a call of its own server's tool and a permission, at once.
    fn both(&self, rest: &str) {
        let (tool, wanted) = rest.split_once(" | ").unwrap_or((rest, ""));
        thread::scope(|scope| {
            scope.spawn(|| self.mcp(tool));
            self.permission("p1", wanted);
        });
    }

    fn wanted(&self, id: &str, rest: &str) -> Value {
        let (kind, what) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut call = json!({"toolCallId": id, "title": what, "kind": kind, "status": "pending"});
        if kind == "execute" {
            call["rawInput"] = json!({"command": what});
        } else if !what.is_empty() {
            call["locations"] = json!([{"path": what}]);
        }
        let option = |id: &str, kind: &str| json!({"optionId": id, "name": id, "kind": kind});
        let options = [
            option("no-always", "reject_always"),
            option("no", "reject_once"),
            option("odd", "from_the_future"),
            option("always", "allow_always"),
            option("yes", "allow_once"),
        ];
        json!({"sessionId": self.session.id, "toolCall": call, "options": options})
    }

    /// `setsid`: its own session. `double`: that, and its parent gone. `pipes`: that, and it holds all three pipes of the agent.
    fn grandchild(&self, how: &str) {
        let script = match how {
            "double" => "(setsid sh -c 'sleep 300 >/dev/null 2>&1 & echo $!')",
            "pipes" => {
                "setsid sh -c \"trap '' TERM; echo \\$\\$; exec sleep 300 >/proc/$PPID/fd/1\" & "
            }
            _ => "setsid sleep 300 >/dev/null 2>&1 & echo $!",
        };
        let child = Command::new("sh")
            .args(["-c", script])
            .stderr(Stdio::inherit())
            .output();
        let pid = child.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
        self.say(&pid.unwrap_or_else(|error| error.to_string()));
    }

    /// Runs a command of the shell and says what it prints.
    fn run(&self, command: &str) {
        let done = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .output();
        let printed = |out: std::process::Output| {
            [out.stdout, out.stderr]
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .concat()
        };
        self.say(&done.map_or_else(|error| error.to_string(), printed));
    }

    /// `tool {arguments}`: calls a tool of the first server that the session was given, and says what came of it.
    fn mcp(&self, rest: &str) {
        let mut tools = self.session.tools.lock().unwrap();
        if tools.is_none() {
            let server = self.session.servers.first();
            *tools = server.and_then(|server| Tools::start(server, None));
        }
        *self.session.calling.lock().unwrap() = tools.as_ref().map(Tools::pid);
        let said = tools
            .as_mut()
            .map_or_else(|| "no tools".to_owned(), |tools| called(tools, rest));
        *self.session.calling.lock().unwrap() = None;
        if self.session.is_cancelled() {
            *tools = None;
        }
        self.say(&format!("{said}\n"));
    }

    /// `file tool {arguments}`: the same, with the token in the file.
    fn mcp_as(&self, rest: &str) {
        let (file, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let token = std::fs::read_to_string(file).unwrap_or_default();
        let server = self.session.servers.first();
        let tools = server.and_then(|server| Tools::start(server, Some(&token)));
        let said = tools.map_or_else(
            || "no tools".to_owned(),
            |mut tools| called(&mut tools, rest),
        );
        self.say(&format!("{said}\n"));
    }

    /// What the first server says of its tools.
    fn mcp_list(&self) {
        let server = self.session.servers.first();
        let tools = server.and_then(|server| Tools::start(server, None));
        let listed = tools.map(|mut tools| tools.ask("tools/list", json!({})));
        let names: Vec<Value> = listed
            .as_ref()
            .and_then(|listed| listed["result"]["tools"].as_array())
            .into_iter()
            .flatten()
            .map(|tool| tool["name"].clone())
            .collect();
        self.say(&format!("{}\n", Value::from(names)));
    }

    /// `[file]`: says what servers there are, and writes the first one's token into the file.
    fn mcp_servers(&self, file: &str) {
        if let Some(token) = self.session.servers.first().and_then(tools::token)
            && !file.is_empty()
        {
            drop(std::fs::write(file, token));
        }
        let named = |server: &Value| json!({"name": server["name"], "args": server["args"]});
        let all: Vec<Value> = self.session.servers.iter().map(named).collect();
        self.say(&format!("{}\n", Value::from(all)));
    }

    fn conclude(&self, rest: &str) {
        let (status, summary) = rest.split_once(' ').unwrap_or((rest, ""));
        self.say(&format!(
            "<eyas:conclusion>\nstatus: {status}\nsummary: {summary}\n</eyas:conclusion>\n"
        ));
    }

    /// `path text`: writes a file, relative to the session's directory, and says so as an edit.
    fn write(&self, rest: &str) {
        let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let full = std::path::Path::new(&self.session.cwd).join(path);
        let status = if std::fs::write(&full, text).is_ok() {
            "completed"
        } else {
            "failed"
        };
        self.update(json!({"sessionUpdate": "tool_call", "toolCallId": "w1", "title": format!("write {path}"), "kind": "edit",
            "status": status, "locations": [{"path": full}]}));
    }

    /// `code text`: answers the prompt with this error.
    fn fail(&self, rest: &str) -> Option<String> {
        let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let code = code.parse().unwrap_or(-32_603);
        *self.session.refusal.lock().unwrap() = Some((code, text.to_owned()));
        None
    }

    fn die(&self, code: &str) -> Option<String> {
        eprintln!("the agent dies as told");
        self.end
            .send(u8::try_from(number(code)).unwrap_or(1))
            .expect("main waits for it");
        thread::park_timeout(Duration::from_mins(1));
        None
    }
}

/// `first mark command`: the command, but only until the file `mark` is there, which this makes.
pub(crate) fn once(command: &str) -> Option<&str> {
    let Some(rest) = command.strip_prefix("first ") else {
        return Some(command);
    };
    let (mark, command) = rest.split_once(' ')?;
    std::fs::File::create_new(mark).is_ok().then_some(command)
}

/// Calls `tool {arguments}`, or `tool @FILE` with those in a file; the answer is one line.
fn called(tools: &mut Tools, rest: &str) -> String {
    let (tool, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let read = arguments.strip_prefix('@').map(std::fs::read_to_string);
    let arguments = &read.and_then(Result::ok).unwrap_or(arguments.to_owned());
    let arguments =
        serde_json::from_str(arguments).unwrap_or_else(|_| json!({"unreadable": arguments}));
    let answer = tools.call(tool, &arguments);
    let result = &answer["result"];
    json!({
        "tool": tool,
        "failed": result["isError"].as_bool().unwrap_or(result.is_null()),
        "body": result["structuredContent"],
        "text": result["content"][0]["text"],
        "error": answer["error"],
        "told": answer["told"],
    })
    .to_string()
}

/// Whether a prompt holds a text outside of its commands.
fn said(prompt: &str, text: &str) -> bool {
    prompt
        .lines()
        .filter(|line| !line.trim().starts_with('!'))
        .any(|line| line.contains(text))
}

/// A line of `len` bytes which is no message.
pub(crate) fn long_line(len: u64) {
    let mut out = std::io::stdout().lock();
    let piece = vec![b'x'; 65_536];
    let mut left = usize::try_from(len).unwrap_or(0);
    while left > 0 {
        let now = left.min(piece.len());
        if out.write_all(&piece[..now]).is_err() {
            return;
        }
        left -= now;
    }
    drop(out.write_all(b"\n").and_then(|()| out.flush()));
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

/// `len` bytes of stderr, in lines.
pub(crate) fn flood(len: u64) {
    let mut err = std::io::stderr().lock();
    let mut left = len;
    while left > 0 {
        if writeln!(err, "{left:0>79}").is_err() {
            return;
        }
        left = left.saturating_sub(80);
    }
}
