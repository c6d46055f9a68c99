"""One file per client or promise; each coroutine function that takes a `place` is one test."""
