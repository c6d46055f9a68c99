"""A key in the editor's environment reaches the agent and stays nowhere."""

from kit.face import session
from kit.job import Hawk, concluded, marker
from kit.place import Place


async def the_key_reaches_the_agent_and_no_file(place: Place) -> None:
    """Values live in memory only: not in the store, not in a log, not in a hub's notes."""
    mark = marker()
    async with session(place) as face:
        hawk = Hawk("claude")
        await hawk.settle(face)
        concluded(await hawk.delegate(face, mark), mark)
        assert place.fakes.log.wait(mark, 1).headers.get("x-api-key") == place.key
        _nowhere(place)
    _nowhere(place)


def _nowhere(place: Place) -> None:
    key = place.key.encode()
    read = 0
    for folder in (place.eyas_home, place.project):
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                read += 1
                assert key not in file.read_bytes(), f"the key is in {file.relative_to(place.root)}"
    assert read > 3, "nothing was looked at"
