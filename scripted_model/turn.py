"""One request and one answer, in a form that the three APIs have in common."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from scripted_model.thinking import Thinking

Api = Literal["chat", "responses", "messages"]
EntryRole = Literal["system", "user", "assistant", "tool"]

_PIECE = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One part of the conversation; a result of a tool has the role `tool`."""

    role: EntryRole
    text: str
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool that the request offers; the model knows one of a `namespace` by both names in one.

    `custom` tools take bare text, which the model writes into the parameter `input`.
    """

    name: str
    schema: dict[str, Any]
    namespace: str | None = None
    custom: bool = False

    @property
    def parameters(self) -> frozenset[str]:
        """Names of its parameters."""
        properties = self.schema.get("properties")
        return frozenset(properties) if isinstance(properties, dict) else frozenset()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for. `choice` is the name of a tool, `required`, `none` or `auto`."""

    api: Api
    model: str
    entries: tuple[Entry, ...]
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    parallel: bool = True
    stream: bool = False
    include_usage: bool = True
    max_output_tokens: int | None = None
    thinking: Thinking = field(default_factory=Thinking)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a tool."""

    name: str
    arguments: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(12))


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the stand-in answers. `calls` stand beside or instead of text."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as told to the client; the input is a quarter of the request's bytes, part of it cached."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


def pieces(text: str) -> list[str]:
    """Return the text in the pieces in which it is streamed: words with their white space."""
    return _PIECE.findall(text) or ([text] if text else [])
