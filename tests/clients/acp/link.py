"""A raw ACP client of one agent process, with a transcript of every line."""

import asyncio
import itertools
import json
from pathlib import Path


class AcpError(Exception):
    """The agent answered a request with an error."""

    def __init__(self, method: str, error: dict):
        super().__init__(f"{method}: {json.dumps(error)}")
        self.error = error


class Link:
    """One agent on pipes; permission requests are answered by kind."""

    def __init__(self, process: asyncio.subprocess.Process, transcript: Path | None, allow: str):
        self.process = process
        self.updates: list[dict] = []
        self.requests: list[dict] = []
        self.noise: list[str] = []
        self._allow = allow
        self._transcript = transcript
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future] = {}
        self._reader = asyncio.create_task(self._read())
        self._drain = asyncio.create_task(self._stderr())

    @classmethod
    async def start(cls, *command: str, env: dict, cwd: Path, transcript: Path | None = None, allow: str = "allow_once"):
        """Launch the agent in the given environment and nothing else."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, limit=64 << 20
        )
        return cls(process, transcript, allow)

    async def ask(self, method: str, params: dict, timeout: float = 60) -> dict:
        """A request and its result."""
        id = next(self._ids)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        self._write({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        message = await asyncio.wait_for(answer, timeout)
        if "error" in message:
            raise AcpError(method, message["error"])
        return message["result"]

    def tell(self, method: str, params: dict) -> None:
        """A notification."""
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def said(self, session: str) -> str:
        """What the agent said in a session so far."""
        chunks = [u["update"] for u in self.updates if u["sessionId"] == session]
        return "".join(c["content"].get("text", "") for c in chunks if c["sessionUpdate"] == "agent_message_chunk")

    async def stop(self) -> int:
        """Close stdin; an agent that does not leave by itself is killed."""
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 5)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        await asyncio.gather(self._reader, self._drain)
        return self.process.returncode

    def _write(self, message: dict) -> None:
        self._note(">", message)
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    def _note(self, way: str, message: dict) -> None:
        if self._transcript:
            with self._transcript.open("a") as out:
                out.write(f"{way} {json.dumps(message, ensure_ascii=False)}\n")

    async def _read(self) -> None:
        while line := await self.process.stdout.readline():
            try:
                message = json.loads(line)
            except ValueError:
                self.noise.append(line.decode(errors="replace"))
                continue
            self._note("<", message)
            if "method" not in message:
                self._waiting.pop(message["id"]).set_result(message)
            elif "id" in message:
                self._answer(message)
            elif message["method"] == "session/update":
                self.updates.append(message["params"])
        for answer in self._waiting.values():
            answer.set_exception(EOFError("the agent hung up"))

    def _answer(self, message: dict) -> None:
        self.requests.append(message)
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "session/request_permission":
            fits = [o for o in message["params"]["options"] if o["kind"] == self._allow]
            outcome = {"outcome": "selected", "optionId": fits[0]["optionId"]} if fits else {"outcome": "cancelled"}
            self._write({**reply, "result": {"outcome": outcome}})
        else:
            self._write({**reply, "error": {"code": -32601, "message": "method not found"}})

    async def _stderr(self) -> None:
        while line := await self.process.stderr.readline():
            self.noise.append(line.decode(errors="replace"))
