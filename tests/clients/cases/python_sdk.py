"""The Python SDK doing the main job with both agents, in both eras."""

import asyncio

from fakes import script
from kit.face import ERAS
from kit.job import Hawk, concluded, done_by_one_agent, marker, pid_of, seen
from kit.place import Place
from mcp.types import PromptReference, ResourceTemplateReference


async def initialize_does_the_main_job(place: Place) -> None:
    """The era of most editors."""
    await _main_job(place, "initialize", "claude")
    await _main_job(place, "initialize", "opencode")


async def discover_does_the_main_job(place: Place) -> None:
    """The stateless era."""
    await _main_job(place, "discover", "claude")
    await _main_job(place, "discover", "opencode")


async def _main_job(place: Place, era: str, agent: str) -> None:
    hawk, marks = Hawk(agent), (marker(), marker())
    async with ERAS[era](place) as face:
        await hawk.settle(face)
        for mark in marks:
            run = await hawk.delegate(face, mark)
            concluded(run, mark)
            seen(place, hawk, mark)
        await done_by_one_agent(place, agent, marks)
        live = (await face.ok("project", action="list"))["items"]
        assert await pid_of(place, run) in [project.get("pid") for project in live], live
        listed = (await face.ok("run_list"))["items"]
        assert run["id"] in [one["id"] for one in listed], listed


async def resources_prompts_and_completion(place: Place) -> None:
    """Everything beside the tools, after a run that gives them something to show."""
    hawk = Hawk("claude")
    async with ERAS["initialize"](place) as face:
        await hawk.settle(face)
        mark = marker()
        run = await hawk.delegate(face, mark)
        for uri in (f"eyas://runs/{run['id']}", f"eyas://runs/{run['id']}/transcript"):
            contents = (await face.sdk.read_resource(uri)).contents
            assert mark in contents[0].text, (uri, contents)
        soul = (await face.sdk.read_resource(f"eyas://personas/{hawk.name}")).contents[0].text
        assert hawk.soul in soul, soul
        memory = (await face.sdk.read_resource(f"eyas://instances/{hawk.name}/MEMORY.md")).contents[0].text
        assert hawk.memory in memory, memory
        templates = [t.uri_template for t in (await face.sdk.list_resource_templates()).resource_templates]
        assert any(t.startswith("eyas://runs/{") for t in templates), templates
        prompts = [prompt.name for prompt in (await face.sdk.list_prompts()).prompts]
        assert any(hawk.name in name for name in prompts), prompts
        await _completes(face, templates, prompts, hawk)


async def _completes(face, templates: list[str], prompts: list[str], hawk: Hawk) -> None:
    template = next(t for t in templates if t.startswith("eyas://personas/{"))
    variable = template.split("{")[1].split("}")[0]
    ref = ResourceTemplateReference(type="ref/resource", uri=template)
    values = (await face.sdk.complete(ref, {"name": variable, "value": hawk.name[:6]})).completion.values
    assert hawk.name in values, values
    ref = PromptReference(type="ref/prompt", name=next(name for name in prompts if hawk.name in name))
    assert (await face.sdk.complete(ref, {"name": "anything", "value": ""})).completion.values is not None


async def cancelling_a_request_ends_the_wait_not_the_run(place: Place) -> None:
    """An impatient editor must not destroy work; `run_cancel` is for that."""
    hawk = Hawk("claude")
    for era, open_face in ERAS.items():
        async with open_face(place) as face:
            if era == "initialize":
                await hawk.settle(face)
            mark, doomed = marker(), marker()
            wait = asyncio.create_task(hawk.start(face, mark, script({"sleep": 4}), wait_ms=30000))
            await asyncio.to_thread(place.fakes.log.wait, mark)
            wait.cancel()
            await asyncio.wait([wait])
            runs = (await face.ok("run_list"))["items"]
            concluded(await face.finish(next(run for run in runs if mark in run["prompt"])), mark)
            run = await hawk.start(face, doomed, script({"sleep": 60}), wait_ms=0)
            await asyncio.to_thread(place.fakes.log.wait, doomed)
            await face.ok("run_cancel", id=run["id"], reason="changed our mind")
            assert (await face.finish(run))["state"] == "cancelled"
