"""The Gemini API, as far as Gemini CLI uses it."""

import itertools
import json

from .talk import Reply, Said, Talk, text_of

_ids = itertools.count(1)


def parse(body: dict) -> Talk:
    """A generateContent request in normal form. Its model and whether it streams stand in the address, and are set by the server."""
    tools = [one["name"] for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    talk = Talk("", text_of((body.get("systemInstruction") or {}).get("parts")), tools)
    for content in body.get("contents") or []:
        for part in content.get("parts") or []:
            if call := part.get("functionCall"):
                talk.call(call.get("id") or call["name"], call["name"])
            elif result := part.get("functionResponse"):
                talk.result(result.get("id") or result["name"], json.dumps(result.get("response"), ensure_ascii=False))
            elif "text" in part and not part.get("thought"):
                talk.said.append(Said("user" if content.get("role") == "user" else "assistant", part["text"]))
    return talk


def _answer(talk: Talk, part: dict, end: bool) -> dict:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}}
    if end:
        candidate["finishReason"] = "STOP"
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": talk.model, "responseId": f"fake{next(_ids):08}"}


def message(talk: Talk, reply: Reply) -> dict:
    """The whole answer, for a request that does not stream."""
    if reply.tool:
        return _answer(talk, {"functionCall": {"id": f"call{next(_ids):08}", "name": reply.tool, "args": reply.arguments}}, True)
    return _answer(talk, {"text": reply.text}, True)


def events(talk: Talk, reply: Reply) -> list[tuple[str | None, dict]]:
    """The same answer in pieces."""
    if reply.tool:
        return [(None, message(talk, reply))]
    last = len(reply.pieces) - 1
    return [(None, _answer(talk, {"text": piece}, at == last)) for at, piece in enumerate(reply.pieces)]
