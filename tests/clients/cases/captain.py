"""A captain who leads: two talons at work in trees of their own, one of whom asks, and the person behind an editor who answers."""

import asyncio
import time
from pathlib import Path

from fakes import script
from kit import processes
from kit.face import ERAS, Face
from kit.job import PATIENCE_S, POLL_S, marker, pid_of
from kit.place import Place
from mcp.types import ElicitRequestParams, ElicitResult

# A command that is on no list, in whichever tree it runs.
COMMAND = "touch asker.txt"


class Person:
    """Behind the editor: allows, this once, what they are asked."""

    def __init__(self):
        self.asked: list[ElicitRequestParams] = []

    async def __call__(self, _context, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params)
        choices = params.requested_schema["properties"]["answer"]["oneOf"]
        allow = next(choice["const"] for choice in choices if choice["title"].endswith("(allow once)"))
        return ElicitResult(action="accept", content={"answer": allow})


async def a_captain_cites_both_of_its_talons(place: Place) -> None:
    """The person is asked while a call is open."""
    await _led(place, "initialize")


async def a_captain_cites_both_where_the_person_is_asked_by_rounds(place: Place) -> None:
    """The call is answered with the question, and comes again with the person's answer."""
    await _led(place, "discover")


def _part(name: str, step: dict, words: str) -> dict:
    """The captain's order to one talon, which makes a file of its name and concludes with the words."""
    told = {"status": "success", "summary": words, "artifacts": [f"{name}.txt"]}
    prompt = f"Make your file. {marker()} " + script(step, {"call": "conclude", "with": told})
    return {"call": "delegate", "with": {"prompt": prompt, "instance": name, "wait_ms": 0}, "as": name}


def _orders(words: tuple[str, str]) -> str:
    """What the captain's model does: both parts are begun before either is waited for, and it cites what it was told of each."""
    summary = "Both are done: run $asker says $asker.summary, run $quiet says $quiet.summary."
    return script(
        _part("asker", {"call": "Bash", "with": {"command": COMMAND, "description": "Make a file"}}, words[0]),
        _part("quiet", {"call": "Write", "with": {"file_path": "quiet.txt", "content": "quiet\n"}}, words[1]),
        {"until": "delegate", "of": "asker"},
        {"until": "delegate", "of": "quiet"},
        {"call": "conclude", "with": {"status": "success", "summary": summary}},
    )


async def _crew(face: Face, place: Place) -> dict[str, dict]:
    crew = {}
    for name, persona, more in (
        ("lead", "project-captain", {"role": "captain"}),
        ("asker", "builder", {"parent": "lead"}),
        ("quiet", "builder", {"parent": "lead"}),
    ):
        order = {"name": name, "persona": persona, "agent": "claude", "project": str(place.project), **more}
        crew[name] = await face.ok("instance_create", **order)
    return crew


async def _who_waits(face: Face) -> dict:
    """The run that a person must answer first, as an editor finds it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if found := (await face.ok("run_list", state="input_required"))["items"]:
            return found[0]
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"nobody asks: {(await face.ok('run_list'))['items']}")


async def _led(place: Place, era: str) -> None:
    person, mark, words = Person(), marker(), (marker(), marker())
    async with ERAS[era](place, person) as face:
        crew = await _crew(face, place)
        assert [one["role"] for one in crew.values()] == ["captain", "talon", "talon"], crew
        lead = await face.ok("delegate", prompt=f"Have both parts done. {mark} {_orders(words)}", instance="lead", wait_ms=0)
        waits = await _who_waits(face)
        assert waits["parent"] == lead["id"] and not person.asked, waits
        await _told_to_wait(place, mark)
        await face.finish(await face.ok("run_get", id=waits["id"], wait_ms=20000))
        lead = await face.finish(lead)
    runs = {run["conclusion"]["summary"]: run for run in (await place.rpc("run.list", parent=lead["id"]))["items"]}
    talons = [runs[word] for word in words]
    assert len(runs) == 2 and talons[0]["id"] == waits["id"], runs
    _cites(lead, talons)
    await _answered(place, talons[0], person)
    for talon, name in zip(talons, ("asker", "quiet"), strict=True):
        assert talon["instance"] == crew[name]["id"], talon
        _worked_apart(place, lead, talon, f"{name}.txt")
    await _counted(place, lead, talons)
    assert await place.program("git", "status", "--porcelain") == "", "the project's tree is not as it was"
    await _left(place, talons)


async def _told_to_wait(place: Place, mark: str) -> None:
    """The captain's model has read that its talon waits for a person; it is not the one to answer."""
    until = time.monotonic() + PATIENCE_S
    while not any("a person must answer first" in entry.text for entry in place.fakes.log.entries(mark)):
        assert time.monotonic() < until, "the captain was not told that its talon waits for a person"
        await asyncio.sleep(POLL_S)


def _cites(lead: dict, talons: list[dict]) -> None:
    assert lead["state"] == "succeeded" and lead["depth"] == 0 and "parent" not in lead, lead
    assert lead["isolation"] == "shared" and lead["persona"] == "project-captain", lead
    conclusion = lead["conclusion"]
    assert conclusion["source"] == "tool" and conclusion["status"] == "success", lead
    for talon in talons:
        said = f"run {talon['id']} says {talon['conclusion']['summary']}"
        assert said in conclusion["summary"], (said, conclusion)


async def _answered(place: Place, talon: dict, person: Person) -> None:
    """Once, and by the person, through their editor."""
    assert len(person.asked) == 1, person.asked
    assert COMMAND in person.asked[0].message and talon["id"] in person.asked[0].message, person.asked
    events = (await place.rpc("run.events", id=talon["id"], limit=200))["items"]
    (asked,), (answered,) = ([event["data"] for event in events if event["kind"] == kind] for kind in ("requested", "answered"))
    assert asked["kind"] == "permission" and asked["request"] == answered["request"], (asked, answered)
    assert answered["by"] == "person" and answered["face"].startswith("mcp"), answered


def _worked_apart(place: Place, lead: dict, talon: dict, file: str) -> None:
    """Below the captain, in a tree of its own, where its file is and nowhere else."""
    assert talon["state"] == "succeeded" and talon["conclusion"]["source"] == "tool", talon
    assert talon["conclusion"]["status"] == "success" and not talon["warnings"], talon
    assert talon["parent"] == lead["id"] and talon["depth"] == 1 and talon["agent"] == "claude", talon
    assert talon["isolation"] == "worktree", talon
    tree = Path(talon["worktree"]["path"])
    assert not tree.is_relative_to(place.project) and (tree / file).exists() and not (place.project / file).exists(), talon
    assert [change["path"] for change in talon["conclusion"]["changes"]["files"]] == [file], talon


async def _counted(place: Place, lead: dict, talons: list[dict]) -> None:
    """The captain's run answers for what the whole tree has cost."""
    lead = await place.rpc("run.get", id=lead["id"])
    tree = lead["tree_usage"]
    assert tree["runs"] == 2 and tree["complete"] is True, tree
    assert tree["usage"]["total_tokens"] == sum(run["usage"]["total_tokens"] for run in (lead, *talons)), (tree, lead, talons)


async def _left(place: Place, talons: list[dict]) -> None:
    """An agent that was started for a tree ends with the run there; the captain's stays warm until the hub ends."""
    pids = {await pid_of(place, talon) for talon in talons}
    assert len(pids) == 2, pids
    until = time.monotonic() + PATIENCE_S
    while left := pids & set(processes.ours(place.root)):
        assert time.monotonic() < until, f"left running after their runs: {left}"
        await asyncio.sleep(POLL_S)
