//! The agent's side of the protocol.

use crate::{options::Options, script, serve, session::Session, wire::Wire};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    sync::{Arc, mpsc::Sender},
    thread,
    time::Duration,
};

const METHOD_NOT_FOUND: i64 = -32_601;
const AUTH_REQUIRED: i64 = -32_000;
const NOT_FOUND: i64 = -32_002;

/// Serves until stdin ends, then ends the process through `end`.
pub(crate) fn serve(options: Options, end: Sender<u8>) {
    let deaf = options.deaf;
    if let Some(text) = &options.mutter {
        eprintln!("{text}");
    }
    let (from, wire) = match serve::ways(&options) {
        Some((from, to)) => (from, Wire::over(to)),
        None => (Box::new(std::io::stdin()) as serve::From, Wire::default()),
    };
    let mut agent = Agent {
        options,
        wire: Arc::new(wire),
        sessions: HashMap::new(),
        asked_version: Value::Null,
        opened: 0,
        end,
    };
    if agent.options.garbage_first || agent.options.garbage_only {
        agent
            .wire
            .raw(b"Welcome to the agent!\n\x1b]0;title\x07not json\n{\"half\": \n[]\n42\n");
    }
    for line in BufReader::new(from).lines() {
        let Ok(line) = line else { break };
        if let Ok(message) = serde_json::from_str::<Value>(&line) {
            agent.take(message);
        }
    }
    if deaf {
        loop {
            thread::park();
        }
    }
    agent.end.send(0).expect("main waits for it");
}

struct Agent {
    options: Options,
    wire: Arc<Wire>,
    sessions: HashMap<String, Arc<Session>>,
    /// What it was asked to speak.
    asked_version: Value,
    /// How many sessions there ever were: no name is given twice.
    opened: u64,
    end: Sender<u8>,
}

impl Agent {
    fn take(&mut self, mut message: Value) {
        if self.options.silent || self.options.garbage_only {
            return;
        }
        let Some(method) = message["method"].as_str().map(str::to_owned) else {
            return self.wire.answered(message);
        };
        let (id, params) = (message["id"].take(), message["params"].take());
        let step = match method.as_str() {
            "initialize" => "initialize",
            "session/new" | "session/load" | "session/resume" => "session",
            "session/prompt" => "prompt",
            _ => "",
        };
        if self.options.die_at.as_deref() == Some(step) {
            return self.die();
        }
        if self.options.mute_at.as_deref() == Some(step) {
            return;
        }
        match method.as_str() {
            "initialize" if self.options.serve.is_some() && !serve::is_known(&params) => {
                self.wire.refuse(&id, AUTH_REQUIRED, "who are you?");
            }
            "initialize" => {
                self.asked_version = params["protocolVersion"].clone();
                self.wire.answer(&id, self.hello());
            }
            "session/new" => self.open(&id, &params),
            "session/load" if self.options.load => self.reopen(&id, &params, true),
            "session/resume" if self.options.resume => self.reopen(&id, &params, false),
            "session/prompt" => self.prompt(id, &params),
            "session/set_config_option" if params["configId"] == "mode" => {
                self.set_mode(&id, &params, "value");
            }
            "session/set_config_option" if self.has_option() => {
                self.set_model(&id, &params, "value");
            }
            "session/set_model" if self.options.set_model => {
                self.set_model(&id, &params, "modelId");
            }
            "session/set_mode" if self.options.modes => self.set_mode(&id, &params, "modeId"),
            "session/close" => self.close(&id, &params),
            "session/cancel" => {
                if let Some(session) = self.session(&params) {
                    session.cancel();
                }
            }
            _ if id.is_null() => {}
            _ => self.wire.refuse(&id, METHOD_NOT_FOUND, "method not found"),
        }
    }

    /// The exit code reaches `main` while this thread waits: nothing more is read.
    fn die(&self) {
        eprintln!("the agent dies as told");
        self.end.send(7).expect("main waits for it");
        thread::park_timeout(Duration::from_mins(1));
    }

    fn has_option(&self) -> bool {
        !self.options.no_models && !self.options.set_model
    }

    fn hello(&self) -> Value {
        let mut session = json!({"close": {}});
        if !self.options.no_system_prompt {
            session["systemPrompt"] = json!({});
        }
        if self.options.resume {
            session["resume"] = json!({});
        }
        json!({
            "protocolVersion": self.options.protocol,
            "agentCapabilities": {"loadSession": self.options.load, "sessionCapabilities": session},
            "agentInfo": {"name": self.options.name, "version": "1.2.3"},
            "authMethods": [],
        })
    }

    fn session(&self, params: &Value) -> Option<Arc<Session>> {
        self.sessions.get(params["sessionId"].as_str()?).cloned()
    }

