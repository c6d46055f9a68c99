"""`python3 -m kit HOME URL`: how the real agents are started against the fake models at URL, as JSON. For whoever starts them without us."""

import json
import sys
from pathlib import Path

from .agents import base_env, claude_env, write_opencode
from .cache import program

home, url = Path(sys.argv[1]), sys.argv[2]
env = base_env(home) | claude_env(url, home, "sk-ant-fake")
write_opencode(url, env, "sk-fake")
agents = {"claude": [program("claude-agent-acp")], "opencode": [program("opencode"), "acp"]}
print(json.dumps({"env": env, "agents": agents}))
