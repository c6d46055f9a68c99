"""Claude Code, headless, as the editor."""

import json

from kit.editor import main_job
from kit.job import done_by_one_agent, marker
from kit.place import EYAS, Place


async def claude_code_does_the_main_job(place: Place) -> None:
    """Its model delegates to an agent that is Claude's too: one inside the other must not trip."""
    marks = marker(), marker()
    server = {"type": "stdio", "command": EYAS, "args": ["mcp"], "env": {"EYAS_HOME": str(place.eyas_home)}}
    config = place.root / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"eyas": server}}))
    # By default Claude Code hides tools behind a search, which the fake model does not do.
    out = await place.program(
        "claude", "-p", main_job(marks, "claude"), "--output-format", "json",
        "--mcp-config", str(config), "--strict-mcp-config", "--allowedTools", "mcp__eyas",
        env={"ENABLE_TOOL_SEARCH": "false"},
    )  # fmt: skip
    told = json.loads(out)
    told = told[-1] if isinstance(told, list) else told
    assert f"The run said: done {marks[1]}" in told["result"], told
    await done_by_one_agent(place, "claude", marks)
