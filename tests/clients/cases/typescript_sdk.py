"""The TypeScript SDK doing the main job with opencode."""

import json

from kit.cache import CACHE, CLIENTS
from kit.job import MODELS, concluded, marker
from kit.place import EYAS, Place


async def typescript_does_the_main_job(place: Place) -> None:
    """The SDK beneath most editors, in their own runtime."""
    first, second = marker(), marker()
    order = {"eyas": EYAS, "agent": "opencode", "model": MODELS["opencode"][0], "marks": [first, second]}
    modules = {"EYAS_CLIENT_MODULES": str(CACHE / "npm")}
    out = await place.program("node", str(CLIENTS / "node" / "main_job.mjs"), json.dumps(order), env=modules)
    told = json.loads(out)
    assert len(told["tools"]) == 12, told["tools"]
    for run, mark in zip(told["runs"], (first, second), strict=True):
        concluded(run, mark)
    assert told["runs"][1]["warm"] is True, told["runs"][1]
