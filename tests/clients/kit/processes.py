"""Which processes belong to one test: by the home they were started with, by ancestry, by where they stand.

HOME reaches every process of a test (face, hub, shim, agent) and no other. A
process that was started without it is still a descendant of one that has it,
or stands in the test's folders. None is ever found by a program's name.
"""

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process as it was seen once; the start time tells it from a later one with its id."""

    pid: int
    parent: int
    born: str
    line: str
    ours: bool


def _read(entry: Path, root: Path) -> Process | None:
    """None for what has ended, zombies too."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        if fields[0] == "Z":
            return None
        line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        ours = f"HOME={root}/home".encode() in (entry / "environ").read_bytes().split(b"\0")
        ours = ours or Path(os.readlink(entry / "cwd")).is_relative_to(root)
        return Process(int(entry.name), int(fields[1]), fields[19], line, ours)
    except OSError:
        return None


def ours(root: Path) -> dict[int, Process]:
    """All that live and belong to the test with this root."""
    own = os.getpid()
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != own)
    seen = {process.pid: process for entry in entries if (process := _read(entry, root))}
    found = {pid: process for pid, process in seen.items() if process.ours}
    while more := {pid: process for pid, process in seen.items() if process.parent in found and pid not in found}:
        found |= more
    return found


def matching(root: Path, pattern: str) -> set[int]:
    """Those of them whose command line fits."""
    return {pid for pid, process in ours(root).items() if re.search(pattern, process.line)}


def below(root: Path, ancestor: int) -> dict[int, Process]:
    """Those of them that descend from one."""
    every = ours(root)
    found: dict[int, Process] = {}
    while more := {p: one for p, one in every.items() if (one.parent == ancestor or one.parent in found) and p not in found}:
        found |= more
    return found


def living(before: dict[int, Process]) -> dict[int, Process]:
    """Those that were seen before and still live."""
    now = {pid: _read(Path(f"/proc/{pid}"), Path("/nowhere")) for pid in before}
    return {pid: one for pid, one in before.items() if (at := now[pid]) and at.born == one.born}


def gone(root: Path, before: dict[int, Process], timeout: float) -> dict[int, str]:
    """Wait until none is left, neither of the test nor of those seen before; what is left at the deadline."""
    until = time.monotonic() + timeout
    while (left := living(before) | ours(root)) and time.monotonic() < until:
        time.sleep(0.05)
    return {pid: process.line for pid, process in left.items()}


def end(root: Path, before: dict[int, Process]) -> None:
    """The last resort: each by its id."""
    for pid in living(before) | ours(root):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
