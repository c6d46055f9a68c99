"""The Inspector's command line, which lints schemas and speaks both eras."""

import json

from fakes import script
from kit.job import MODELS, concluded, done_by_one_agent, marker
from kit.place import EYAS, Place
from kit.surface import are_the_tools

ERAS = ("legacy", "modern")


async def _inspect(place: Place, era: str, *words: str) -> dict:
    # It hands a server no environment but what it is told to.
    told = [word for name, value in place.env.items() for word in ("-e", f"{name}={value}")]
    out = await place.program("mcp-inspector", "--cli", "--protocol-era", era, *told, EYAS, "mcp", *words)
    return json.loads(out)


async def _call(place: Place, era: str, tool: str, **arguments) -> dict:
    pairs = [word for name, value in arguments.items() for word in ("--tool-arg", f"{name}={value}")]
    answer = await _inspect(place, era, "--method", "tools/call", "--tool-name", tool, *pairs)
    assert not answer.get("isError"), answer
    return answer["structuredContent"]


async def the_strict_lint_finds_nothing(place: Place) -> None:
    """`--strict` ends with 6 when a schema would trouble some client."""
    for era in ERAS:
        listed = await _inspect(place, era, "--method", "tools/list", "--strict")
        are_the_tools([tool["name"] for tool in listed["tools"]])


async def inspector_does_the_main_job(place: Place) -> None:
    """Every call is a face of its own, that ends with its answer: what they share is the hub. One era each does a run."""
    marks = marker(), marker()
    for era, mark in zip(ERAS, marks, strict=True):
        who = f"falcon-{era}"
        persona = {"id": who, "name": "Falcon", "system_prompt": "You dive.", "model": MODELS["claude"][0]}
        assert (await _call(place, era, "persona_create", **persona))["id"] == who
        assert (await _call(place, era, "instance_create", name=who, persona=who, agent="claude"))["name"] == who
        run = await _call(place, era, "delegate", prompt=f"Look at hello.py. {mark}", instance=who, wait_ms=0)
        concluded(await _call(place, era, "run_get", id=run["id"], wait_ms=45000), mark)
    await done_by_one_agent(place, "claude", marks)


async def modern_drives_a_task_to_its_end(place: Place) -> None:
    """It takes tasks: what it prints is what the task came to, though the call itself waited for nothing."""
    mark = marker()
    persona = {"id": "falcon", "name": "Falcon", "system_prompt": "You dive.", "model": MODELS["claude"][0]}
    await _call(place, "modern", "persona_create", **persona)
    told = {"prompt": f"Look at hello.py. {mark} {script({'sleep': 2})}", "persona": "falcon", "agent": "claude"}
    run = await _call(place, "modern", "delegate", **told, wait_ms=0)
    concluded(run, mark)
    # Legacy clients are never given one: the same call is answered at once.
    told["prompt"] = f"Look at hello.py. {marker()} {script({'sleep': 2})}"
    run = await _call(place, "legacy", "delegate", **told, wait_ms=0)
    assert run["state"] in ("queued", "running"), run
    await _call(place, "legacy", "run_get", id=run["id"], wait_ms=45000)
