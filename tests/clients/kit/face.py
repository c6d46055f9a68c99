"""`eyas mcp` as an editor sees it, through the Python SDK, in both eras.

`session` opens with `initialize`; `client` opens with `server/discover`. A test
that takes either runs once per era.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult

from .place import EYAS, Place

TERMINAL = ("succeeded", "failed", "cancelled", "timed_out")
REQUEST_S = 60
Person = Callable[[object, ElicitRequestParams], Awaitable[ElicitResult]]


@dataclass
class Answer:
    """A tool's result: what a program reads, and what a model reads."""

    data: dict
    text: str
    error: bool


class Face:
    """One open connection; `.sdk` has the SDK's own methods."""

    def __init__(self, sdk: Client | ClientSession, era: str):
        self.sdk = sdk
        self.era = era

    async def call(self, tool: str, **arguments) -> Answer:
        """A tool call, whatever it answers."""
        result: CallToolResult = await self.sdk.call_tool(tool, arguments, read_timeout_seconds=REQUEST_S)
        text = "\n".join(getattr(block, "text", "") for block in result.content)
        return Answer(result.structured_content or {}, text, bool(result.is_error))

    async def ok(self, tool: str, **arguments) -> dict:
        """A tool call that must succeed: its structured content."""
        answer = await self.call(tool, **arguments)
        assert not answer.error, f"{tool} {json.dumps(arguments)}: {answer.text}"
        assert answer.data, f"{tool} answered no structured content: {answer.text}"
        return answer.data

    async def finish(self, run: dict, rounds: int = 8) -> dict:
        """Ask for a run until it is over."""
        for _ in range(rounds):
            if run["state"] in TERMINAL:
                return run
            run = await self.ok("run_get", id=run["id"], wait_ms=20000)
        raise AssertionError(f"the run is not over: {json.dumps(run)[:2000]}")


def _params(place: Place) -> StdioServerParameters:
    return StdioServerParameters(command=EYAS, args=["mcp"], env=place.env, cwd=place.project)


@asynccontextmanager
async def session(place: Place, person: Person | None = None, told=None):
    """The `initialize` era. `person` answers what agents ask; without one the client cannot be asked. `told` hears what comes unasked."""
    async with stdio_client(_params(place)) as (reader, writer):
        callbacks = {"elicitation_callback": person, "message_handler": told}
        async with ClientSession(reader, writer, read_timeout_seconds=REQUEST_S, **callbacks) as sdk:
            await sdk.initialize()
            yield Face(sdk, "initialize")


@asynccontextmanager
async def client(place: Place, person: Person | None = None):
    """The `server/discover` era, as above: pinned by the assertion, for `auto` falls back in silence."""
    async with Client(_params(place), read_timeout_seconds=REQUEST_S, cache=None, elicitation_callback=person) as sdk:
        assert sdk.protocol_version >= "2026-07-28", f"fell back to {sdk.protocol_version}"
        yield Face(sdk, "discover")


ERAS = {"initialize": session, "discover": client}
