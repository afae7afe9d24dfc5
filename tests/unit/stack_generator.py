"""Stacks made from the schema by chance: good ones changed in a few settings, to values at and beyond their limits."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from onprem_agents.errors import InvalidInput
from onprem_agents.stack.settings import Platform, Section
from onprem_agents.stack.settings_reader import parse_platform

BASE: dict[str, Any] = {
    "hardware": {"accelerator": "H100", "gpusPerNode": 8, "nodes": 4},
    "models": [
        {"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"},
        {"role": "fast", "model": "google/gemma-4-E4B-it"},
    ],
    "serving": {},
    "access": {
        "host": "agents.example.internal",
        "tls": {"secretName": "agents-tls"},
        "developers": {"alice": {}, "bob": {}},
    },
    "timeouts": {},
    "network": {"dns": {}, "egress": [{"cidr": "10.20.30.0/24", "ports": [9000]}]},
    "images": {},
    "queue": {},
}

# At the limits of names in Kubernetes, DNS and the contract, of kinds that settings have, and of what reads them.
TEXTS = [
    *(
        "",
        "a",
        "A",
        "a-",
        "-a",
        "a.b",
        "a_b",
        "a b",
        "1",
        "1.2.3.4",
        "::1",
        "é",
        "a\nb",
        "$(id)",
        "\ud800",
        "\x00",
    ),
    *("a" * length for length in (31, 32, 37, 40, 41, 53, 63, 64, 253, 254, 5000)),
    *(
        "coder-9f8e7d6c5b4a39281706f5e4",
        "sk-abcdefghijkl",
        "Bearer abcdefghijk",
        "kube-x",
        "system-x",
        "default",
    ),
    *(
        "hf://Qwen/Qwen3.6-27B",
        "pvc://models/a",
        "pvc://Models/a",
        "oci://registry.example/m:1",
        "s3://bucket/m",
    ),
    *("s3://bucket/../m", "http://127.0.0.1:8000", "http://127.0.0.1:80000", "https://a.example/"),
    *(
        "0.33.0",
        "0.22.0",
        "0.1.0",
        "99.0.0",
        "0.33." + "9" * 5000,
        "٣.٣.٣",
        "hermes",
        "qwen3_coder",
        "no-parser",
    ),
    *(
        "48gb",
        "multi-gpu",
        "L40S",
        "H200",
        "openai/gpt-oss-120b",
        "Qwen3.6-27B",
        "moonshotai/Kimi-K2-Instruct",
    ),
    *("agents.example.internal", "localhost", ".onprem/ca.crt in the checkout", "team-2", "main"),
]
WRONG: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1.5,
    float("nan"),
    float("inf"),
    "x",
    [],
    {},
    ["a"],
    ["a", "a"],
    {"a": "b"},
    [[[]]],
]


@dataclass(frozen=True)
class Place:
    """A setting: where it stands, and values worth trying there."""

    path: tuple[str | int, ...]
    values: tuple[Any, ...]


def places(section: type[Section] = Platform, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Yield every setting of the schema, those of lists and maps in their first entries."""
    for field in section.model_fields.values():
        here = (*path, str(field.alias))
        inner = _section_in(field.annotation)
        yield Place(here, (*_values(field), *WRONG))
        if inner is None:
            continue
        if field.alias == "egress":
            yield from places(inner, (*here, 0))
        elif field.alias == "models":
            for index in (0, 1):
                yield from places(inner, (*here, index))
        elif field.alias == "developers":
            yield Place(here, tuple({name: {}, "alice": {"team": "web"}} for name in TEXTS))
            yield from places(inner, (*here, "alice"))
        else:
            yield from places(inner, here)


def stack(seed: int) -> dict[str, Any]:
    """Return a stack in which a few settings were changed; the same one for the same seed.

    In three of four, each change alone would be a good one.
    """
    chance = random.Random(seed)  # noqa: S311  chance that can be repeated, not a secret
    raw = copy.deepcopy(BASE)
    good = chance.random() < 3 / 4
    for place in chance.sample(_good() if good else list(places()), chance.randint(1, 6 if good else 2)):
        _set(raw, place.path, chance.choice(place.values))
    return raw


@cache
def _good() -> list[Place]:
    """Return the settings with the values that the settings take where all else is as in the good stack."""
    found = [Place(place.path, tuple(v for v in place.values if _taken(place.path, v))) for place in places()]
    return [place for place in found if place.values]


def _taken(path: tuple[str | int, ...], value: Any) -> bool:
    raw = copy.deepcopy(BASE)
    _set(raw, path, value)
    try:
        parse_platform(raw, "test")
    except InvalidInput:
        return False
    return True


def _set(raw: Any, path: tuple[str | int, ...], value: Any) -> None:
    last: Any
    *way, last = path
    for step in way:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return  # another change took that section away
    if isinstance(raw, dict) or (isinstance(raw, list) and last in range(len(raw))):
        raw[last] = copy.deepcopy(value)


def _values(field: FieldInfo) -> Iterator[Any]:
    if field.default is not None and isinstance(field.default, str | int):
        yield field.default
    yield from _of_annotation(field.annotation)
    yield from _bounds(field.metadata)


def _of_annotation(annotation: Any) -> Iterator[Any]:
    if annotation is str:
        yield from TEXTS
    elif annotation is bool:
        yield from (True, False)
    elif get_origin(annotation) is Literal:
        yield from (*get_args(annotation), "none-of-them")
    elif get_origin(annotation) in (tuple, dict):
        yield from ([text] for text in TEXTS)
        yield from ({"coder": text} for text in TEXTS)
    else:
        for argument in get_args(annotation):
            yield from _of_annotation(argument)
        for part in getattr(annotation, "__metadata__", ()):
            yield from _bounds(getattr(part, "metadata", [part]))


def _bounds(metadata: list[Any]) -> Iterator[Any]:
    for bound in metadata:
        if isinstance(bound, Ge | Le):
            limit: Any = bound.ge if isinstance(bound, Ge) else bound.le
            yield from (limit - 1, limit, limit + 1)
            if isinstance(bound, Ge):
                yield from (limit * 2, limit * 16)


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
