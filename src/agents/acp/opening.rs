//! A session: opened, with the persona and the model in it, or taken up again.

use super::{
    link::Link,
    reporting::{Given, Reporting},
};
use crate::{
    agents::acp::{Capabilities, desk},
    domain::{
        fault::{ErrorKind, Fault},
        run::{Continuity, PersonaRoute, Warning},
    },
};
use agent_client_protocol::v1::schema::{
    CloseSessionRequest, LoadSessionRequest, McpServer, NewSessionRequest, ResumeSessionRequest,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};

/// What a session is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Absolute.
    pub cwd: PathBuf,
    /// The one persona text.
    pub persona: Option<String>,
    pub model: Option<String>,
    /// What our own server offers in it; `None` gives it none.
    pub reporting: Option<Reporting>,
}

/// A session that may be prompted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The agent's id of it.
    pub session: String,
    /// How the persona went in; with `PromptBlock` the caller must put it before the first prompt.
    pub route: Option<PersonaRoute>,
    /// `model_not_set`, `mode_not_set`.
    pub warnings: Vec<Warning>,
    /// The name of our server in it, where it stands among those of other sessions and the agent must be told which is its own.
    pub tools: Option<String>,
}

impl Link {
    /// Opens a new session.
    ///
    /// # Errors
    /// `agent_auth`, `timed_out`, `agent_died`, or what the agent's refusal means.
    pub async fn open(&self, opening: Opening) -> Result<Opened, Fault> {
        let route = self.persona_route(&opening);
        let given = self.given(opening.reporting);
        let params = with_persona(
            NewSessionRequest::new(opening.cwd.clone()).mcp_servers(servers(given.as_ref())),
            &opening,
            route,
            self.capabilities(),
        );
        let params = with_tools(params, given.as_ref(), self.capabilities());
        let answer = self
            .ask("session/new", params, self.session_limit())
            .await?;
        let Some(session) = answer["sessionId"].as_str() else {
            return Err(self.fault(
                ErrorKind::HandshakeMalformed,
                "answered session/new without a session id",
            ));
        };
        let warnings = self.choose(session, &opening, &answer).await?;
        let tools = self.keep(session, given);
        Ok(Opened {
            session: session.to_owned(),
            route,
            warnings,
            tools,
        })
    }

    /// Takes up a session of an earlier process: by `session/resume`, else `session/load` (what that replays is swallowed). The persona and
    /// the model are set again, as neither is part of the conversation.
    ///
    /// # Errors
    /// `not_found` when the agent can do neither or does not know the session; else as for [`Link::open`].
    pub async fn reopen(
        &self,
        session: &str,
        opening: Opening,
    ) -> Result<(Continuity, Opened), Fault> {
        let route = self.persona_route(&opening);
        let given = self.given(opening.reporting);
        let (continuity, answer) = self
            .take_up(session, &opening, route, given.as_ref())
            .await?;
        let warnings = self.choose(session, &opening, &answer).await?;
        let tools = self.keep(session, given);
        Ok((
            continuity,
            Opened {
                session: session.to_owned(),
                route,
                warnings,
                tools,
            },
        ))
    }

    /// The way by which a persona reaches this agent; `None` when there is none in the opening.
    #[must_use]
    pub fn persona_route(&self, opening: &Opening) -> Option<PersonaRoute> {
        let persona = opening.persona.as_ref()?;
        if self.manner().persona.as_ref() == Some(persona) {
            return Some(PersonaRoute::EnvironmentFile);
        }
        route(opening, self.capabilities())
    }

    /// Closes a session, where the agent can; a turn in it is cancelled first.
    pub async fn close_session(&self, session: &str) {
        self.cancel(session);
        // Taken out now: whoever takes the session up while it closes wears a badge of their own under its name, and keeps that.
        let badge = self.takes_off(session);
        if self.capabilities().close {
            let request = CloseSessionRequest::new(session.to_owned());
            let limit = Duration::from_millis(self.limits().close_ms);
            if let Err(fault) = self.ask("session/close", request, limit).await {
                tracing::debug!(agent.name = self.agent(), %fault, "a session was not closed");
            }
        }
        drop(badge);
        self.tell(desk::Message::Forget {
            session: session.to_owned(),
        });
    }

