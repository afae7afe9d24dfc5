"""Twin: a rule as a ValidatingAdmissionPolicy asks it, and how its parts are written in CEL.

Kubernetes 1.30 brings all that is used here: optional fields, `variables`, the libraries for regular expressions,
strings and lists (its documentation of CEL, read 2026-11). A twin is narrower than its rule and never wider: it sees
one object, and what another object might excuse it lets pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SETTINGS: Mapping[str, str] = {
    "requireDigest": "false",
    "allowedRegistries": "[]",
    "servers": "[]",
    "guarded": "[]",
    "keySecrets": "[]",
    "longestTurnSeconds": "0",
}
"""What a twin may be told, with the CEL of nothing told: the first two by its policy's configuration, the names of the
model servers, of what key checks are on and of the Secrets of developers' keys by the stack, as its longest turn."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Resources of one API group, by their plural names; "" is the core group."""

    group: str
    plurals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The twin of one policy.

    `faults` is a CEL list of texts, one for each thing that is wrong, empty for an object that is fine; `why` says what
    comes of it and what to change. `variables` are what `faults` is built from, by name, in their order; a twin about
    pods has those of the scope before them, and judges what belongs to model serving alone.
    """

    policy: str
    on: tuple[Resources, ...]
    faults: str
    why: str
    about_pods: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()


def text(value: str) -> str:
    """Return a CEL literal of a text."""
    return json.dumps(value, ensure_ascii=False)


def texts(values: Iterable[str]) -> str:
    """Return a CEL literal of a list of texts."""
    return f"[{', '.join(map(text, values))}]"


def pattern(regex: re.Pattern[str]) -> str:
    """Return a CEL literal of a regular expression, which RE2 reads as Python does."""
    return text(f"(?i){regex.pattern}" if regex.flags & re.IGNORECASE else regex.pattern)


def get(value: str, *path: str, default: str) -> str:
    """Return the CEL of a value at a path of fields, or of a default where one of them is missing."""
    return f"{value}{''.join(f'.?{key}' for key in path)}.orValue({default})"