    fn open(&mut self, id: &Value, params: &Value) {
        if self.options.auth_required {
            return self
                .wire
                .refuse(id, AUTH_REQUIRED, "Authentication required");
        }
        if self.options.ask_trust {
            let call =
                json!({"toolCallId": "trust", "title": "Trust this folder?", "kind": "other"});
            let options = json!([{"optionId": "yes", "name": "Yes", "kind": "allow_always"}]);
            self.wire.pose(
                "session/request_permission",
                json!({"sessionId": "none yet", "toolCall": call, "options": options}),
            );
        }
        self.opened += 1;
        let name = format!("session-{}-{}", std::process::id(), self.opened);
        self.admit(id, params, &name);
    }

    fn reopen(&mut self, id: &Value, params: &Value, replay: bool) {
        let name = params["sessionId"].as_str().unwrap_or_default().to_owned();
        if name == "unknown" {
            return self.wire.refuse(id, NOT_FOUND, "no such session");
        }
        if replay {
            let update = json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "replayed"}});
            self.wire.notify(
                "session/update",
                json!({"sessionId": name, "update": update}),
            );
        }
        self.admit(id, params, &name);
    }

    fn admit(&mut self, id: &Value, params: &Value, name: &str) {
        let meta = params["_meta"]["systemPrompt"]["append"]
            .as_str()
            .map(|text| format!("meta: {text}"));
        let standard = params["systemPrompt"]["content"][0]["text"]
            .as_str()
            .map(str::to_owned);
        let session = Session {
            id: name.to_owned(),
            cwd: params["cwd"].as_str().unwrap_or_default().to_owned(),
            system: standard.filter(|_| !self.options.no_system_prompt).or(meta),
            model: "default".to_owned().into(),
            mode: "act".to_owned().into(),
            args: self.options.args.clone(),
            servers: params["mcpServers"].as_array().cloned().unwrap_or_default(),
            meta: params["_meta"].clone(),
            version: self.asked_version.clone(),
            ..Session::default()
        };
        self.sessions.insert(name.to_owned(), Arc::new(session));
        let mut answer = json!({"sessionId": name});
        if self.has_option() {
            answer["configOptions"] = json!([{"id": "model", "name": "Model", "category": "model", "type": "select",
                "currentValue": "default", "options": [{"value": "default", "name": "D"}, {"value": "other", "name": "O"}]}]);
        }
        if self.options.mode_option {
            let mode = json!({"id": "mode", "category": "mode", "type": "select", "currentValue": "act",
                "options": [{"value": "plan", "name": "Plan"}, {"value": "act", "name": "Act"}]});
            match answer["configOptions"].as_array_mut() {
                Some(options) => options.push(mode),
                None => answer["configOptions"] = json!([mode]),
            }
        }
        if self.options.modes {
            answer["modes"] = json!({"currentModeId": "act",
                "availableModes": [{"id": "plan", "name": "Plan"}, {"id": "act", "name": "Act"}]});
        }
        self.wire.answer(id, answer);
    }

    /// Like some of the field: any word is taken.
    fn set_mode(&self, id: &Value, params: &Value, field: &str) {
        let mode = params[field].as_str().unwrap_or_default();
        if let Some(session) = self.session(params) {
            mode.clone_into(&mut session.mode.lock().unwrap());
        }
        self.wire.answer(id, json!({}));
    }

    fn set_model(&self, id: &Value, params: &Value, field: &str) {
        let model = params[field].as_str().unwrap_or_default();
        match self.session(params) {
            Some(session) if ["default", "other"].contains(&model) => {
                model.clone_into(&mut session.model.lock().unwrap());
                self.wire.answer(id, json!({"configOptions": []}));
            }
            Some(_) => self.wire.refuse(id, -32_602, "no such model"),
            None => self.wire.refuse(id, NOT_FOUND, "no such session"),
        }
    }

    fn close(&mut self, id: &Value, params: &Value) {
        if let Some(session) = self.session(params) {
            session.cancel();
            self.sessions.remove(&session.id);
        }
        self.wire.answer(id, json!({}));
    }

    fn prompt(&self, id: Value, params: &Value) {
        let Some(session) = self.session(params) else {
            return self.wire.refuse(&id, NOT_FOUND, "no such session");
        };
        // Before the next message is read, so that a cancellation right behind it is not lost.
        session.begin_turn();
        let blocks = params["prompt"].as_array().cloned().unwrap_or_default();
        let texts: Vec<&str> = blocks
            .iter()
            .filter_map(|block| block["text"].as_str())
            .collect();
        let text = texts.join("\n");
        let turn = script::Turn {
            wire: Arc::clone(&self.wire),
            session,
            end: self.end.clone(),
        };
        thread::spawn(move || {
            let stop = turn.play(&text);
            if let Some((code, why)) = turn.session.refusal.lock().unwrap().take() {
                turn.wire.refuse(&id, code, &why);
            }
            if let Some(stop) = stop {
                let usage = json!({"inputTokens": 11, "outputTokens": 7, "totalTokens": 18});
                turn.wire
                    .answer(&id, json!({"stopReason": stop, "usage": usage}));
            }
            turn.trail();
        });
    }
}
