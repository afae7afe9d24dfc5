"""Writes the folder of a release: `options.json`, `image.json`, `memory.json`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from onprem_agents.vllm import nearest_release

_WIDTH = 108


def write_folder(
    folder: Path,
    version: str,
    options: Mapping[str, Any],
    templates: Iterable[str] | None,
    *,
    cuda: str,
    read: date,
) -> list[Path]:
    """Write what was read and return the files. Memory rules that are there stay: no wheel tells them.

    Templates are None where no source archive was read: then they are those of the nearest release.
    """
    folder.mkdir(parents=True, exist_ok=True)
    nearest = nearest_release(version)
    examples_of = nearest.release if templates is None else version
    written = [
        _write(
            folder / "options.json",
            {
                "release": version,
                "source": f"option parser, registries and routers in the wheel of vLLM {version}",
                "read": read.isoformat(),
                **options,
            },
        ),
        _write(
            folder / "image.json",
            {
                "repository": nearest.image.repository,
                "tag": f"v{version}",
                "digest": None,
                "cuda": cuda,
                "compat_libraries_first": nearest.image.compat_libraries_first,
                "template_folder": nearest.image.template_folder,
                "templates": sorted(nearest.image.templates if templates is None else templates),
                "source": f"examples in the source archive of vLLM {examples_of}",
                "read": read.isoformat(),
            },
        ),
    ]
    memory = folder / "memory.json"
    if not memory.exists():
        rules = nearest.memory.model_dump(mode="json")
        rules["source"] = (
            f"taken over from vLLM {nearest.release}: no start-up log of {version} was compared yet"
        )
        rules["read"] = read.isoformat()
        written.append(_write(memory, rules))
    return written


def _write(file: Path, content: Mapping[str, Any]) -> Path:
    members = ",\n".join(f"  {json.dumps(key)}: {_member(value)}" for key, value in content.items())
    file.write_text("{\n" + members + "\n}\n", encoding="utf-8")
    return file


def _member(value: object) -> str:
    """Return a value as JSON: one line for each member of an object, lists filled up to the width."""
    if isinstance(value, Mapping) and value:
        lines = (f"    {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + "\n  }"
    if isinstance(value, list | tuple) and value:
        filled = textwrap.wrap(
            ", ".join(json.dumps(item) for item in value),
            _WIDTH - 4,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "[\n" + "\n".join(f"    {line}" for line in filled) + "\n  ]"
    return json.dumps(value)
