"""The Responses API, as far as Codex uses it."""

import itertools
import json

from .talk import Reply, Said, Talk, text_of

_ids = itertools.count(1)


def _names(tools: list[dict]) -> list[str]:
    """Codex groups the tools of one MCP server in a namespace."""
    names = []
    for tool in tools:
        if tool.get("type") == "namespace":
            names += [f"{tool['name']}/{name}" for name in _names(tool.get("tools", []))]
        elif "name" in tool:
            names.append(tool["name"])
    return names


def parse(body: dict) -> Talk:
    """A Responses request in normal form."""
    talk = Talk(body.get("model", ""), body.get("instructions") or "", _names(body.get("tools") or []), stream=bool(body.get("stream")))
    items = body.get("input") or []
    if isinstance(items, str):
        items = [{"type": "message", "role": "user", "content": items}]
    for item in items:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] in ("system", "developer"):
            talk.system += "\n" + text_of(item["content"])
        elif kind == "message":
            talk.said.append(Said(item["role"], text_of(item["content"])))
        elif kind == "function_call":
            talk.call(item["call_id"], "/".join(filter(None, (item.get("namespace"), item["name"]))))
        elif kind == "function_call_output":
            output = item.get("output")
            talk.result(item["call_id"], output if isinstance(output, str) else text_of(output))
    return talk


def _item(reply: Reply, number: int) -> dict:
    if not reply.tool:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        return {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": content}
    space, _, name = reply.tool.rpartition("/")
    item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": name}
    if space:
        item["namespace"] = space
    return {**item, "arguments": json.dumps(reply.arguments), "status": "completed"}


def message(talk: Talk, reply: Reply) -> dict:
    """The whole answer, for a request that does not stream."""
    number = next(_ids)
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    whole = {"id": f"resp_{number}", "object": "response", "created_at": 1, "status": "completed", "model": talk.model}
    return {**whole, "output": [_item(reply, number)], "usage": usage}


def events(talk: Talk, reply: Reply) -> list[tuple[str | None, dict]]:
    """The same answer as server-sent events."""
    whole = message(talk, reply)
    item = whole["output"][0]
    made = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [(event["type"], event) for event in made]
