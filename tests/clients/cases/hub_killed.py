"""The hub dies in the middle of a run."""

import asyncio
import os
import signal

from fakes import script
from kit import processes
from kit.face import session
from kit.job import Hawk, concluded, marker
from kit.place import Place

# The shim sees its parent die at once; the rest is a busy machine.
GONE_S = 10


async def a_killed_hub_takes_its_agents_along(place: Place) -> None:
    """SIGKILL of the hub with both agents in their turns: no process of theirs outlives it, and the open face goes on with a new hub, which
    tries their runs again as they had changed nothing."""
    hawks = [Hawk("claude"), Hawk("opencode")]
    async with session(place) as face:
        runs = []
        for hawk in hawks:
            await hawk.settle(face)
            mark = marker()
            runs.append(await hawk.start(face, mark, script({"sleep": 60}), wait_ms=0, concurrent=True))
            await asyncio.to_thread(place.fakes.log.wait, mark)
        hub = (await place.rpc("hub.info"))["pid"]
        agents = processes.below(place.root, hub)
        assert len(agents) >= len(hawks), agents
        os.kill(hub, signal.SIGKILL)
        until = asyncio.get_running_loop().time() + GONE_S
        while (left := processes.living(agents)) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.05)
        assert not left, f"outlived the hub: {left}"
        for run in runs:
            answer = await face.call("run_get", id=run["id"], wait_ms=0, include=["attempts"])
            assert answer.data["state"] in ("queued", "running"), answer
            assert answer.data["attempts"][0]["outcome"] == "lost", answer
            await face.call("run_cancel", id=run["id"])
        mark = marker()
        concluded(await hawks[0].delegate(face, mark), mark)
        assert (await place.rpc("hub.info"))["pid"] != hub
