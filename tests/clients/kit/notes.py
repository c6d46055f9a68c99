"""What the agents themselves write down."""

import re
import sqlite3
from contextlib import closing

from .place import Place

REGISTERED = re.compile(r"\[session/create\] sessionId=(\S+) phase=register\b")


def opened(place: Place, agent: str) -> set[str]:
    """Ids of the sessions that an agent has opened so far: Claude's adapter logs them, opencode keeps them in its database."""
    if agent == "claude":
        return set(REGISTERED.findall((place.eyas_home / "logs" / "agent-claude.log").read_text()))
    file = place.home / "xdg-data" / "opencode" / "opencode.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as base:
        return {id for (id,) in base.execute("select id from session")}
