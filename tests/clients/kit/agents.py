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
CODEX = """\
model = "fake-model"
model_provider = "fake"

[model_providers.fake]
name = "Fake"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "CODEX_API_KEY"
"""
VIBE = """\
active_model = "fake"
enable_telemetry = false
enable_update_checks = false

[[providers]]
name = "fake"
api_base = "{url}/v1"
api_key_env_var = "MISTRAL_API_KEY"
api_style = "openai"
backend = "generic"

[[models]]
name = "fake-model"
provider = "fake"
alias = "fake"
"""
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


def codex_env(url: str, home: Path, key: str) -> dict[str, str]:
    """Codex knows its provider from a file in its own folder."""
    folder = home / "codex"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CODEX.format(url=url))
    return {"CODEX_HOME": str(folder), "CODEX_API_KEY": key}


def gemini_env(url: str, home: Path, key: str) -> dict[str, str]:
    """Which of its ways to log in Gemini CLI takes stands in a file of the home. Without a model it asks another one which to ask."""
    folder = home / ".gemini"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    (folder / "settings.json").write_text(json.dumps(settings))
    return {"GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_MODEL": "fake-model", "GEMINI_CLI_TRUST_WORKSPACE": "true"}


def qwen_env(url: str, home: Path, key: str) -> dict[str, str]:
    """As Gemini CLI, of which it is a fork, with another API."""
    folder = home / ".qwen"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": False}}
    (folder / "settings.json").write_text(json.dumps(settings))
    return {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "fake-model"}


def vibe_env(url: str, home: Path, key: str) -> dict[str, str]:
    """Vibe knows its provider from a file in its own folder."""
    folder = home / ".vibe"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(VIBE.format(url=url))
    return {"MISTRAL_API_KEY": key, "VIBE_HOME": str(folder)}
