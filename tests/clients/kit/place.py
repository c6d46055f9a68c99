"""A machine of its own for one test: homes, a project, fake models, an environment."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from fakes import FakeModels

from . import processes
from .agents import base_env, claude_env, write_opencode

REPO = Path(__file__).resolve().parents[3]
EYAS = os.environ.get("EYAS_BIN") or str(REPO / "target" / "release" / "eyas")
# Ten seconds is what the product promises for a whole shutdown; the rest is a busy machine.
SHUTDOWN_S = 15
START_S = 5


class Place:
    """Enter it, and everything in `env` points into it; leave it, and nothing may be left running."""

    def __init__(self, name: str, keep: Path | None = None):
        # Short: the hub's socket path below it must stay under 100 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="ec-"))
        self.name = name
        self.keep = keep
        self.home = self.root / "home"
        self.eyas_home = self.root / "eyas"
        self.project = self.root / "project"
        # One has the shape of no key, so that only who knows the value can strike it out; the other is in an agent's own file, which
        # only its shape betrays.
        self.keys = {"claude": f"canary/{secrets.token_hex(16)}", "opencode": f"sk-ant-canary-{secrets.token_hex(16)}"}
        self.fakes = FakeModels(self.root / "model.jsonl")
        self.env: dict[str, str] = {}

    def __enter__(self) -> "Place":
        self.fakes.__enter__()
        self.env = base_env(self.home) | claude_env(self.fakes.url, self.home, self.keys["claude"])
        self.env["EYAS_HOME"] = str(self.eyas_home)
        write_opencode(self.fakes.url, self.env, self.keys["opencode"])
        self.project.mkdir()
        (self.project / "hello.py").write_text("print('hello')\n")
        author = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"]
        for words in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "first"]):
            subprocess.run(["git", *words], cwd=self.project, env=self.env, check=True)
        return self

    def __exit__(self, kind, *_why) -> None:
        try:
            before = processes.ours(self.root)
            refused = self._stop_hub()
            left = processes.gone(self.root, before, SHUTDOWN_S)
            processes.end(self.root, before)
        finally:
            self.fakes.__exit__()
            if self.keep:
                shutil.copytree(self.root, self.keep / self.name, symlinks=True, dirs_exist_ok=True, ignore=_sockets)
            shutil.rmtree(self.root, ignore_errors=True)
        if kind is None:  # a failed test tells its own story
            assert not refused, f"the hub would not end: {refused}"
            assert not left, f"left running after hub.shutdown: {left}"

    async def eyas(self, *words: str, stdin: str = "", timeout: float = 60) -> str:
        """Run the binary by hand and take what it prints."""
        return await self.program(EYAS, *words, stdin=stdin, timeout=timeout)

    async def program(self, *words: str, stdin: str = "", timeout: float = 180, env: dict | None = None, status: int = 0) -> str:
        """Run a client in the project; its output, once it ended with the status."""
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *words, cwd=self.project, env=self.env | (env or {}), stdin=pipe, stdout=pipe, stderr=pipe, limit=64 << 20
        )
        try:
            out, err = await asyncio.wait_for(child.communicate(stdin.encode()), timeout)
        except TimeoutError:
            child.kill()
            raise
        text = out.decode(errors="replace")
        assert child.returncode == status, f"{words[0]} ended with {child.returncode}\n{text[-4000:]}\n{err.decode(errors='replace')[-4000:]}"
        return text

    async def rpc(self, method: str, **params) -> dict:
        """One call of the hub's own API, past every editor."""
        out = await self.eyas("rpc", stdin=_line(method, params))
        answer = json.loads(out)
        assert "result" in answer, answer
        return answer["result"]

    def _stop_hub(self) -> str:
        """End the hub as a person would; why it refused, if it did. With runs open it refuses, and then it is told to hurry."""
        if not self._hub_listens():
            return ""
        refused = self._shutdown({})
        if refused:
            self._shutdown({"now": True})
        return refused

    def _hub_listens(self) -> bool:
        """Whether there is one to end: what a face started just before it left may still be on its way."""
        until = time.monotonic() + START_S
        listens = (self.eyas_home / "hub.json").exists
        while not listens() and processes.ours(self.root) and time.monotonic() < until:
            time.sleep(0.05)
        return listens()

    def _shutdown(self, params: dict) -> str:
        line = _line("hub.shutdown", params)
        try:
            done = subprocess.run([EYAS, "rpc"], input=line, env=self.env, cwd=self.project, text=True, capture_output=True, timeout=SHUTDOWN_S)
            return json.dumps(json.loads(done.stdout)["error"]) if '"error"' in done.stdout else ""
        except (OSError, ValueError, subprocess.TimeoutExpired) as why:
            return str(why)


def _line(method: str, params: dict) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n"


def _sockets(folder: str, names: list[str]) -> list[str]:
    """What cannot be copied."""
    return [name for name in names if (Path(folder) / name).is_socket()]
