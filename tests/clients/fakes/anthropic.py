"""The Messages API, as far as Claude Code and its ACP adapter use it."""

import itertools
import json

from .talk import Reply, Said, Talk, text_of

_ids = itertools.count(1)


def parse(body: dict) -> Talk:
    """A Messages request in normal form."""
    tools = [tool["name"] for tool in body.get("tools") or [] if "name" in tool]
    talk = Talk(body.get("model", ""), text_of(body.get("system")), tools, stream=bool(body.get("stream")))
    for message in body.get("messages", []):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            kind = block.get("type")
            if kind == "text":
                talk.said.append(Said(message["role"], block["text"]))
            elif kind == "tool_use":
                talk.call(block["id"], block["name"])
            elif kind == "tool_result":
                talk.result(block["tool_use_id"], text_of(block.get("content")))
    return talk


def message(talk: Talk, reply: Reply) -> dict:
    """The whole answer, for a request that does not stream."""
    number = next(_ids)
    if reply.tool:
        block = {"type": "tool_use", "id": f"toolu_fake{number:08}", "name": reply.tool, "input": reply.arguments}
    else:
        block = {"type": "text", "text": reply.text}
    return {
        "id": f"msg_fake{number:08}",
        "type": "message",
        "role": "assistant",
        "model": talk.model,
        "content": [block],
        "stop_reason": "tool_use" if reply.tool else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
    }


def events(talk: Talk, reply: Reply) -> list[tuple[str | None, dict]]:
    """The same answer as server-sent events."""
    whole = message(talk, reply)
    block = whole["content"][0]
    if reply.tool:
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(reply.arguments)}]
    else:
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in reply.pieces]
    opening = {**whole, "content": [], "stop_reason": None}
    closing = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    made = [
        {"type": "message_start", "message": opening},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": closing, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in made]
