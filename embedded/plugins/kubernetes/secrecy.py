"""Which outputs are secret, and messages without the secrets.

An output is secret when the input at the same place was, when it contains the text of a secret input
anywhere (also as base64), and, on a Secret, in `data` and `stringData` whatever the program said.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from embedded.plugins.kubernetes.paths import MISSING, Path, look_up
from embedded.plugins.kubernetes.wire import Object, Properties

_SHORTEST = 4
"""Shorter texts (in characters) say nothing about where they come from, so only their place counts."""
_LAST_APPLIED = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")


def secret_paths(value: Object, *sources: Properties) -> frozenset[Path]:
    """Return the paths in `value` that are secret, given the properties it came from."""
    found: set[Path] = {
        path for source in sources for path in source.secrets if look_up(value, path) is not MISSING
    }
    texts = secret_texts(*sources)
    found.update(path for path, text in _leaves(value, ()) if any(secret in text for secret in texts))
    if value.get("kind") == "Secret" and value.get("apiVersion") == "v1":
        own: list[Path] = [("data",), ("stringData",), _LAST_APPLIED]
        found.update(path for path in own if look_up(value, path) is not MISSING)
    return frozenset(found)


def secret_texts(*sources: Properties) -> frozenset[str]:
    """Return every secret text of the properties, plain and as base64."""
    plain = {
        text
        for source in sources
        for path in source.secrets
        for _, text in _leaves(look_up(source.value, path), path)
        if len(text) >= _SHORTEST
    }
    return frozenset(plain | {base64.b64encode(text.encode()).decode() for text in plain})


def redact(message: str, texts: Iterable[str]) -> str:
    """Return a message with every secret text replaced."""
    for text in sorted(texts, key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif isinstance(value, str):
        yield path, value
