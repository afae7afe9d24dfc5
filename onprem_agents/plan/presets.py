"""What the name of a platform sets: settings that nobody says, and labels and annotations of the model servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from onprem_agents.catalog import Catalog, Mark, Preset
from onprem_agents.plan.serving import ServingPlan

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_HELD = re.compile(r"\{([a-z]+)\}")


def with_presets(raw: Mapping[str, Any], catalog: Catalog, *, above: str = "") -> dict[str, Any]:
    """Return settings with those that the platform's name stands for; what somebody says stays.

    `above` is the section of a stack whose keys stand here by themselves, as those of `serving` do among a server's
    arguments; what a server has no argument for is left to its platform.
    """
    filled: dict[str, Any] = dict(raw)
    for preset in presets_of(raw.get("platform"), catalog):
        path = preset.setting.removeprefix(above).split(".")
        if not above or len(path) == 1:
            filled = _filled(filled, path, preset.value)
    return filled


def presets_of(name: object, catalog: Catalog) -> tuple[Preset, ...]:
    """Return the settings that a platform's name stands for."""
    platform = catalog.platform(name)
    return () if platform is None else platform.settings


def told_presets(raw: Mapping[str, Any], catalog: Catalog) -> tuple[str, ...]:
    """Return in words what the platform's name sets, and what somebody said instead."""
    platform = catalog.platform(raw.get("platform"))
    if platform is None:
        return ()
    marks = [("label", mark) for mark in platform.labels]
    marks += [("annotation", mark) for mark in platform.annotations]
    return (
        *(_told(platform.name, preset, raw) for preset in platform.settings),
        *(
            f"platform {platform.name} gives each model server the {kind} {mark.name}={mark.value}, because "
            f"{mark.because}"
            for kind, mark in marks
        ),
    )


def _told(name: str, preset: Preset, raw: Mapping[str, Any]) -> str:
    setting = f"platform.{preset.setting}"
    said = _said(raw, preset.setting.split("."))
    if said is None or said == preset.value:
        return f"platform {name} sets {setting} to {preset.value}, because {preset.because}"
    return f"platform {name} would set {setting} to {preset.value}; the stack says {said}"


def _said(raw: Any, path: list[str]) -> Any:
    for key in path:
        raw = raw.get(key) if isinstance(raw, Mapping) else None
    return raw


def _filled(raw: Mapping[str, Any], path: list[str], value: str | int) -> dict[str, Any]:
    """Return a map with one value more, unless it is there, or something else than a map is on the way."""
    key, *rest = path
    inner = raw.get(key, {} if rest else None)
    if not rest:
        return {**raw, key: value if key not in raw else inner}
    return {**raw, key: _filled(inner, rest, value)} if isinstance(inner, Mapping) else dict(raw)


def marks_of(
    platform: str, serving: ServingPlan, namespace: str, catalog: Catalog
) -> tuple[dict[str, str], ...]:
    """Return labels and annotations by which the platform's console knows a model server."""
    found = catalog.platform(platform)
    if found is None:
        return {}, {}
    facts = {"name": serving.name, "namespace": namespace}
    source = serving.source
    if source.scheme == "hf":
        group, _, repository = source.uri.removeprefix("hf://").partition("/")
        facts |= {"group": group, "repository": repository}
        if source.revision is not None:
            facts["revision"] = source.revision
    return _marks(found.labels, facts), _marks(found.annotations, facts)


def _marks(marks: Iterable[Mark], facts: Mapping[str, str]) -> dict[str, str]:
    known = [mark for mark in marks if set(_HELD.findall(mark.value)) <= facts.keys()]
    values = {mark.name: mark.value.format_map(facts) for mark in known}
    return {name: value for name, value in values.items() if _LABEL_VALUE.fullmatch(value)}