    async fn take_up(
        &self,
        session: &str,
        opening: &Opening,
        route: Option<PersonaRoute>,
        given: Option<&Given>,
    ) -> Result<(Continuity, Value), Fault> {
        let prepared = |params: Value| {
            let params = with_persona(params, opening, route, self.capabilities());
            with_tools(params, given, self.capabilities())
        };
        let mut why = "it can neither resume nor load".to_owned();
        if self.capabilities().resume {
            let params = ResumeSessionRequest::new(session.to_owned(), opening.cwd.clone())
                .mcp_servers(servers(given));
            let params = prepared(serde_json::to_value(params).unwrap_or_default());
            match self
                .ask("session/resume", params, self.session_limit())
                .await
            {
                Ok(answer) => return Ok((Continuity::Resumed, answer)),
                Err(fault) => why = forgotten(fault)?,
            }
        }
        if self.capabilities().load {
            let params = LoadSessionRequest::new(session.to_owned(), opening.cwd.clone())
                .mcp_servers(servers(given));
            let params = prepared(serde_json::to_value(params).unwrap_or_default());
            match self.ask("session/load", params, self.session_limit()).await {
                Ok(answer) => return Ok((Continuity::Loaded, answer)),
                Err(fault) => why = forgotten(fault)?,
            }
        }
        Err(Fault::new(
            ErrorKind::NotFound,
            format!("agent \"{}\" has no session {session}: {why}", self.agent()),
        ))
    }

    /// The badge lives as long as the session is open; the answer is the name to tell.
    fn keep(&self, session: &str, given: Option<Given>) -> Option<String> {
        let (badge, told) = match given {
            Some(given) => (Some(given.badge), given.crowded.then_some(given.name)),
            None => (None, None),
        };
        self.wears(session, badge);
        told
    }

    pub(super) fn session_limit(&self) -> Duration {
        Duration::from_millis(self.limits().session_ms)
    }
}

/// The agent's best way to take a persona.
fn route(opening: &Opening, can: &Capabilities) -> Option<PersonaRoute> {
    opening.persona.as_ref()?;
    Some(match can {
        Capabilities {
            system_prompt: true,
            ..
        } => PersonaRoute::SystemPrompt,
        can if can.takes_meta() => PersonaRoute::Meta,
        _ => PersonaRoute::PromptBlock,
    })
}

/// The parameters, with the persona where its route wants it. `systemPrompt` is not in the SDK's stable types yet.
fn with_persona(
    params: impl Serialize,
    opening: &Opening,
    route: Option<PersonaRoute>,
    can: &Capabilities,
) -> Value {
    let mut params = serde_json::to_value(params).unwrap_or_default();
    let persona = opening.persona.as_deref().unwrap_or_default();
    match route {
        Some(PersonaRoute::SystemPrompt) => {
            params["systemPrompt"] =
                json!({"mode": "append", "content": [{"type": "text", "text": persona}]});
        }
        Some(PersonaRoute::Meta) => params["_meta"]["systemPrompt"] = json!({"append": persona}),
        Some(
            PersonaRoute::EnvironmentFile | PersonaRoute::PromptBlock | PersonaRoute::Argument,
        )
        | None => {}
    }
    if let Some(model) = &opening.model
        && can.takes_meta()
    {
        // Its list of models is short; by this key it takes any that the model API knows.
        params["_meta"]["claudeCode"]["options"]["model"] = json!(model);
    }
    params
}

fn servers(given: Option<&Given>) -> Vec<McpServer> {
    given.iter().map(|given| given.server.clone()).collect()
}

/// Says that our own tools need nobody's leave, to the agent that would ask for it.
fn with_tools(mut params: Value, given: Option<&Given>, can: &Capabilities) -> Value {
    if let Some(given) = given
        && can.takes_meta()
    {
        let all = format!("mcp__{}", given.name);
        params["_meta"]["claudeCode"]["options"]["allowedTools"] = json!([all]);
    }
    params
}

/// The reason why a session is not there, or the fault that is about something else.
fn forgotten(fault: Fault) -> Result<String, Fault> {
    if is_fatal(fault.kind) {
        Err(fault)
    } else {
        Ok(fault.detail)
    }
}

/// The link is broken or unusable; anything else is the agent's answer to one question.
pub(super) fn is_fatal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AgentDied
            | ErrorKind::AgentSpawn
            | ErrorKind::AgentAuth
            | ErrorKind::TimedOut
            | ErrorKind::TooLarge
    )
}
