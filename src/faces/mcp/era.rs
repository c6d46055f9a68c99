//! Two eras on one pipe: requests that carry their own `_meta` (2026-07-28), and sessions that shook hands first. rmcp tells them apart;
//! here is what it leaves out.

use super::texts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, ClientNotification, ClientRequest, DiscoverResult, EmptyResult, ErrorCode,
        Implementation, InitializeRequestParams, InitializeResult, MetaObject, ProtocolVersion,
        ServerCapabilities, ServerConfig, ServerResult,
    },
    service::{NotificationContext, RequestContext, Service},
};
use serde_json::Value;
use std::sync::LazyLock;

/// How long a client may keep what does not change while this process lives.
pub(in crate::faces) const FIXED_TTL_MS: u64 = 3_600_000;

static SERVER_INFO: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(server_info()).unwrap_or_default());

/// The face, with what both eras have in common.
#[derive(Clone, Debug)]
pub(super) struct Eras<H>(pub(super) H);

impl<H: ServerHandler> Service<RoleServer> for Eras<H> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let modern = is_modern(&context);
        if !modern && let Some(method) = tasks_method(&request) {
            // rmcp goes by what a session said when it shook hands; tasks are of this very request.
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None));
        }
        if matches!(request, ClientRequest::PingRequest(_)) {
            // Gone from 2026-07-28, but clients that draw apps go blank without it.
            return Ok(if modern {
                ServerResult::task_ack(())
            } else {
                ServerResult::EmptyResult(EmptyResult {})
            });
        }
        let mut result = Service::handle_request(&self.0, request, context).await?;
        if modern {
            sign(&mut result);
        }
        Ok(result)
    }

    async fn handle_notification(
        &self,
        _: ClientNotification,
        _: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn get_info(&self) -> ServerConfig {
        ServerHandler::get_info(&self.0)
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "rmcp's enum; the other requests are many"
)]
fn tasks_method(request: &ClientRequest) -> Option<&'static str> {
    match request {
        ClientRequest::GetTaskRequest(_) => Some("tasks/get"),
        ClientRequest::UpdateTaskRequest(_) => Some("tasks/update"),
        ClientRequest::CancelTaskRequest(_) => Some("tasks/cancel"),
        _ => None,
    }
}

/// The request carries its own metadata.
pub(super) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .meta
        .protocol_version()
        .is_some_and(|version| !version.has_initialize())
}

/// What `initialize` answers.
pub(super) fn greet(
    request: &InitializeRequestParams,
    context: &RequestContext<RoleServer>,
) -> InitializeResult {
    let mut config = config();
    config.capabilities.extensions = None;
    greet_as(config, request, context)
}

/// What `initialize` answers for a server that has this to say of itself.
pub(in crate::faces) fn greet_as(
    mut config: ServerConfig,
    request: &InitializeRequestParams,
    context: &RequestContext<RoleServer>,
) -> InitializeResult {
    let asked = &request.protocol_version;
    if asked.has_initialize() && ProtocolVersion::KNOWN_VERSIONS.contains(asked) {
        config.protocol_version = asked.clone();
    }
    let mut peer = request.clone();
    peer.protocol_version = config.protocol_version.clone();
    context.peer.set_peer_info(peer);
    config
}

/// What `server/discover` answers.
pub(super) fn introduce() -> DiscoverResult {
    introduce_as(config())
}

/// What `server/discover` answers for a server that has this to say of itself.
pub(in crate::faces) fn introduce_as(config: ServerConfig) -> DiscoverResult {
    DiscoverResult::from_server_info(ProtocolVersion::KNOWN_VERSIONS.to_vec(), config)
        .with_ttl_ms(FIXED_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

/// `listChanged` for resources alone: the tools never change, and of personas, which are files, nobody is told.
pub(super) fn config() -> ServerConfig {
    let capabilities = ServerCapabilities::builder()
        .enable_completions()
        .enable_prompts()
        .enable_resources()
        .enable_resources_list_changed()
        .enable_resources_subscribe()
        .enable_tasks()
        .enable_tools()
        .build();
    ServerConfig::new(capabilities)
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
        .with_server_info(server_info())
        .with_instructions(texts::INSTRUCTIONS)
}

pub(in crate::faces) fn server_info() -> Implementation {
    Implementation::new("eyas", env!("CARGO_PKG_VERSION"))
        .with_title("Eyas")
        .with_description("A team of named coding agents, with durable runs")
}

/// A server should say who it is in every result.
fn sign(result: &mut ServerResult) {
    if let ServerResult::CustomResult(result) = result {
        result.0["_meta"]["io.modelcontextprotocol/serverInfo"] = SERVER_INFO.clone();
        return;
    }
    if let Some(meta) = meta(result) {
        meta.get_or_insert_default().insert(
            "io.modelcontextprotocol/serverInfo".to_owned(),
            SERVER_INFO.clone(),
        );
    }
}

/// Where a result of ours keeps its `_meta`; rmcp has signed the others.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "rmcp's enum; the results that we never give are many"
)]
fn meta(result: &mut ServerResult) -> Option<&mut Option<MetaObject>> {
    match result {
        ServerResult::CallToolResult(result) => Some(&mut result.meta),
        ServerResult::InputRequiredResult(result) => Some(&mut result.meta),
        ServerResult::CreateTaskResult(result) => Some(&mut result.meta),
        ServerResult::GetTaskResult(result) => Some(&mut result.meta),
        ServerResult::TaskAckResult(result) => Some(&mut result.meta),
        ServerResult::ListToolsResult(result) => Some(&mut result.meta),
        ServerResult::ListPromptsResult(result) => Some(&mut result.meta),
        ServerResult::GetPromptResult(result) => Some(&mut result.meta),
        ServerResult::ListResourcesResult(result) => Some(&mut result.meta),
        ServerResult::ListResourceTemplatesResult(result) => Some(&mut result.meta),
        ServerResult::ReadResourceResult(result) => Some(&mut result.meta),
        ServerResult::CompleteResult(result) => Some(&mut result.meta),
        _ => None,
    }
}
