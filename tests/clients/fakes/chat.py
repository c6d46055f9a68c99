"""The Chat Completions API, as far as opencode's compatible provider uses it."""

import itertools
import json

from .talk import Reply, Said, Talk, text_of

_ids = itertools.count(1)


def parse(body: dict) -> Talk:
    """A Chat Completions request in normal form."""
    messages = body.get("messages", [])
    system = "\n".join(text_of(m["content"]) for m in messages if m["role"] in ("system", "developer"))
    tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    talk = Talk(body.get("model", ""), system, tools, stream=bool(body.get("stream")))
    for message in messages:
        if message["role"] == "user":
            talk.said.append(Said("user", text_of(message["content"])))
        elif message["role"] == "assistant":
            talk.said.append(Said("assistant", text_of(message.get("content"))))
            for call in message.get("tool_calls") or []:
                talk.call(call["id"], call["function"]["name"])
        elif message["role"] == "tool":
            talk.result(message["tool_call_id"], text_of(message.get("content")))
    return talk


def _calls(reply: Reply, number: int) -> list[dict]:
    function = {"name": reply.tool, "arguments": json.dumps(reply.arguments)}
    return [{"index": 0, "id": f"call_fake{number:08}", "type": "function", "function": function}]


def message(talk: Talk, reply: Reply) -> dict:
    """The whole answer, for a request that does not stream."""
    number = next(_ids)
    said = {"role": "assistant", "content": reply.text}
    if reply.tool:
        said = {"role": "assistant", "content": None, "tool_calls": _calls(reply, number)}
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if reply.tool else "stop"}
    return {
        "id": f"chatcmpl-fake{number:08}",
        "object": "chat.completion",
        "created": 1,
        "model": talk.model,
        "choices": [choice],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def events(talk: Talk, reply: Reply) -> list[tuple[str | None, dict]]:
    """The same answer as chunks."""
    whole = message(talk, reply)
    choice = whole.pop("choices")[0]
    usage = whole.pop("usage")
    whole["object"] = "chat.completion.chunk"

    def chunk(delta: dict, finish: str | None) -> dict:
        return {**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    said = [choice["message"]] if reply.tool else [{"role": "assistant", "content": piece} for piece in reply.pieces]
    made = [*(chunk(delta, None) for delta in said), chunk({}, choice["finish_reason"]), {**whole, "choices": [], "usage": usage}]
    return [(None, event) for event in made]
