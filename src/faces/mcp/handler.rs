//! What a client may ask for, and who answers it.

use super::{
    FaceContext, completion, elicit::Before, era, link::Link, listen, prompts, resources, schema,
    subscriber::Subscriber, tasks, tools,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams,
        CompleteRequestParams, CompleteResult, CustomRequest, CustomResult, DiscoverResult,
        GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
        ReadResourceResponse, ServerConfig, SubscribeRequestParams, UnsubscribeRequestParams,
        UpdateTaskParams,
    },
    service::RequestContext,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) link: Link,
    pub(super) context: FaceContext,
    /// Requests that are before the person now.
    pub(super) before: Before,
    /// What may be followed of the hub's log at once, for whomever behind this connection.
    pub(super) followers: Arc<Semaphore>,
    /// Who shook hands, and is told what it subscribed to.
    pub(super) subscriber: Subscriber,
}

/// Logs that are followed for one client at once: one for each run, and one for what the whole hub tells each audience.
const FOLLOWERS: usize = 65;

/// One connection's face. It holds no state but for what it is asking its person now, and what it tells its client of.
#[derive(Clone, Debug)]
pub(super) struct Face(pub(super) Arc<Inner>);

impl Face {
    pub(super) fn new(link: Link, context: FaceContext) -> Self {
        Self(Arc::new(Inner {
            link,
            context,
            before: Before::default(),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            subscriber: Subscriber::default(),
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
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        if !era::is_modern(&context) {
            self.0.subscriber.has_listed(self, &context.peer);
        }
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

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let subscriber = &self.0.subscriber;
        subscriber
            .subscribe(self, &context.peer, &request.uri)
            .await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.subscriber.unsubscribe(request.uri).await;
        Ok(())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Box::pin(listen::listen(self, &request, &context)).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::get(self, &request.task_id, &context).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::update(self, request).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::cancel(self, &request.task_id).await
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
