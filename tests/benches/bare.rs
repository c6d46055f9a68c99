//! The server that ours is measured beside: rmcp's, with one tool that echoes.

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
};

#[derive(Clone)]
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = call
            .arguments
            .and_then(|arguments| Some(arguments.get("text")?.as_str()?.to_owned()));
        let said = ContentBlock::text(text.unwrap_or_default());
        Ok(CallToolResult::success(vec![said]).into())
    }
}

pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pipes = rmcp::transport::stdio_pipes();
        let server = Echo.serve(pipes).await.expect("initialize");
        server.waiting().await.expect("the end of stdin");
    });
}
