"""What an editor's model is shown, and what a careless call does."""

import json

from kit.face import ERAS
from kit.place import Place
from kit.surface import READ_ONLY, are_the_tools


def _size(value) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


async def the_list_is_small_and_in_order(place: Place) -> None:
    """The same list in both eras, small enough to sit in every context window."""
    lists = {}
    for era, face in ERAS.items():
        async with face(place) as eyas:
            tools = (await eyas.sdk.list_tools()).tools
        lists[era] = [tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in tools]
        are_the_tools([tool.name for tool in tools])
        core = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in lists[era]]
        assert _size(core) < 12_000, _size(core)
        assert _size(lists[era]) < 24_000, _size(lists[era])
        for tool in lists[era]:
            assert tool.get("title") and tool.get("annotations") and tool.get("outputSchema"), tool["name"]
            assert 80 <= len(tool["description"]) <= 1000, (tool["name"], len(tool["description"]))
            for name, schema in tool["inputSchema"].get("properties", {}).items():
                assert schema.get("description"), f"{tool['name']}.{name} is not described"
    assert lists["initialize"] == lists["discover"]


async def a_call_with_nothing_teaches_and_changes_nothing(place: Place) -> None:
    """`{}` is what a confused model sends first."""
    for face in ERAS.values():
        async with face(place) as eyas:
            before = {tool: await eyas.ok(tool) for tool in sorted(READ_ONLY)}
            for tool in [tool.name for tool in (await eyas.sdk.list_tools()).tools if tool.name not in READ_ONLY]:
                answer = await eyas.call(tool)
                assert answer.error, f"{tool} accepted nothing"
                assert "required_field" in answer.text, f"{tool}: {answer.text}"
            after = {tool: await eyas.ok(tool) for tool in sorted(READ_ONLY)}
            assert before == after


async def an_error_names_what_was_meant(place: Place) -> None:
    """A misspelt instance is answered with the right one."""
    async with ERAS["initialize"](place) as eyas:
        await eyas.ok("instance_create", name="reviewer")
        answer = await eyas.call("delegate", prompt="x", instance="revewer")
        assert answer.error and "not_found" in answer.text, answer
        assert "reviewer" in answer.text and "instance_list" in answer.text, answer
