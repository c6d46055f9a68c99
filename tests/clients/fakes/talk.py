"""One normal form for what three model APIs ask and get.

The script must not care which wire an agent speaks; each wire module turns its
request into a `Talk` and a `Reply` back into its own words.
"""

from dataclasses import dataclass, field

# Shorter than any key, so that none is ever whole in a piece.
PIECE = 16

@dataclass
class Call:
    """A tool call that the model made earlier in this conversation."""

    id: str
    name: str
    result: str | None = None


@dataclass
class Said:
    """One text of one speaker, or a call, in the order of the conversation."""

    who: str
    text: str = ""
    call: Call | None = None


@dataclass
class Talk:
    """A request, whichever API it came by."""

    model: str
    system: str
    tools: list[str]
    said: list[Said] = field(default_factory=list)
    stream: bool = False

    def call(self, id: str, name: str) -> None:
        """Note a call the model made."""
        self.said.append(Said("assistant", call=Call(id, name)))

    def result(self, id: str, text: str) -> None:
        """Join a result to its call; APIs send them far apart."""
        for said in self.said:
            if said.call and said.call.id == id:
                said.call.result = text


@dataclass
class Reply:
    """What the fake model answers: text, or one tool call."""

    text: str = ""
    tool: str | None = None
    arguments: dict = field(default_factory=dict)
    sleep: float = 0.0
    pace: float = 0.0

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed: at once, or in small pieces with a pause between them."""
        return [self.text[at : at + PIECE] for at in range(0, len(self.text), PIECE)] if self.pace else [self.text]


def text_of(content) -> str:
    """The text in a content value: a string, or a list of typed blocks."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        content = [content]
    return "\n".join(block.get("text", "") or "" for block in content if isinstance(block, dict))
