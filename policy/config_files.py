"""`--config`: vLLM's own file of options, read where a ConfigMap of the program holds it.

vLLM 0.33.0, vllm/utils/argparse_utils.py, read 2026-11-29: each key is an option; the words of the file stand after the
subcommand and its model, so that what stands on the command line wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import yaml

from onprem_agents.vllm import nearest_release

from .containers import config_map
from .graph import Graph, Value, dig, items
from .readers import Declared

_OPTION = "--config"


def with_config_file(graph: Graph, declared: Declared, argv: list[str]) -> list[str]:
    """Return the words with those of the file among them; as they are where there is none or it is out of sight."""
    at = next((at for at, word in enumerate(argv) if word.partition("=")[0] == _OPTION), None)
    if at is None:
        return argv
    _, equals, path = argv[at].partition("=")
    path = path if equals else "".join(argv[at + 1 : at + 2])
    told = _told(_text(graph, declared, path))
    if told is None:
        return argv
    left = [*argv[:at], *argv[at + (1 if equals else 2) :]]
    start = _start(left)
    return [*left[:start], *_words(told, declared.release), *left[start:]]


def _start(argv: list[str]) -> int:
    """Return where the file's words go: after the subcommand and the model behind it, or after the module."""
    for at, word in enumerate(argv):
        if word == "serve":
            model = argv[at + 1 : at + 2]
            return at + 1 + sum(not one.startswith("-") for one in model)
        if word.startswith("vllm.entrypoints"):
            return at + 1
    return 0


def _text(graph: Graph, declared: Declared, path: str) -> Value:
    """Return what a ConfigMap of the program holds for a path in a container, None without one."""
    for mount in items(declared.container.get("volumeMounts")):
        folder = dig(mount, "mountPath")
        if not isinstance(folder, str) or not PurePosixPath(path).is_relative_to(folder):
            continue
        inside = str(PurePosixPath(path).relative_to(folder))
        name = dig(mount, "subPath") if inside == "." else inside
        for volume in items(dig(declared.pod, "volumes")):
            if dig(volume, "name") == dig(mount, "name"):
                source = dig(volume, "configMap")
                keys = {dig(item, "path"): dig(item, "key") for item in items(dig(source, "items"))}
                data = config_map(graph, declared.resource, dig(source, "name"))
                return data.get(str(keys.get(name, name)))
    return None


def _told(text: Value) -> Mapping[str, Value] | None:
    try:
        told = yaml.safe_load(text) if isinstance(text, str) else None
    except yaml.YAMLError:
        return None
    return told if isinstance(told, Mapping) else None


def _words(told: Mapping[str, Value], release: str | None) -> Iterator[str]:
    for key, value in told.items():
        option = f"--{key}"
        opposite = nearest_release(release).opposite(option)
        if value is True or (value is False and opposite is not None):
            yield option if value else str(opposite)
        elif isinstance(value, Mapping):
            yield from (option, json.dumps(value))
        elif isinstance(value, list):
            yield from (option, *map(str, value))
        elif value not in (None, False):
            yield from (option, str(value))
