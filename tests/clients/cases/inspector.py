"""The Inspector's command line, which lints schemas and speaks both eras."""

import json

from kit.place import EYAS, Place

ERAS = ("legacy", "modern")


async def _inspect(place: Place, era: str, *words: str) -> dict:
    # It hands a server no environment but what it is told to.
    told = ["-e", f"EYAS_HOME={place.eyas_home}", "-e", f"HOME={place.home}"]
    out = await place.program("mcp-inspector", "--cli", "--protocol-era", era, *told, EYAS, "mcp", *words)
    return json.loads(out)


async def the_strict_lint_finds_nothing(place: Place) -> None:
    """`--strict` ends with 6 when a schema would trouble some client."""
    for era in ERAS:
        listed = await _inspect(place, era, "--method", "tools/list", "--strict")
        assert len(listed["tools"]) == 12, era


async def a_tool_can_be_called(place: Place) -> None:
    """A call whose answer is a page."""
    for era in ERAS:
        answer = await _inspect(place, era, "--method", "tools/call", "--tool-name", "persona_list")
        assert not answer.get("isError"), answer
        assert isinstance(answer["structuredContent"]["items"], list), answer
