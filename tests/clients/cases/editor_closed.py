"""The editor goes away in the middle of a run, and comes back for the conclusion."""

import asyncio
import os
import signal

from fakes import script
from kit import processes
from kit.face import session
from kit.job import Hawk, concluded, marker
from kit.place import Place


async def a_killed_face_loses_no_run(place: Place) -> None:
    """SIGKILL of the face while the agent is in its turn; another face reads the finished run."""
    hawk, mark = Hawk("claude"), marker()
    run = None
    try:
        async with session(place) as face:
            await hawk.settle(face)
            run = await hawk.start(face, mark, script({"sleep": 5}), wait_ms=0)
            await asyncio.to_thread(place.fakes.log.wait, mark)
            faces = processes.matching(place.root, r"eyas\S* mcp$")
            assert faces, processes.ours(place.root)
            for pid in faces:
                os.kill(pid, signal.SIGKILL)
    except* (OSError, EOFError):
        pass  # the SDK may notice that its server died
    async with session(place) as face:
        run = await face.ok("run_get", id=run["id"], wait_ms=0)
        done = await face.finish(run)
        concluded(done, mark)
        assert done["attempt"] == 1, done
