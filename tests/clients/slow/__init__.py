"""Each agent that can be installed, beside the fakes. These take minutes and gigabytes, so they run when asked for: `run --slow [WORD …]`."""
