"""One option value between its text in argv and its Python value, by kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onprem_agents.units import BadUnit, parse_tokens
from onprem_agents.vllm.flags import Kind

_TEXTS = re.compile(r'("(?:[^"\\]|\\.)*")')
_SHORT = re.compile(r"\b\d+(?:\.\d+)?[kKmMgGtT]\b")


class BadValue(ValueError):
    """A value that vLLM would refuse; the text says what was expected."""


def read_value(kind: Kind, texts: Sequence[str]) -> Any:
    """Return the Python value of an option's texts; raises BadValue.

    Token counts may be in vLLM's shorthand: 128k is 128000, 128K is 131072 (run on 0.32.0, 2026-11-24).
    """
    if kind == "texts":
        return tuple(texts)
    if len(texts) != 1:
        raise BadValue(f"one value is expected, not {len(texts)}")
    return _READERS[kind](texts[0])


def write_value(kind: Kind, value: Any) -> list[str]:
    """Return the texts of a value; JSON is compact with sorted keys: same value, same bytes."""
    if kind == "texts":
        return [str(text) for text in value]
    if kind == "object":
        return [json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)]
    return [str(value)]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadValue(f"a whole number is expected, not {text!r}") from None


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadValue(f"a number is expected, not {text!r}") from None


def _tokens(text: str) -> int:
    try:
        return parse_tokens(text.strip())
    except BadUnit as error:
        raise BadValue(str(error)) from None


def _context(text: str) -> int | str:
    return "auto" if text.strip().lower() in ("auto", "-1") else _tokens(text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(_plain_numbers(text))
    except ValueError:
        raise BadValue(f"a JSON object is expected, not {text!r}") from None
    if not isinstance(value, dict):
        raise BadValue(f"a JSON object is expected, not {text!r}")
    return value


def _plain_numbers(text: str) -> str:
    """Write numbers such as 80m out, as vLLM does between the texts of a JSON object (0.33.0, read 2026-11-29)."""
    parts = _TEXTS.split(text)
    parts[::2] = [_SHORT.sub(lambda found: str(parse_tokens(found[0])), part) for part in parts[::2]]
    return "".join(parts)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "integer": _integer,
    "decimal": _decimal,
    "tokens": _tokens,
    "context": _context,
    "object": _object,
}
