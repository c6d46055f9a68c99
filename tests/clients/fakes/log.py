"""What the model saw: every request body, in memory and as JSON lines."""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

SESSION_HEADERS = ("x-claude-code-session-id", "x-session-id")


@dataclass
class Entry:
    """One request to a fake, with what it was read as."""

    at: float
    path: str
    headers: dict[str, str]
    body: dict
    model: str = ""
    system: str = ""
    tools: list[str] = field(default_factory=list)
    prompt: str = ""
    side: bool = False

    @property
    def text(self) -> str:
        """Everything the model was told, for a search by marker."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def session(self) -> str:
        """The agent's own id of the conversation, where it says one."""
        return next((self.headers[name] for name in SESSION_HEADERS if name in self.headers), "")

    @property
    def key(self) -> str:
        """What the agent proved itself with."""
        keys = self.headers.get("x-api-key") or self.headers.get("x-goog-api-key")
        return keys or self.headers.get("authorization", "").removeprefix("Bearer ")


class RequestLog:
    """Append-only; threads of the server write, the test reads."""

    def __init__(self, file: Path | None = None):
        self.file = file
        self._entries: list[Entry] = []
        self._changed = threading.Condition()

    def add(self, entry: Entry) -> None:
        """Remember a request before it is answered."""
        with self._changed:
            self._entries.append(entry)
            if self.file:
                with self.file.open("a") as out:
                    out.write(json.dumps(entry.__dict__, ensure_ascii=False) + "\n")
            self._changed.notify_all()

    def entries(self, marker: str = "", side: bool = False) -> list[Entry]:
        """Requests whose last prompt holds the marker."""
        with self._changed:
            return [e for e in self._entries if marker in e.prompt and (side or not e.side)]

    def wait(self, marker: str, timeout: float = 60.0) -> Entry:
        """The first request with the marker, when it comes."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for entry in self._entries:
                    if marker in entry.prompt and not entry.side:
                        return entry
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"the model was never asked {marker}")
                self._changed.wait(left)
