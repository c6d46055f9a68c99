"""Codex, headless, as the editor."""

import json

from kit.editor import main_job
from kit.job import done_by_one_agent, marker
from kit.place import EYAS, Place

CONFIG = """\
model = "fake-model"
model_provider = "fake"
approval_policy = "never"

[model_providers.fake]
name = "Fake"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "FAKE_KEY"

[mcp_servers.eyas]
command = {eyas}
args = ["mcp"]
default_tools_approval_mode = "approve"
[mcp_servers.eyas.env]
{env}
"""


async def codex_does_the_main_job(place: Place) -> None:
    """Its model delegates to opencode. Codex hands a server only the environment it is configured with."""
    marks = marker(), marker()
    folder = place.root / "codex"
    folder.mkdir()
    env = "\n".join(f"{name} = {json.dumps(value)}" for name, value in place.env.items())
    config = CONFIG.format(url=place.fakes.url, eyas=json.dumps(EYAS), env=env)
    (folder / "config.toml").write_text(config)
    keys = {"CODEX_HOME": str(folder), "FAKE_KEY": "sk-fake"}
    out = await place.program("codex", "exec", "--json", "--skip-git-repo-check", main_job(marks, "opencode"), env=keys)
    events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    said = [e["item"]["text"] for e in events if e.get("item", {}).get("type") == "agent_message"]
    assert said and f"The run said: done {marks[1]}" in said[-1], events[-6:]
    await done_by_one_agent(place, "opencode", marks)
