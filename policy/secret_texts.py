"""What the Secrets of a program hold, as far as it is written out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from .graph import Graph, Resource, Value, dig


def secrets_named(graph: Graph, name: Value, namespace: Value) -> Iterator[Resource]:
    """Yield the Secrets of a name and a namespace."""
    for secret in graph.of_kind("core", "Secret"):
        if secret.object_name == name and secret.namespace == namespace:
            yield secret


def texts_of(secret: Resource) -> Iterator[tuple[str, str]]:
    """Yield the names and texts in a Secret; what is no text or only known at run time is left out."""
    for part in ("stringData", "data"):
        values = dig(secret.props, part)
        for name, value in values.items() if isinstance(values, Mapping) else ():
            if not isinstance(value, str):
                continue
            try:
                yield str(name), value if part == "stringData" else base64.b64decode(value).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
