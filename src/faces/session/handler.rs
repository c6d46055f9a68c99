//! What the agent may ask for, and who answers it.

use super::{
    Offer, texts,
    tools::{self, Spec},
    way::Way,
};
use crate::faces::mcp::{FIXED_TTL_MS, greet_as, introduce_as, server_info};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, DiscoverResult,
        InitializeRequestParams, InitializeResult, ListToolsResult, PaginatedRequestParams,
        ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use std::sync::Arc;

#[derive(Debug)]
struct Inner {
    way: Way,
    offer: Offer,
    /// As they are listed, each beside what it does.
    tools: Vec<(Tool, &'static Spec)>,
}

/// The server of one session.
#[derive(Clone, Debug)]
pub(super) struct Tools(Arc<Inner>);

impl Tools {
    pub(super) fn new(way: Way, offer: Offer) -> Self {
        Self(Arc::new(Inner {
            way,
            offer,
            tools: tools::offered(offer),
        }))
    }

    pub(super) fn way(&self) -> &Way {
        &self.0.way
    }

    pub(super) fn listed(&self) -> &[(Tool, &'static Spec)] {
        &self.0.tools
    }

    /// No `listChanged`: it never does, and a client that reads it holds a subscription open for ever.
    fn config(&self) -> ServerConfig {
        let mut instructions = texts::INSTRUCTIONS.to_owned();
        if self.0.offer.may_delegate {
            instructions += texts::DELEGATING;
        }
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
            .with_server_info(server_info())
            .with_instructions(instructions)
    }
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        self.config()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        Ok(greet_as(self.config(), &request, &context))
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        Ok(introduce_as(self.config()))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let all = self.listed().iter().map(|(tool, _)| tool.clone()).collect();
        Ok(ListToolsResult::with_all_items(all)
            .with_ttl_ms(FIXED_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, context).await.map(Into::into)
    }
}
