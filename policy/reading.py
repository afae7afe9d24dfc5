"""What a folder, a file or a text declares: resources with their places, and what could not be read with the reason."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from onprem_agents.files import files_within

from .documents import NotReadable, resources_in
from .graph import Resource, dig, items
from .patches import PATCH

_SUFFIXES = (".yaml", ".yml", ".json")
_TEMPLATE = re.compile(r"\{\{-?\s*(?:\.|\$|include |template |if |range |with |end|toYaml)")
_RENDER_FIRST = "it is a template, no manifest; render it first: helm template … | onprem-agents check -"
# Where kustomize's own file names its patches (kustomize v5, api/types/kustomization.go; read 2026-11).
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a resource stands: the file ("" for standard input) and the first line of its document, from 1."""

    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What could not be read (a file, or one document of it), and why."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read: resources, the place of each by its URN, and what could not be read."""

    resources: tuple[Resource, ...] = ()
    places: dict[str, Place] = dataclasses.field(default_factory=dict)
    unread: tuple[Unread, ...] = ()


def read_folder(folder: Path, *, skip: Callable[[Path], bool]) -> Read:
    """Read every YAML and JSON file below a folder; `skip` says which are read elsewhere."""
    patches = frozenset(_patches(folder))
    found = [
        Read(unread=(Unread(what=str(path), why=PATCH),)) if path in patches else read_file(path)
        for path in _files(folder)
        if not skip(path)
    ]
    return Read(
        resources=tuple(resource for each in found for resource in each.resources),
        places={urn: place for each in found for urn, place in each.places.items()},
        unread=tuple(one for each in found for one in each.unread),
    )


def read_file(path: Path) -> Read:
    """Read the documents of one file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Read(unread=(Unread(what=str(path), why="it is no text in UTF-8; save it as such"),))
    except OSError as error:
        return Read(unread=(Unread(what=str(path), why=error.strerror or str(error)),))
    return read_text(text, str(path))


def read_text(text: str, file: str) -> Read:
    """Read the documents of a text: YAML, or JSON as Pulumi and kubectl print it."""
    if "apiVersion" in text and _TEMPLATE.search(text):
        return Read(unread=(Unread(what=file or "standard input", why=_RENDER_FIRST),))
    resources: list[Resource] = []
    places: dict[str, Place] = {}
    unread: list[Unread] = []
    try:
        for line, document in _documents(text):
            what = f"{file or 'standard input'}, line {line}"
            try:
                declared = resources_in(document) or ()
            except NotReadable as error:
                unread.append(Unread(what=what, why=str(error)))
                continue
            for resource in declared:
                placed = dataclasses.replace(resource, urn=f"{file}:{line}:{resource.urn}")
                kept = resource if resource.urn.startswith("urn:") else placed
                resources.append(kept)
                places[kept.urn] = Place(file=file, line=line)
    except (yaml.YAMLError, ValueError) as error:
        if "apiVersion" in text or not file:
            unread.append(Unread(what=file or "standard input", why=_reason(error)))
    except RecursionError:
        unread.append(Unread(what=file or "standard input", why="its values are nested without end"))
    return Read(resources=tuple(resources), places=places, unread=tuple(unread))


def _documents(text: str) -> Iterator[tuple[int, Any]]:
    """Yield each document with its first line."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield 1, json.loads(text)
        except ValueError:
            pass  # YAML in flow style, or a template
        else:
            return
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield node.start_mark.line + 1, loader.construct_document(node)
    finally:
        loader.dispose()


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return f"it is not valid YAML{where}: {getattr(error, 'problem', None) or error}"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in files_within(folder) if path.suffix.lower() in _SUFFIXES)


def _patches(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that kustomizations name as patches."""
    for path in files_within(folder):
        if path.name not in _KUSTOMIZATIONS:
            continue
        try:
            told = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except (OSError, ValueError, yaml.YAMLError):
            continue  # reading it as a file says what is wrong
        named = items(dig(told, "patches")), items(dig(told, "patchesStrategicMerge"))
        for each in (*named[0], *named[1]):
            name = dig(each, "path") if isinstance(each, dict) else each
            if isinstance(name, str) and "\n" not in name:
                yield path.parent / name
