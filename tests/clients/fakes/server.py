"""One loopback server for all four APIs."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import anthropic, chat, gemini, responses
from .log import Entry, RequestLog
from .script import SCRIPT, asked, decide, is_side
from .talk import Talk

WIRES = {"/v1/messages": anthropic, "/v1/chat/completions": chat, "/v1/responses": responses}
GEMINI = re.compile(r"/v1(?:beta)?/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)$")
MODELS = ("fake-model", "fake-other")


class Handler(BaseHTTPRequestHandler):
    """Answers one request; the server's `log` remembers it."""

    protocol_version = "HTTP/1.1"
    server: "Listener"

    def log_message(self, *_args) -> None:
        """Quiet: the request log is the log."""

    def do_HEAD(self) -> None:
        """Reachability probes."""
        self._send(200, "application/json", [])

    def do_GET(self) -> None:
        """Model lists, in a shape all clients accept, and probes."""
        models = [{"id": name, "object": "model", "type": "model", "display_name": name} for name in MODELS]
        self._json({"object": "list", "data": models, "has_more": False})

    def do_POST(self) -> None:
        """A turn of a conversation, or a count of its tokens."""
        path = self.path.partition("?")[0].rstrip("/")
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if path.endswith("/count_tokens"):
            self._json({"input_tokens": 11})
        elif found := GEMINI.search(path):
            self._gemini(*found.groups(), path, body)
        elif path in WIRES:
            self._turn(WIRES[path], path, WIRES[path].parse(body), body)
        else:
            self._json({})

    def _gemini(self, model: str, verb: str, path: str, body: dict) -> None:
        """It says in the address what the others say in the body."""
        if verb == "countTokens":
            self._json({"totalTokens": 11})
            return
        talk = gemini.parse(body)
        talk.model, talk.stream = model, verb == "streamGenerateContent"
        self._turn(gemini, path, talk, body)

    def _turn(self, wire, path: str, talk: Talk, body: dict) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        prompt = SCRIPT.sub("", asked(talk.said)[1])  # a mark in a script is for whom the script is delegated to
        entry = Entry(time.time(), path, headers, body, talk.model, talk.system, talk.tools, prompt, is_side(talk))
        self.server.log.add(entry)
        reply = decide(talk)
        reply.text = reply.text.replace("$KEY", entry.key)  # an agent that tells what it should not
        time.sleep(reply.sleep)
        if not talk.stream:
            self._json(wire.message(talk, reply))
            return
        made = wire.events(talk, reply)
        lines = [(f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in made]
        tail = "data: [DONE]\n\n" if wire is chat else ""
        self._send(200, "text/event-stream", [line.encode() for line in [*lines, tail]], reply.pace)

    def _json(self, value: dict) -> None:
        self._send(200, "application/json", [json.dumps(value).encode()])

    def _send(self, status: int, kind: str, parts: list[bytes], pace: float = 0.0) -> None:
        try:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(sum(map(len, parts))))
            self.end_headers()
            for part in parts if pace else [b"".join(parts)]:
                self.wfile.write(part)
                time.sleep(pace)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # a cancelled turn hangs up; that is its right


class Listener(ThreadingHTTPServer):
    """A thread per connection, none of which keeps the process alive."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, log: RequestLog):
        super().__init__(("127.0.0.1", port), Handler)
        self.log = log

    def handle_error(self, request, client_address) -> None:
        """A client that hung up is no news."""


class FakeModels:
    """All fakes on one port, for the length of a `with`."""

    def __init__(self, file: Path | None = None, port: int = 0):
        self.log = RequestLog(file)
        self._listener = Listener(port, self.log)
        self.url = f"http://127.0.0.1:{self._listener.server_port}"

    def __enter__(self) -> "FakeModels":
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_why) -> None:
        self._listener.shutdown()
        self._listener.server_close()
