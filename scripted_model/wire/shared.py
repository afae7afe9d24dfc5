"""What the three APIs share: lenient models, as vLLM's are, texts, and server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a request; fields that it does not know are ignored, as vLLM ignores them."""

    model_config = ConfigDict(extra="allow", frozen=True)


class TextPart(Part):
    """Anything that may carry text: the parts of a message's content in all three APIs."""

    type: str
    text: str | None = None


Content = str | list[TextPart] | None


def texts(content: Content) -> list[str]:
    """Return the texts of a message's content, one for each part that has any."""
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    return [part.text for part in content if part.text]


def event(data: object, name: str | None = None) -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def split_arguments(arguments: dict[str, Any]) -> list[str]:
    """Return a call's arguments as JSON text in the pieces in which they are streamed."""
    text = json.dumps(arguments)
    return [text[start : start + 24] for start in range(0, len(text), 24)]


def joined(parts: Iterable[str]) -> str:
    """Return texts as one, a line each."""
    return "\n".join(parts)
