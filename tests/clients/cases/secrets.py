"""A key in the editor's environment reaches the agent and stays nowhere."""

import json
from itertools import product

from fakes import conclusion, script
from kit.face import session
from kit.job import Hawk, concluded, marker
from kit.place import Place


async def the_key_reaches_the_agent_and_no_file(place: Place) -> None:
    """Values live in memory only: not in the store, not in a log, not in a hub's notes."""
    async with session(place) as face:
        for agent in ("claude", "opencode"):
            hawk, mark = Hawk(agent), marker()
            await hawk.settle(face)
            concluded(await hawk.delegate(face, mark), mark)
            assert place.fakes.log.wait(mark, 1).key == place.keys[agent]
        assert "eyas.db-wal" in _nowhere(place), "the log of the database was not looked at"
    await place.rpc("hub.shutdown")
    assert "eyas.db" in _nowhere(place)


async def a_key_that_an_agent_tells_is_struck_out(place: Place) -> None:
    """The agent has the key and may say it, word for word or streamed in pieces. Neither the store nor a reader gets it."""
    async with session(place) as face:
        for agent, pace in product(("claude", "opencode"), (0.0, 0.15)):
            hawk, mark = Hawk(agent), marker()
            await hawk.settle(face)
            told = f"It is $KEY, as I said.\n\n{conclusion(f'{mark} the key is $KEY')}"
            run = await hawk.delegate(face, mark, script({"say": told, "pace": pace}))
            concluded(run, mark)
            transcript = (await face.sdk.read_resource(f"eyas://runs/{run['id']}/transcript")).contents[0].text
            events = await place.rpc("run.events", id=run["id"])
            said = "".join(event["data"].get("text", "") for event in events["items"] if event["kind"] == "message")
            assert "as I said" in said and "as I said" in transcript, transcript
            for text in (json.dumps(run), said, transcript):
                assert place.keys[agent] not in text, text
            _nowhere(place)


def _nowhere(place: Place) -> set[str]:
    """Names of the files that were looked at."""
    keys = [key.encode() for key in place.keys.values()]
    names = set()
    for folder in (place.eyas_home, place.project):
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                names.add(file.name)
                text = file.read_bytes()
                assert not any(key in text for key in keys), f"a key is in {file.relative_to(place.root)}"
    return names
