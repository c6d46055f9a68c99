"""The main job, as every client does it: a persona, an instance, a delegation, its conclusion."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from .face import Face
from .place import Place

# What each agent calls a model that is not its default, and how the model API then sees it.
MODELS = {"claude": ("haiku", "claude-haiku"), "opencode": ("fake/fake-other", "fake-other")}
# The agent's own process, not the helpers it starts.
COMMANDS = {"claude": r"claude-agent-acp", "opencode": r"opencode\S* acp\b"}


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


def seen(place: Place, hawk: Hawk, mark: str) -> None:
    """The model was told who it is, and was the model the persona names."""
    entry = place.fakes.log.wait(mark, 1)
    assert hawk.soul in entry.text, f"{hawk.agent} was not told its system prompt:\n{entry.system[:3000]}"
    assert hawk.memory in entry.text, f"{hawk.agent} was not told its memory:\n{entry.system[:3000]}"
    assert entry.model.startswith(MODELS[hawk.agent][1]), f"{hawk.agent} used {entry.model}"
