"""The persona reaches the model: its words, its memory and its model, on every path to a session."""

from kit.face import session
from kit.job import Hawk, concluded, marker, seen
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
        assert run["warm"] is False, run
        seen(place, hawk, cold)
        concluded(await hawk.delegate(face, warm, mode="warm"), warm)
        seen(place, hawk, warm)
        # A new session on a live agent: the one opened ahead, if there is one.
        run = await hawk.delegate(face, spare, mode="warm")
        concluded(run, spare)
        assert run["warm"] is True, run
        seen(place, hawk, spare)
        again = await hawk.delegate(face, same, session=run["session"])
        concluded(again, same)
        assert again["session"] == run["session"], again
        seen(place, hawk, same)


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
