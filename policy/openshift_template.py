"""OpenShift's Template: the objects it declares, with its parameters in their places.

OpenShift 4, template.openshift.io/v1 (read 2026-11): `${NAME}` stands in texts, `${{NAME}}` alone for a value of any
kind; a name that is no parameter stays as it is, as a shell's variable does; `labels` go to each object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from .graph import UNKNOWN, Value, dig, items

KIND = "Template"
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_ALONE = re.compile(r"\$\{\{([A-Za-z0-9_]+)\}\}")


def objects_of(template: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
    """Yield the objects of a Template: a parameter without a value is only known when the template is processed."""
    given = {
        dig(each, "name"): dig(each, "value")
        for each in items(template.get("parameters"))
        if _has_a_name(each)
    }
    parameters = {name: UNKNOWN if value is None else value for name, value in given.items()}
    labels = _placed(template.get("labels"), parameters)
    for each in items(template.get("objects")):
        placed = _placed(each, parameters)
        if not isinstance(placed, Mapping):
            continue
        metadata = placed.get("metadata")
        own = dig(metadata, "labels")
        if isinstance(labels, Mapping) and isinstance(metadata, Mapping) and isinstance(own, Mapping | None):
            placed = {**placed, "metadata": {**metadata, "labels": {**(own or {}), **labels}}}
        yield placed


def _has_a_name(parameter: Value) -> bool:
    return isinstance(dig(parameter, "name"), str)


def _placed(value: Value, parameters: Mapping[str, Value]) -> Value:
    if isinstance(value, Mapping):
        return {_key(key, parameters): _placed(each, parameters) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(each, parameters) for each in value]
    if not isinstance(value, str):
        return value
    alone = _ALONE.fullmatch(value)
    if alone is not None and alone[1] in parameters:
        return _parsed(parameters[alone[1]])
    names = [name for name in _IN_TEXT.findall(value) if name in parameters]
    if any(parameters[name] is UNKNOWN for name in names):
        return UNKNOWN
    return _IN_TEXT.sub(lambda found: str(parameters.get(found[1], found[0])), value)


def _key(key: Value, parameters: Mapping[str, Value]) -> Value:
    placed = _placed(key, parameters)
    return placed if isinstance(placed, str) else key


def _parsed(value: Value) -> Value:
    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        return value
