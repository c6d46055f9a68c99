"""What the fake model does next, read from the conversation alone.

The script stands in the prompt, so the fake keeps no state: any agent, any
number of sessions and any API can be served at once, and a test says in one
place both what it asks and what the model will do about it.
"""

import json
import re
from dataclasses import dataclass, field

from .talk import Call, Reply, Said, Talk

SCRIPT = re.compile(r"<script>(.*?)</script>", re.S)
MARK = re.compile(r"MARK-[A-Za-z0-9-]*[A-Za-z0-9]")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STATE = re.compile(r"\bstate\\?\"?[\s:=*`]*\\?\"?(queued|running|input_required|succeeded|failed|cancelled|timed_out)")
SIDE = re.compile(r"title generator|naming a coding session|write the title", re.I)
SERVER = re.compile(r"eyas_[0-9a-f]{8}")
OWN = re.compile(r"names contain (eyas_[0-9a-f]{8})")
SUMMARY = re.compile(r"summary\\?\"?[\s:=*`]*\\?\"?([^\"\\\n]*)")
TERMINAL = {"succeeded", "failed", "cancelled", "timed_out"}
# Who is told that a person must answer first does not ask again at once.
PATIENCE_S = 0.2
RUN_TOOLS = ("delegate", "run_get", "run_input", "run_cancel")


def script(*steps: dict) -> str:
    """A script for a prompt. `<` is escaped, so that a script may hold another.

    Steps: `{"call": tool, "with": {…}}` (with `"as": name`, the run that it begins has that name), `{"until": tool}` (call it with the
    last run's id, or that of the run named `"of"`, until that run is over), `{"sleep": seconds}`, `{"say": text}` (with
    `"pace": seconds`, streamed in pieces with that pause between them).
    `$run` in an argument is the last run's id, `$name` that of a named one, `$name.summary` what came of it; `$KEY` in a text, the key
    that the agent came with.
    """
    return f"<script>{json.dumps(steps).replace('<', chr(92) + 'u003c')}</script>"


def conclusion(summary: str, status: str = "success") -> str:
    """The block in which a delegated agent reports."""
    return f"<eyas:conclusion>\nstatus: {status}\nsummary: {json.dumps(summary)}\n</eyas:conclusion>"


def is_side(talk: Talk) -> bool:
    """Titles and suggestions, which agents ask for behind the user's back."""
    if talk.said and talk.said[-1].text.startswith("[SUGGESTION MODE"):
        return True
    words = talk.system + " ".join(said.text for said in talk.said)
    return not talk.tools and SIDE.search(words) is not None


def decide(talk: Talk) -> Reply:
    """The next reply of the model."""
    if is_side(talk):
        return Reply("A short title")
    at, prompt = asked(talk.said)
    calls = [said.call for said in talk.said[at:] if said.call]
    found = SCRIPT.search(prompt)
    if found:
        reply = walk(json.loads(found[1]), calls, own(talk))
        if reply.tool or reply.text:
            return reply
        return Reply(last_words(prompt, calls), sleep=reply.sleep)
    return Reply(last_words(prompt, calls))


def own(talk: Talk) -> list[str]:
    """What a model that reads its prompt calls: where several sessions' tools are offered, those it was told are its own."""
    told = [found for said in talk.said for found in OWN.findall(said.text)]
    if not told:
        return talk.tools
    return [tool for tool in talk.tools if not SERVER.search(tool) or told[-1] in tool]


def asked(said: list[Said]) -> tuple[int, str]:
    """The last prompt: agents add reminders of their own, which hold no mark."""
    for at in range(len(said) - 1, -1, -1):
        one = said[at]
        if one.who == "user" and (SCRIPT.search(one.text) or MARK.search(one.text)):
            return at, one.text
    return len(said), said[-1].text if said else ""


@dataclass
class Told:
    """What the results so far say of runs: which was the last, which the script has named, and what became of each."""

    run: str | None = None
    named: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)

    def hear(self, call: Call) -> None:
        """Read a result."""
        if not call.name.endswith(RUN_TOOLS) or not call.result:
            return
        if found := UUID.search(call.result):
            self.run = found[0]
        if self.run and (found := STATE.search(call.result)):
            self.states[self.run] = found[1]
        if self.run and (found := SUMMARY.search(call.result)):
            self.summaries[self.run] = found[1]

    def fill(self, arguments: dict) -> dict:
        """Put what is known where the script names it."""
        return {key: self._filled(value) for key, value in arguments.items()}

    def _filled(self, value):
        if not isinstance(value, str) or SCRIPT.search(value):  # a script within is for whom it is delegated to
            return value
        for name, run in {"run": self.run, **self.named}.items():
            if run:
                value = value.replace(f"${name}.summary", self.summaries.get(run, "")).replace(f"${name}", run)
        return value


def walk(steps: list[dict], calls: list[Call], tools: list[str]) -> Reply:
    """Match the calls already made against the steps; answer the first that is open, empty when none is."""
    left = list(calls)
    told = Told()
    pause = 0.0

    def take() -> bool:
        if not left:
            return False
        told.hear(left.pop(0))
        return True

    for step in steps:
        if "sleep" in step and not left:
            pause += step["sleep"]
        elif "say" in step and not left:
            return Reply(step["say"], sleep=pause, pace=step.get("pace", 0.0))
        elif "call" in step:
            before = told.run
            if not take():
                return use(step["call"], told.fill(step.get("with", {})), tools, pause)
            if "as" in step and told.run != before:
                told.named[step["as"]] = told.run
        elif "until" in step:
            while (state := told.states.get(run := told.named.get(step.get("of"), told.run))) not in TERMINAL:
                if not take():
                    if run is None:  # asking on would never end
                        return Reply(f"no run was begun: {calls[-1].result if calls else 'nothing was called'}")
                    again = {"run" if step["until"] == "delegate" else "id": run, "wait_ms": 20000}
                    return use(step["until"], again, tools, pause + (PATIENCE_S if state == "input_required" else 0))
    return Reply(sleep=pause)


def use(name: str, arguments: dict, tools: list[str], pause: float) -> Reply:
    """A call of the offered tool with that name, however the client prefixed it."""
    fits = [tool for tool in tools if tool == name or re.search(rf"[_./]{re.escape(name)}$", tool)]
    if not fits:
        return Reply(f"no tool named {name} was offered: {', '.join(tools)}")
    return Reply(tool=sorted(fits, key=lambda tool: "eyas" not in tool)[0], arguments=arguments, sleep=pause)


def last_words(prompt: str, calls: list[Call]) -> str:
    """An editor's model repeats what its run said; a delegated agent concludes with its mark."""
    for call in reversed(calls):
        summary = SUMMARY.search(call.result or "")
        if summary and call.name.endswith(RUN_TOOLS):
            return f"The run said: {summary[1]}"
    # The last: what was concluded before may stand in front of the prompt.
    marks = MARK.findall(SCRIPT.sub("", prompt))
    return f"Looked at it.\n\n{conclusion(f'done {marks[-1]}')}" if marks else "Done."
