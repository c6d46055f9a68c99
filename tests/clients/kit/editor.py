"""The main job as an editor's model does it: the script that the fake model follows."""

from fakes import script

from .job import MODELS


def main_job(mark: str, agent: str) -> str:
    """A prompt for an editor; the mark stands only in what it delegates."""
    persona = {"id": "kite", "name": "Kite", "system_prompt": "You hover, then look.", "model": MODELS[agent][0]}
    return "Have the kite look at this project. " + script(
        {"call": "persona_create", "with": persona},
        {"call": "instance_create", "with": {"name": "kite", "persona": "kite", "agent": agent}},
        {"call": "delegate", "with": {"prompt": f"Look at hello.py. {mark}", "instance": "kite", "wait_ms": 0}},
        {"until": "run_get"},
    )
