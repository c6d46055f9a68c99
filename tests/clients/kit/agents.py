"""The environment in which the real agents meet the fake models.

Built from nothing, not copied: whatever the machine's owner has configured
(keys, proxies, plugins) must neither reach a test nor be touched by it.
"""

import json
import os
from pathlib import Path

from .cache import BIN_DIRS

# An accident here would send a test's prompt to a vendor.
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
}
OPENCODE_PROVIDER = "fake"
OPENCODE_MODELS = ("fake-model", "fake-other")


def base_env(home: Path) -> dict[str, str]:
    """A user of the machine with nothing configured."""
    home.mkdir(parents=True, exist_ok=True)
    env = {
        "HOME": str(home),
        "USER": os.environ.get("USER", "tester"),
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([*map(str, BIN_DIRS), os.environ["PATH"]]),
    }
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        env[f"XDG_{name}_HOME"] = str(home / f"xdg-{name.lower()}")
    return env | QUIET


def claude_env(url: str, home: Path, key: str) -> dict[str, str]:
    """What Claude Code and its ACP adapter need to find the fake."""
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": key,
        "CLAUDE_CONFIG_DIR": str(home / "claude-config"),
    }


def write_opencode(url: str, env: dict[str, str], key: str) -> Path:
    """opencode knows its provider from a file alone, so that file is all it needs."""
    folder = Path(env["XDG_CONFIG_HOME"]) / "opencode"
    folder.mkdir(parents=True, exist_ok=True)
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Fake",
        "options": {"baseURL": f"{url}/v1", "apiKey": key},
        "models": {name: {"name": name, "limit": {"context": 200000, "output": 8192}} for name in OPENCODE_MODELS},
    }
    config = {
        "autoupdate": False,
        "share": "disabled",
        # Without this it also offers the vendors whose keys it finds in the environment.
        "enabled_providers": [OPENCODE_PROVIDER],
        "model": f"{OPENCODE_PROVIDER}/{OPENCODE_MODELS[0]}",
        "provider": {OPENCODE_PROVIDER: provider},
    }
    file = folder / "opencode.json"
    file.write_text(json.dumps(config, indent=2))
    return file
