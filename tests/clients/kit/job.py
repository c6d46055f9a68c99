"""The main job, as every client does it: a persona, an instance, a delegation, its conclusion."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from fakes import Entry

from . import processes
from .face import Face
from .place import Place

# What each agent calls a model that is not its default, and how the model API then sees it.
MODELS = {"claude": ("haiku", "claude-haiku"), "opencode": ("fake/fake-other", "fake-other")}
# How often the hub is asked for what it tells nobody unasked, and for how long.
POLL_S, PATIENCE_S = 0.05, 30


def marker() -> str:
    """A word that stands in one prompt and nowhere else."""
    return f"MARK-{secrets.token_hex(6)}"


@dataclass
class Hawk:
    """One persona and one instance, with words by which to recognise them in the model's log."""

    agent: str
    name: str = field(default_factory=lambda: f"hawk-{secrets.token_hex(3)}")
    soul: str = field(default_factory=lambda: f"SOUL-{secrets.token_hex(6)}")
    memory: str = field(default_factory=lambda: f"MEMORY-{secrets.token_hex(6)}")

    @property
    def persona(self) -> dict:
        """Arguments of `persona_create`."""
        prompt = f"You review with a hawk's eye. {self.soul}"
        return {"id": self.name, "name": "Hawk", "system_prompt": prompt, "model": MODELS[self.agent][0]}

    async def settle(self, face: Face) -> dict:
        """Create both; the instance, with a line in its memory."""
        persona = await face.ok("persona_create", **self.persona)
        assert persona["id"] == self.name, persona
        instance = await face.ok("instance_create", name=self.name, persona=self.name, agent=self.agent)
        assert instance["name"] == self.name and instance["workspace"], instance
        notes = Path(instance["workspace"]) / "MEMORY.md"
        with notes.open("a") as out:
            out.write(f"\n- {self.memory}\n")
        return instance

    async def delegate(self, face: Face, mark: str, script: str = "", **more) -> dict:
        """One delegation, waited for until it is over."""
        run = await self.start(face, mark, script, **more)
        return await face.finish(run)

    async def start(self, face: Face, mark: str, script: str = "", **more) -> dict:
        """One delegation, as `delegate` answers it."""
        return await face.ok("delegate", prompt=f"Look at hello.py. {mark} {script}", instance=self.name, **more)


def concluded(run: dict, mark: str) -> None:
    """The run succeeded, and its conclusion is the one this prompt caused."""
    assert run["state"] == "succeeded", run
    conclusion = run["conclusion"]
    assert conclusion["status"] == "success" and mark in conclusion["summary"], conclusion
    assert conclusion["source"] == "block", conclusion


def seen(place: Place, hawk: Hawk, mark: str) -> Entry:
    """The model was told who it is, once, and was the model the persona names."""
    entry = place.fakes.log.wait(mark, 1)
    assert hawk.soul in entry.text, f"{hawk.agent} was not told its system prompt:\n{entry.system[:3000]}"
    told = entry.text.count(hawk.memory)
    assert told == 1, f"{hawk.agent} was told its memory {told} times:\n{entry.system[:3000]}"
    assert entry.model.startswith(MODELS[hawk.agent][1]), f"{hawk.agent} used {entry.model}"
    return entry


async def pid_of(place: Place, run: dict) -> int:
    """The process that did a run's only attempt."""
    attempts = (await place.rpc("run.attempts", id=run["id"]))["items"]
    assert len(attempts) == 1 and attempts[0]["warm"] == run["warm"], attempts
    return attempts[0]["pid"]


async def spare_ready(place: Place, pid: int) -> None:
    """Wait until that agent has a session opened ahead."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        agents = (await place.rpc("hub.info"))["agents"]
        if any(agent["pid"] == pid and agent["spare"] > 0 for agent in agents):
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"no spare session: {agents}")


async def done_by_one_agent(place: Place, agent: str, marks: tuple[str, str]) -> None:
    """What any client must have caused with two delegations: both concluded, by one warm process with the persona's model."""
    runs = (await place.rpc("run.list"))["items"]
    first, second = (next(run for run in runs if mark in run["prompt"]) for mark in marks)
    for run, mark in zip((first, second), marks, strict=True):
        concluded(run, mark)
        assert run["agent"] == agent and run["attempt"] == 1, run
        assert place.fakes.log.wait(mark, 1).model.startswith(MODELS[agent][1]), run
    assert second["warm"] is True, second
    pids = [await pid_of(place, run) for run in (first, second)]
    assert pids[0] == pids[1], "another process did the second run"
    assert pids[0] in processes.ours(place.root), "the warm agent is gone"
