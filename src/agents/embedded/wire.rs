//! ACP's words and ours.

use super::survey::{Step, StepKind};
use agent_client_protocol::v1::schema::{
    ContentBlock, ContentChunk, EmbeddedResourceResource, SessionUpdate, ToolCall, ToolCallContent,
    ToolCallLocation, ToolCallStatus, ToolCallUpdate, ToolCallUpdateFields, ToolKind,
};

/// The text of a prompt. Attachments count by their names: what is searched for is what they are called.
pub(super) fn text(blocks: &[ContentBlock]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            ContentBlock::Text(block) => text.push_str(&block.text),
            ContentBlock::ResourceLink(link) => text.push_str(&link.name),
            ContentBlock::Resource(resource) => text.push_str(match &resource.resource {
                EmbeddedResourceResource::TextResourceContents(r) => file_name(&r.uri),
                EmbeddedResourceResource::BlobResourceContents(r) => file_name(&r.uri),
                _ => "",
            }),
            // Pictures and sounds, and what later versions of the protocol bring.
            ContentBlock::Image(_) | ContentBlock::Audio(_) | _ => {}
        }
        text.push('\n');
    }
    text
}

fn file_name(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

/// A step as an update. `turn` tells the steps of one turn from those of another.
pub(super) fn step(turn: u64, step: Step) -> SessionUpdate {
    match step {
        Step::Began {
            id,
            kind,
            title,
            paths,
        } => SessionUpdate::ToolCall(
            ToolCall::new(call_id(turn, id), title)
                .kind(match kind {
                    StepKind::Read => ToolKind::Read,
                    StepKind::Search => ToolKind::Search,
                })
                .status(ToolCallStatus::InProgress)
                .locations(
                    paths
                        .into_iter()
                        .map(ToolCallLocation::new)
                        .collect::<Vec<_>>(),
                ),
        ),
        Step::Ended { id, told } => SessionUpdate::ToolCallUpdate(ToolCallUpdate::new(
            call_id(turn, id),
            ToolCallUpdateFields::new()
                .status(ToolCallStatus::Completed)
                .content(vec![ToolCallContent::from(told)]),
        )),
    }
}

/// A part of the answer.
pub(super) fn said(text: String) -> SessionUpdate {
    SessionUpdate::AgentMessageChunk(ContentChunk::new(ContentBlock::from(text)))
}

fn call_id(turn: u64, id: &str) -> String {
    format!("survey-{turn}-{id}")
}
