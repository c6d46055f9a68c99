"""Agents as `eyas agent install` puts them on a machine, once for all tests, and what each needs to find the fake models."""

import os
import shutil
import subprocess
from pathlib import Path

from .agents import codex_env, gemini_env, qwen_env, vibe_env
from .cache import BIN_DIRS, CACHE
from .place import EYAS, Place

AGENTS = ("claude", "codex", "gemini", "opencode", "qwen", "vibe")
ENVS = {"codex": codex_env, "gemini": gemini_env, "qwen": qwen_env, "vibe": vibe_env}
# What lies in a home of what was installed: the agents, and which versions are meant.
PARTS = ("depot", "agents.lock")
INSTALL_S = 600
PYTHONS = ("python3.14", "python3.13", "python3.12")
# Whom the machine trusts, and how it reaches the registries, is nobody's setting of an agent.
NETWORK = (
    "NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR PIP_CERT REQUESTS_CA_BUNDLE PIP_INDEX_URL NPM_CONFIG_REGISTRY HTTP_PROXY HTTPS_PROXY NO_PROXY"
).split()


async def equip(place: Place, agent: str) -> None:
    """The agent is installed in the place's home, and what it needs stands in its environment."""
    key = f"sk-fake-{agent}-key-of-nobody"
    if make := ENVS.get(agent):
        place.env |= make(place.fakes.url, place.home, key)
    # What the suite has installed itself must not be found: our Node is, as agents need one.
    hidden = [str(folder) for folder in BIN_DIRS[1:]]
    folders = [folder for folder in place.env["PATH"].split(":") if folder not in hidden]
    place.env["PATH"] = ":".join([*_newer_python(), *folders])
    kept = CACHE / "agents" / agent
    if not (kept / "depot").exists():
        network = {name: os.environ[name] for name in NETWORK if name in os.environ}
        await place.program(EYAS, "agent", "install", agent, timeout=INSTALL_S, env=network)
        kept.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            shutil.move(place.eyas_home / part, kept / part)
    place.eyas_home.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if (kept / part).is_dir():
            (place.eyas_home / part).symlink_to(kept / part)
        else:
            shutil.copy(kept / part, place.eyas_home / part)
    listed = await place.rpc("agent.get", id=agent)
    assert listed["found_by"] == "depot", listed


def _newer_python() -> list[str]:
    """The folder of a Python that all agents can live with, where the first on the path is older: on the path by its own name, or pyenv's."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = [found for name in PYTHONS if (found := shutil.which(name))]
    kept = [str(path) for name in PYTHONS for path in sorted(root.glob(f"versions/*/bin/{name}"))]
    for python in named + kept:
        if subprocess.run([python, "--version"], capture_output=True).returncode == 0:
            return [str(Path(python).parent)]
    return []
