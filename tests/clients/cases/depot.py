"""Agents from the real npm, by `eyas agent install`: exact, verified, started, worked with."""

import json
import os

from kit.job import marker
from kit.place import EYAS, Place

# Small, and with a program: enough to see how a package becomes an agent.
SMALL = """
version = "7.6.3"
[launch]
command = "semver"
[distribution.npm]
package = "semver"
"""


# The way to the registry is the machine's own.
WAY = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "NPM_CONFIG_", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY")


def _with_a_way(place: Place) -> None:
    place.env |= {name: value for name, value in os.environ.items() if name.startswith(WAY)}


async def _agent(place: Place, *words: str) -> dict:
    return json.loads(await place.eyas("agent", *words, "--json", timeout=220))


async def _refused(place: Place, what: str, env: dict | None = None) -> str:
    out = await place.program(EYAS, "agent", "install", what, "--json", env=env, status=1)
    return json.loads(out)["kind"]


async def a_package_of_npm_is_installed_at_its_exact_version(place: Place) -> None:
    """What npm wrote down of the bytes stands in the lock file; a version that is not there is told from a registry that is not."""
    _with_a_way(place)
    agents = place.eyas_home / "agents"
    agents.mkdir(parents=True)
    (agents / "small.toml").write_text(SMALL)
    agent = await _agent(place, "install", "small")
    assert agent["installed_version"] == "7.6.3" and agent["found_by"] == "depot", agent
    installed = agent["depot"][0]
    assert installed["vouched"] == "publisher" and installed["digest"].startswith("sha512-"), installed
    assert agent["path"].endswith("/7.6.3/node_modules/semver/bin/semver.js"), agent
    assert installed["digest"] in (place.eyas_home / "agents.lock").read_text()
    assert await _refused(place, "small@999.0.0") == "artifact_missing"
    # Nobody listens there.
    nowhere = {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9/", "NPM_CONFIG_FETCH_RETRIES": "0"}
    assert await _refused(place, "small@7.6.2", nowhere) == "store_unavailable"


async def an_installed_agent_does_the_main_job(place: Place) -> None:
    """Installed into the depot, asked what it can, and delegated to."""
    _with_a_way(place)
    agent = await _agent(place, "install", "opencode")
    depot = str(place.eyas_home / "depot")
    assert agent["path"].startswith(depot), agent
    probe = await _agent(place, "probe", "opencode")
    assert probe["login"] == "ready" and probe["load"], probe
    mark = marker()
    said = await place.eyas("delegate", f"Look at hello.py. {mark}", "--agent", "opencode", "--json", timeout=120)
    run = json.loads(said)
    assert run["state"] == "succeeded" and run["agent"] == "opencode", run
