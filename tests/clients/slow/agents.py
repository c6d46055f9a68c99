"""What works with each agent: installed by Eyas itself, warm, cold, cancelled, resumed, and gone with its hub.

One test per agent and promise; the table in the README is made of their names.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import Awaitable, Callable

from fakes import script
from kit import depot, processes
from kit.face import Face, session
from kit.job import concluded, marker, pid_of
from kit.place import Place

# How a conversation goes on in a new process, where the agent can: by its own means, or told the last conclusion.
CONTINUED = {
    "claude": ("resumed",),
    "codex": ("resumed",),
    # It was seen to refuse what it had stored itself, and to take it the next time.
    "gemini": ("loaded", "recalled"),
    "opencode": ("resumed",),
    "qwen": ("resumed",),
    "vibe": ("loaded",),
}
# A turn that was cancelled is over in far less; the rest is a busy machine.
CANCEL_S = 10
# What the product promises for a hub that was killed.
GONE_S = 5


async def _delegate(face: Face, agent: str, mark: str, steps: str = "", **more) -> dict:
    prompt = f"Look at hello.py. {mark} {steps}"
    return await face.ok("delegate", prompt=prompt, agent=agent, policy={"ask": "off"}, **more)


async def _done(face: Face, agent: str, mark: str, **more) -> dict:
    run = await face.finish(await _delegate(face, agent, mark, **more))
    concluded(run, mark)
    return run


async def works_warm(place: Place, agent: str) -> None:
    """Two delegations, one process."""
    first, second = marker(), marker()
    async with session(place) as face:
        begun = await _done(face, agent, first)
        again = await _done(face, agent, second)
        assert again["warm"] is True, again
        assert await pid_of(place, begun) == await pid_of(place, again), "another process did the second run"


async def works_cold(place: Place, agent: str) -> None:
    """A process of its own, gone with the run."""
    mark = marker()
    async with session(place) as face:
        run = await _done(face, agent, mark, mode="cold")
        assert run["warm"] is False, run
        pid = await pid_of(place, run)
        left = await _left({pid: one for p, one in processes.ours(place.root).items() if p == pid})
        assert not left, f"outlived its run: {left}"


async def is_cancelled(place: Place, agent: str) -> None:
    """In the middle of a turn; and it is of use afterwards."""
    mark, next = marker(), marker()
    async with session(place) as face:
        run = await _delegate(face, agent, mark, script({"sleep": 60}), wait_ms=0)
        await asyncio.to_thread(place.fakes.log.wait, mark)
        async with asyncio.timeout(CANCEL_S):
            await face.ok("run_cancel", id=run["id"])
            run = await face.finish(run)
        assert run["state"] == "cancelled", run
        await _done(face, agent, next)


async def is_told_who_it_is(place: Place, agent: str) -> None:
    """The persona reaches the model, whichever way it takes, and no file of the project tells of it."""
    mark, soul, name = marker(), f"SOUL-{secrets.token_hex(6)}", f"hawk-{secrets.token_hex(3)}"
    async with session(place) as face:
        await face.ok("persona_create", id=name, name="Hawk", system_prompt=f"You review with a hawk's eye. {soul}")
        await face.ok("instance_create", name=name, persona=name, agent=agent)
        run = await face.finish(await face.ok("delegate", prompt=f"Look at hello.py. {mark}", instance=name, policy={"ask": "off"}))
        concluded(run, mark)
        assert soul in place.fakes.log.wait(mark, 1).text, f"{agent} was not told its system prompt"
    changed = await place.program("git", "status", "--short")
    assert not changed, f"files in the project: {changed}"


async def goes_on_after_a_restart(place: Place, agent: str) -> None:
    """The hub ends and another begins: the conversation is taken up in a new process."""
    first, second = marker(), marker()
    async with session(place) as face:
        run = await _done(face, agent, first)
    await place.rpc("hub.shutdown")
    left = processes.gone(place.root, {}, 15)
    assert not left, f"outlived the hub: {left}"
    async with session(place) as face:
        again = await _done(face, agent, second, session=run["session"])
        assert again["session"] == run["session"], again
        assert again["continuity"] in CONTINUED[agent], again
        told = place.fakes.log.wait(second, 1).text
        assert first in told, f"{agent} does not know what was said before:\n{told[-3000:]}"


async def is_gone_with_an_idle_hub(place: Place, agent: str) -> None:
    """SIGKILL between two turns."""
    async with session(place) as face:
        await _done(face, agent, marker())
        await _killed(place)


async def is_gone_with_a_busy_hub(place: Place, agent: str) -> None:
    """SIGKILL in the middle of a turn."""
    mark = marker()
    async with session(place) as face:
        run = await _delegate(face, agent, mark, script({"sleep": 60}), wait_ms=0)
        await asyncio.to_thread(place.fakes.log.wait, mark)
        await _killed(place)
        await face.call("run_cancel", id=run["id"])


async def _killed(place: Place) -> None:
    hub = (await place.rpc("hub.info"))["pid"]
    agents = processes.below(place.root, hub)
    assert agents, "no agent is there"
    os.kill(hub, signal.SIGKILL)
    left = await _left(agents)
    assert not left, f"outlived the hub: {left}"


async def _left(seen: dict[int, processes.Process]) -> dict[int, processes.Process]:
    """Who of them is left at the deadline."""
    until = asyncio.get_running_loop().time() + GONE_S
    while (left := processes.living(seen)) and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.05)
    return left


Check = Callable[[Place, str], Awaitable[None]]
CHECKS: tuple[Check, ...] = (
    works_warm,
    works_cold,
    is_told_who_it_is,
    is_cancelled,
    goes_on_after_a_restart,
    is_gone_with_an_idle_hub,
    is_gone_with_a_busy_hub,
)


def tests() -> list[tuple[str, Callable[[Place], Awaitable[None]]]]:
    """Every promise of every agent."""
    return [(f"{agent}_{check.__name__}", _of(agent, check)) for agent in depot.AGENTS for check in CHECKS]


def _of(agent: str, check: Check) -> Callable[[Place], Awaitable[None]]:
    async def test(place: Place) -> None:
        await depot.equip(place, agent)
        await check(place, agent)

    return test
