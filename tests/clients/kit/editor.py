"""The main job as an editor's model does it: the script that the fake model follows."""

from fakes import script

from .job import MODELS


def main_job(marks: tuple[str, str], agent: str) -> str:
    """A prompt for an editor; the marks stand only in what it delegates."""
    persona = {"id": "kite", "name": "Kite", "system_prompt": "You hover, then look.", "model": MODELS[agent][0]}
    steps = [
        {"call": "persona_create", "with": persona},
        {"call": "instance_create", "with": {"name": "kite", "persona": "kite", "agent": agent}},
    ]
    for mark in marks:
        order = {"prompt": f"Look at hello.py. {mark}", "instance": "kite", "wait_ms": 0}
        steps += [{"call": "delegate", "with": order}, {"until": "run_get"}]
    return "Have the kite look at this project. " + script(*steps)
