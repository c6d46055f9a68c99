"""Real CLIs that do not speak ACP, run once a turn: the main job, follow-ups, our tools, policy, cancellation."""

import asyncio
import json
import os
import secrets
import time
from pathlib import Path

from fakes import conclusion, script
from kit import processes
from kit.cache import BIN_DIRS
from kit.face import Face, session
from kit.job import concluded, marker
from kit.place import Place

AGENTS = ("claude-cli", "codex-cli", "opencode-cli")
MODELS = {"claude-cli": ("haiku", "claude-haiku"), "codex-cli": ("fake-other", "fake-other"), "opencode-cli": ("fake/fake-other", "fake-other")}
WRITE = {"claude-cli": ("Write", "file_path"), "opencode-cli": ("write", "filePath")}
SHELL = {"claude-cli": ("Bash", "command"), "opencode-cli": ("bash", "command"), "codex-cli": ("exec_command", "cmd")}
CODEX = """\
model = "fake-model"
model_provider = "fake"

[model_providers.fake]
name = "Fake"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
"""


def _prepared(place: Place, agent: str) -> None:
    """What its owner has configured."""
    if agent == "codex-cli":
        folder = place.home / "codex"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(CODEX.format(url=place.fakes.url))
        place.env |= {"CODEX_HOME": str(folder), "OPENAI_API_KEY": "sk-fake"}
    # By default Claude Code hides tools behind a search, which the fake model does not do.
    place.env["ENABLE_TOOL_SEARCH"] = "false"


async def _run(face: Face, agent: str, prompt: str, **more) -> dict:
    run = await face.ok("delegate", prompt=prompt, agent=agent, **more)
    return await face.finish(run)


async def _restarted(place: Place) -> None:
    """The hub ends; the next call starts another."""
    await place.rpc("hub.shutdown")


async def claude_works_once_a_turn(place: Place) -> None:
    """Its conversation outlives the hub."""
    await _works(place, "claude-cli")


async def codex_works_once_a_turn(place: Place) -> None:
    """Its conversation outlives the hub."""
    await _works(place, "codex-cli")


async def opencode_works_once_a_turn(place: Place) -> None:
    """Its conversation outlives the hub."""
    await _works(place, "opencode-cli")


async def _works(place: Place, agent: str) -> None:
    _prepared(place, agent)
    first, second, third = marker(), marker(), marker()
    soul = f"SOUL-{secrets.token_hex(6)}"
    async with session(place) as face:
        await face.ok("persona_create", id="hawk", name="Hawk", system_prompt=f"You see. {soul}", model=MODELS[agent][0])
        run = await _run(face, agent, f"Look at hello.py. {first}", persona="hawk")
        concluded(run, first)
        assert run["warm"] is False, run
        usage = (await place.rpc("run.get", id=run["id"]))["usage"]
        assert usage["output_tokens"] > 0, usage
        entry = place.fakes.log.wait(first, 1)
        assert soul in entry.text and entry.model.startswith(MODELS[agent][1]), (entry.model, entry.system[:2000])
        attempt = (await place.rpc("run.attempts", id=run["id"]))["items"][0]
        assert "once a turn" in attempt["reason"], attempt
        again = await _run(face, agent, f"Once more. {second}", previous=run["id"])
        concluded(again, second)
        assert again["continuity"] == "resumed", again
        assert first in place.fakes.log.wait(second, 1).text, "it forgot the conversation"
    await _restarted(place)
    async with session(place) as face:
        last = await _run(face, agent, f"And again. {third}", previous=again["id"])
        concluded(last, third)
        assert last["continuity"] == "resumed", last
        assert first in place.fakes.log.wait(third, 1).text, "it forgot the conversation with its hub"
        assert not list((place.eyas_home).rglob("turn-*")), "files of a turn were left"


async def claude_reports_by_our_tools_once_a_turn(place: Place) -> None:
    """By the file of `--mcp-config`."""
    await _reports(place, "claude-cli")


async def codex_reports_by_our_tools_once_a_turn(place: Place) -> None:
    """By `-c mcp_servers.…`."""
    await _reports(place, "codex-cli")


async def opencode_reports_by_our_tools_once_a_turn(place: Place) -> None:
    """By `OPENCODE_CONFIG_CONTENT`."""
    await _reports(place, "opencode-cli")


