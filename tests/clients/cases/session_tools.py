"""The tools that Eyas gives an agent with its session: real agents offer them to their model unasked, and call them without leave."""

import asyncio

from fakes import script
from kit.face import Face, session
from kit.job import MODELS, Hawk, marker
from kit.place import Place


def _steps(words: str, pause: float = 0) -> str:
    return script(
        {"sleep": pause},
        {"call": "report_progress", "with": {"text": f"about to conclude {words}", "percent": 90}},
        {"call": "conclude", "with": {"status": "partial", "summary": f"told by tool: {words}", "questions": ["which?"]}},
    )


def _told(run: dict, words: str) -> None:
    assert run["state"] == "succeeded", run
    conclusion = run["conclusion"]
    assert conclusion["source"] == "tool" and conclusion["summary"] == f"told by tool: {words}", run
    assert conclusion["status"] == "partial" and conclusion["questions"] == ["which?"], conclusion
    assert not any(warning["kind"] == "permission_denied" for warning in run["warnings"]), run


async def _agent(face: Face, agent: str) -> Hawk:
    hawk = Hawk(agent)
    await hawk.settle(face)
    return hawk


async def a_model_concludes_by_the_tool_and_that_is_the_conclusion(place: Place) -> None:
    """In a new session, in the one that was opened ahead, and where the conversation goes on; the block of its last words counts for less."""
    async with session(place) as face:
        for agent in MODELS:
            hawk, run = await _agent(face, agent), None
            for more in ({}, {}, {"previous": True}):
                words = marker()
                if more:
                    more = {"previous": run["id"]}
                run = await hawk.delegate(face, marker(), _steps(words), **more)
                _told(run, words)


async def two_sessions_of_one_agent_conclude_each_for_itself(place: Place) -> None:
    """Also where the agent shows every session the tools of all."""
    async with session(place) as face:
        for agent in MODELS:
            hawk = await _agent(face, agent)
            words = (marker(), marker())
            runs = [await hawk.start(face, marker(), _steps(one, 2), wait_ms=0, concurrent=True) for one in words]
            done = await asyncio.gather(*(face.finish(run) for run in runs))
            for run, one in zip(done, words, strict=True):
                _told(run, one)
