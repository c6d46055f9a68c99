"""Which processes belong to one test, by the home they were started with.

HOME reaches every process of a test (face, hub, shim, agent) and no other, so
what a test left behind is found by what it is, never by a program's name.
"""

import os
import re
import signal
import time
from pathlib import Path


def ours(home: Path) -> dict[int, str]:
    """Process id to command line, for all that live with this home."""
    mark = f"HOME={home}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0") and not _zombie(entry):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it ended while we looked
    return found


def matching(home: Path, pattern: str) -> set[int]:
    """Those of them whose command line fits."""
    return {pid for pid, line in ours(home).items() if re.search(pattern, line)}


def gone(home: Path, timeout: float) -> dict[int, str]:
    """Wait until none is left; what is left at the deadline."""
    until = time.monotonic() + timeout
    while (left := ours(home)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def end(home: Path) -> None:
    """The last resort: each by its id."""
    for pid in ours(home):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _zombie(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