async def _reports(place: Place, agent: str) -> None:
    _prepared(place, agent)
    mark = marker()
    call = {"call": "conclude", "with": {"status": "success", "summary": f"told {mark}"}}
    async with session(place) as face:
        run = await _run(face, agent, f"Look. {mark} {script(call, {'say': 'That is all.'})}")
        assert run["state"] == "succeeded" and run["conclusion"]["source"] == "tool", run
        assert run["conclusion"]["summary"] == f"told {mark}", run
    assert not list(place.project.glob(".mcp*")) and not (place.project / "opencode.json").exists()


async def claude_keeps_to_the_policy_once_a_turn(place: Place) -> None:
    """It is told by rules; nobody can be asked."""
    await _keeps(place, "claude-cli")


async def opencode_keeps_to_the_policy_once_a_turn(place: Place) -> None:
    """It is told by its environment; nobody can be asked."""
    await _keeps(place, "opencode-cli")


async def _keeps(place: Place, agent: str) -> None:
    _prepared(place, agent)
    outside = place.root / "outside.txt"
    tool, path = WRITE[agent]
    shell, command = SHELL[agent]

    def steps(name: str) -> list[dict]:
        writes = [place.project / f"{name}.txt", outside, place.project / ".envrc"]
        return [
            *({"call": tool, "with": {path: str(file), "content": "x"}} for file in writes),
            {"call": shell, "with": {command: f"touch {name}.ran", "description": "make a file"}},
            {"say": conclusion("it was tried")},
        ]

    async with session(place) as face:
        for security, edits in (("allowlist", True), ("deny", False)):
            run = await _run(face, agent, f"Try. {marker()} {script(*steps(security))}", policy={"security": security})
            assert run["state"] == "succeeded", run
            assert (place.project / f"{security}.txt").exists() is edits, (security, run["warnings"])
            left = [outside, place.project / ".envrc", place.project / f"{security}.ran"]
            assert not any(file.exists() for file in left), (security, left)
            assert not any(one["kind"] == "policy_not_enforced" for one in run["warnings"]), run["warnings"]


async def a_cancelled_cli_is_gone_with_its_prompt_unseen(place: Place) -> None:
    """All three: while the model takes its time nobody's arguments hold the prompt, and then the process is gone."""
    for agent in AGENTS:
        _prepared(place, agent)
        mark = marker()
        async with session(place) as face:
            run = await face.ok("delegate", prompt=f"Wait. {mark} {script({'sleep': 60}, {'say': 'late'})}", agent=agent, wait_ms=0)
            await asyncio.to_thread(place.fakes.log.wait, mark)
            lines = [_line(pid) for pid in Path("/proc").iterdir() if pid.name.isdigit()]
            assert not any(mark in line for line in lines), f"{agent} shows its prompt"
            pid = (await place.rpc("run.attempts", id=run["id"]))["items"][0]["pid"]
            began = time.monotonic()
            await face.ok("run_cancel", id=run["id"])
            run = await face.finish(run)
            assert run["state"] == "cancelled", run
            assert pid not in processes.ours(place.root), f"{agent} outlived its run"
            assert time.monotonic() - began < 10, agent


def _line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


async def a_cli_without_its_key_says_that_it_is_not_logged_in(place: Place) -> None:
    """Never a browser, and never a retry."""
    place.env.pop("ANTHROPIC_API_KEY")
    async with session(place) as face:
        run = await face.ok("delegate", prompt=f"Look. {marker()}", agent="claude-cli", wait_ms=0)
        answer = await face.call("run_get", id=run["id"], wait_ms=20000)
        run = answer.data
        assert run["state"] == "failed" and run["error"]["kind"] == "agent_auth", answer.text
        assert run["attempt"] == 1 and "log in to claude" in run["error"]["hint"], run


async def claude_itself_stands_in_for_its_adapter(place: Place) -> None:
    """Where the program that speaks ACP is not installed."""
    folder = place.root / "bin"
    folder.mkdir()
    claude = next(path / "claude" for path in BIN_DIRS if (path / "claude").exists())
    (folder / "claude").symlink_to(claude.resolve())
    node = [str(path) for path in BIN_DIRS if (path / "node").exists() and not (path / "claude").exists()]
    place.env["PATH"] = os.pathsep.join([str(folder), *node, "/usr/local/bin", "/usr/bin", "/bin"])
    mark = marker()
    async with session(place) as face:
        run = await _run(face, "claude", f"Look at hello.py. {mark}")
        concluded(run, mark)
        attempt = (await place.rpc("run.attempts", id=run["id"]))["items"][0]
        assert "`claude`, which is run once a turn" in attempt["reason"], json.dumps(attempt)
