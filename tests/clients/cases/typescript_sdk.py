"""The TypeScript SDK doing the main job with opencode."""

import json

from kit.cache import CACHE, CLIENTS
from kit.job import MODELS, concluded, done_by_one_agent, marker
from kit.place import EYAS, Place
from kit.surface import NAMES


async def typescript_does_the_main_job(place: Place) -> None:
    """The SDK beneath most editors, in their own runtime."""
    marks = marker(), marker()
    order = {"eyas": EYAS, "agent": "opencode", "model": MODELS["opencode"][0], "marks": marks}
    modules = {"EYAS_CLIENT_MODULES": str(CACHE / "npm")}
    out = await place.program("node", str(CLIENTS / "node" / "main_job.mjs"), json.dumps(order), env=modules)
    told = json.loads(out)
    assert set(told["tools"]) <= set(NAMES), told["tools"]
    for run, mark in zip(told["runs"], marks, strict=True):
        concluded(run, mark)
    await done_by_one_agent(place, "opencode", marks)
