"""The persona reaches the model: its words, its memory and its model, on every path to a session."""

from kit.face import session
from kit.job import Hawk, concluded, marker, pid_of, seen, spare_ready
from kit.notes import opened
from kit.place import Place


async def claude_is_told_who_it_is(place: Place) -> None:
    """Its route is the `systemPrompt` of a session."""
    await _told(place, "claude")


async def opencode_is_told_who_it_is(place: Place) -> None:
    """It has no such field, so it takes another route to the same end."""
    await _told(place, "opencode")


async def _told(place: Place, agent: str) -> None:
    hawk = Hawk(agent)
    cold, warm, spare, same = marker(), marker(), marker(), marker()
    async with session(place) as face:
        await hawk.settle(face)
        run = await hawk.delegate(face, cold, mode="cold")
        concluded(run, cold)
        assert run["warm"] is False and run["mode"] == "cold", run
        seen(place, hawk, cold)

        run = await hawk.delegate(face, warm, mode="warm")
        concluded(run, warm)
        earlier = seen(place, hawk, warm).session
        pid = await pid_of(place, run)

        await spare_ready(place, pid)
        ahead = opened(place, agent)
        run = await hawk.delegate(face, spare, mode="warm")
        concluded(run, spare)
        entry = seen(place, hawk, spare)
        assert entry.session != earlier and entry.session in ahead, f"{entry.session} was not opened ahead: {ahead}"
        assert run["warm"] is True and await pid_of(place, run) == pid, run

        again = await hawk.delegate(face, same, session=run["session"])
        concluded(again, same)
        assert again["session"] == run["session"] and again["continuity"] == "live", again
        assert again["warm"] is True and await pid_of(place, again) == pid, again
        assert seen(place, hawk, same).session == entry.session


async def a_follow_up_after_a_cold_run_knows_the_persona(place: Place) -> None:
    """The conversation is taken up by another process, which must be told again what is no part of a conversation."""
    for agent in ("claude", "opencode"):
        hawk, first, second = Hawk(agent), marker(), marker()
        async with session(place) as face:
            await hawk.settle(face)
            run = await hawk.delegate(face, first, mode="cold")
            concluded(run, first)
            again = await hawk.delegate(face, second, previous=run["id"])
            concluded(again, second)
            assert again["continuity"] in ("resumed", "loaded"), again
            entry = seen(place, hawk, second)
            assert first in entry.text, f"{agent} forgot the conversation"


async def two_personas_on_one_project_do_not_mix(place: Place) -> None:
    """Each model hears its own persona and nothing of the other's."""
    for agent in ("claude", "opencode"):
        one, two = Hawk(agent), Hawk(agent)
        async with session(place) as face:
            for hawk in (one, two):
                await hawk.settle(face)
            for hawk, other in ((one, two), (two, one), (one, two)):
                mark = marker()
                concluded(await hawk.delegate(face, mark), mark)
                seen(place, hawk, mark)
                text = place.fakes.log.wait(mark, 1).text
                assert other.soul not in text and other.memory not in text, f"{agent} heard both personas"
