"""Real agents at real work: what the policy lets them do is done, what it does not is not, and two work side by side."""

import asyncio
import json

from fakes import script
from kit.face import session
from kit.job import Hawk, concluded, marker
from kit.place import Place

# How each agent's own tools are called.
TOOLS = {
    "claude": ("Write", "file_path", "Bash"),
    "opencode": ("write", "filePath", "bash"),
}


async def an_agent_edits_its_project_and_nothing_else(place: Place) -> None:
    """With nobody to ask: edits in the project, and no command that is not listed."""
    async with session(place) as face:
        for agent, (write, path, shell) in TOOLS.items():
            hawk, mark = Hawk(agent), marker()
            await hawk.settle(face)
            made, forbidden = place.project / f"{agent}.txt", place.root / f"{agent}-was-here"
            steps = script(
                {"call": write, "with": {path: str(made), "content": mark}},
                {"call": shell, "with": {"command": f"touch {forbidden}", "description": "Touch a file"}},
            )
            run = await hawk.delegate(face, mark, steps, policy={"ask": "off"})
            assert run["state"] == "succeeded" and mark in run["conclusion"]["summary"], run
            assert made.read_text().strip() == mark, made
            assert not forbidden.exists(), f"{agent} ran what it may not"
            assert any(warning["kind"] == "permission_denied" for warning in run["warnings"]), run
            events = (await place.rpc("run.events", id=run["id"]))["items"]
            calls = [event["data"] for event in events if event["kind"] == "tool_call"]
            assert calls, f"no tool call was told: {json.dumps(events)[:2000]}"


async def two_runs_share_one_agent_at_the_same_time(place: Place) -> None:
    """Neither waits for the other, and each gets its own conclusion."""
    async with session(place) as face:
        for agent in TOOLS:
            hawk, warm, marks = Hawk(agent), marker(), (marker(), marker())
            await hawk.settle(face)
            concluded(await hawk.delegate(face, warm), warm)
            runs = [await hawk.start(face, mark, script({"sleep": 4}), wait_ms=0, concurrent=True) for mark in marks]
            for mark in marks:
                await asyncio.to_thread(place.fakes.log.wait, mark)
            first = await face.ok("run_get", id=runs[0]["id"], wait_ms=0)
            assert first["state"] == "running", "the second began when the first had ended"
            for run, mark in zip(runs, marks, strict=True):
                done = await face.finish(run)
                concluded(done, mark)
                assert done["warm"] is True, done
