"""What the fake model does next, read from the conversation alone.

The script stands in the prompt, so the fake keeps no state: any agent, any
number of sessions and any API can be served at once, and a test says in one
place both what it asks and what the model will do about it.
"""

import json
import re

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
RUN_TOOLS = ("delegate", "run_get", "run_input", "run_cancel")


def script(*steps: dict) -> str:
    """A script for a prompt. `<` is escaped, so that a script may hold another.

    Steps: `{"call": tool, "with": {…}}`, `{"until": tool}` (call it with the
    last run's id until that run is over), `{"sleep": seconds}`, `{"say": text}` (with `"pace": seconds`,
    streamed in pieces with that pause between them).
    `"$run"` in an argument is the last run's id; `$KEY` in a text, the key that the agent came with.
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


def walk(steps: list[dict], calls: list[Call], tools: list[str]) -> Reply:
    """Match the calls already made against the steps; answer the first that is open, empty when none is."""
    left = list(calls)
    run = state = None
    pause = 0.0

    def take() -> bool:
        nonlocal run, state
        if not left:
            return False
        call = left.pop(0)
        if call.name.endswith(RUN_TOOLS) and call.result:
            ids, states = UUID.search(call.result), STATE.search(call.result)
            run = ids[0] if ids else run
            state = states[1] if states else state
        return True

    for step in steps:
        if "sleep" in step and not left:
            pause += step["sleep"]
        elif "say" in step and not left:
            return Reply(step["say"], sleep=pause, pace=step.get("pace", 0.0))
        elif "call" in step and not take():
            return use(step["call"], fill(step.get("with", {}), run), tools, pause)
        elif "until" in step:
            while state not in TERMINAL:
                if not take():
                    if run is None:  # asking on would never end
                        return Reply(f"no run was begun: {calls[-1].result if calls else 'nothing was called'}")
                    return use(step["until"], {"id": run, "wait_ms": 20000}, tools, pause)
    return Reply(sleep=pause)


def use(name: str, arguments: dict, tools: list[str], pause: float) -> Reply:
    """A call of the offered tool with that name, however the client prefixed it."""
    fits = [tool for tool in tools if tool == name or re.search(rf"[_./]{re.escape(name)}$", tool)]
    if not fits:
        return Reply(f"no tool named {name} was offered: {', '.join(tools)}")
    return Reply(tool=sorted(fits, key=lambda tool: "eyas" not in tool)[0], arguments=arguments, sleep=pause)


def fill(arguments: dict, run: str | None) -> dict:
    """Put the last run's id where the script says `$run`."""
    return {key: run if value == "$run" else value for key, value in arguments.items()}


def last_words(prompt: str, calls: list[Call]) -> str:
    """An editor's model repeats what its run said; a delegated agent concludes with its mark."""
    for call in reversed(calls):
        summary = SUMMARY.search(call.result or "")
        if summary and call.name.endswith(RUN_TOOLS):
            return f"The run said: {summary[1]}"
    mark = MARK.search(SCRIPT.sub("", prompt))
    return f"Looked at it.\n\n{conclusion(f'done {mark[0]}')}" if mark else "Done."
