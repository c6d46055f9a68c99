//! What a client may ask for, and who answers it.

use super::{
    FaceContext, completion, elicit::Before, era, link::Link, prompts, resources, schema, tools,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, InitializeRequestParams,
        InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerConfig,
    },
    service::RequestContext,
};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) link: Link,
    pub(super) context: FaceContext,
    /// Requests that are before the person now.
    pub(super) before: Before,
}

/// One connection's face. It holds no state but for what it is asking its person now.
#[derive(Clone, Debug)]
pub(super) struct Face(pub(super) Arc<Inner>);

impl Face {
    pub(super) fn new(link: Link, context: FaceContext) -> Self {
        Self(Arc::new(Inner {
            link,
            context,
            before: Before::default(),
        }))
    }

    pub(super) fn link(&self) -> &Link {
        &self.0.link
    }

    /// Looks for the hub behind the answer: neither greeting waits for it.
    fn warm(&self) {
        let face = self.clone();
        tokio::spawn(async move { face.link().warm().await });
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        era::config()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.warm();
        Ok(era::greet(&request, &context))
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        self.warm();
        Ok(era::introduce())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(request)?;
        Ok(ListToolsResult::with_all_items(schema::tools().to_vec())
            .with_ttl_ms(era::FIXED_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, context).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(self, request.and_then(|request| request.cursor)).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        only_page(request)?;
        Ok(
            ListResourceTemplatesResult::with_all_items(resources::templates())
                .with_ttl_ms(era::FIXED_TTL_MS)
                .with_cache_scope(CacheScope::Public),
        )
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(self, &request.uri).await.map(Into::into)
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        prompts::list(self, request.and_then(|request| request.cursor)).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(self, request).await.map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        completion::complete(self, request).await
    }
}

/// A list that is one page has no cursors.
fn only_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        None => Ok(()),
        Some(_) => Err(bad_cursor()),
    }
}

/// A cursor that we did not give out.
pub(super) fn bad_cursor() -> ErrorData {
    ErrorData::invalid_params("unknown cursor: begin again without one", None)
}
