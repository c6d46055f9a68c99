"""`python3 -m fakes [PORT [LOGFILE]]`: serve by hand, to try an agent against."""

import signal
import sys
from pathlib import Path

from . import FakeModels

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
file = Path(sys.argv[2]) if len(sys.argv) > 2 else None
with FakeModels(file, port) as fakes:
    print(fakes.url, flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
