"""Model APIs on loopback, scripted by the prompt they are asked.

Real agents and real editors talk to these instead of to a vendor, so a test
needs no key, costs nothing, and can read what the model was told.
"""

from .log import Entry, RequestLog
from .script import conclusion, script
from .server import FakeModels

__all__ = ["Entry", "FakeModels", "RequestLog", "conclusion", "script"]
