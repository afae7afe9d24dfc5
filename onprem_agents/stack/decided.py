"""Which settings an agent may change, and which a person decides: each setting says so itself, by its mark.

What has no mark is for whoever works on the stack. `people_decide` compares two states of a stack file by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import Problem
from onprem_agents.stack.by_people import ByPeople
from onprem_agents.stack.section import Section, sections_in
from onprem_agents.stack.section_reader import shown

FIX = "take the change back; where it is needed, say why, and let a person make it"
_CONFIG, _PLATFORM = "config", "onprem-coding-agents:platform"
_KEYS_AND_LOCKS = "keys, and what the secrets of the stack are locked with, are nobody's to change on the way"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting as a whole: its path in YAML, and why a person decides it; None where an agent may change it."""

    path: str
    why: str | None


def settings_in(section: type[Section], above: str = "") -> Iterator[Setting]:
    """Yield each setting below a section, in the order of the schema: one with a mark stands for all within it."""
    for info in section.model_fields.values():
        path = f"{above}{info.alias}"
        mark = _mark(info.metadata)
        inner = list(sections_in(info.annotation))
        if mark is not None or not inner:
            yield Setting(path=path, why=None if mark is None else mark.why)
            continue
        for one in inner:
            yield from settings_in(one, f"{path}{_beside(info.annotation)}.")


def people_decide(section: type[Section], before: object, after: object) -> tuple[Problem, ...]:
    """Return a problem for each change of a stack file's content that a person decides."""
    old, new = _map(before), _map(after)
    platforms = [_map(each.get(_CONFIG)).get(_PLATFORM) for each in (old, new)]
    return (*_beside_the_platform(old, new), *_changed(section, _map(platforms[0]), _map(platforms[1])))


def _changed(
    section: type[Section], old: Mapping[str, Any], new: Mapping[str, Any], above: str = "platform"
) -> Iterator[Problem]:
    for info in section.model_fields.values():
        name, where = str(info.alias), f"{above}.{info.alias}"
        if old.get(name) == new.get(name):
            continue
        mark = _mark(info.metadata)
        inner = list(sections_in(info.annotation))
        if mark is not None:
            for place, was, now in _differences(old.get(name), new.get(name), where):
                yield _problem(place, was, now, mark.why)
        elif isinstance(old.get(name), list) or isinstance(new.get(name), list):
            for one in inner:
                yield from _roles(one, old.get(name), new.get(name), where)
        else:
            for one in inner:
                yield from _changed(one, _map(old.get(name)), _map(new.get(name)), where)


def _roles(section: type[Section], before: object, after: object, where: str) -> Iterator[Problem]:
    """Yield what changed in a list whose entries have a role; one that is new or gone is a change of its role."""
    mark = _mark(section.model_fields["role"].metadata)
    old = {str(each.get("role")): each for each in map(_map, _list(before))}
    new = [str(_map(each).get("role")) for each in _list(after)]
    for index, (role, entry) in enumerate(zip(new, _list(after), strict=True)):
        if role in old:
            yield from _changed(section, old[role], _map(entry), f"{where}[{index}]")
        elif mark is not None:
            yield _problem(f"{where}[{index}].role", None, role, mark.why)
    if mark is not None:
        yield from (_problem(where, role, None, mark.why) for role in old if role not in new)


def _beside_the_platform(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Problem]:
    for name in (*old, *(name for name in new if name not in old)):
        if name != _CONFIG and old.get(name) != new.get(name):
            yield _hidden(str(name))
    keys, now = _map(old.get(_CONFIG)), _map(new.get(_CONFIG))
    for name in (*keys, *(name for name in now if name not in keys)):
        if name != _PLATFORM and keys.get(name) != now.get(name):
            yield _hidden(f"{_CONFIG}.{name}")


def _hidden(where: str) -> Problem:
    return Problem(
        where=where,
        cause="for-a-person",
        found="another value than before (not shown)",
        why=_KEYS_AND_LOCKS,
        fix=FIX,
    )


def _problem(where: str, was: object, now: object, why: str) -> Problem:
    before = "nothing" if was is None else _told(was)
    found = f"{before} is gone" if now is None else f"{_told(now)}, before {before}"
    notes = "; ".join(_notes(now))
    return Problem(
        where=where,
        cause="for-a-person",
        found=found,
        why=f"a person decides it: {why}{f' ({notes})' if notes else ''}",
        fix=FIX,
    )


def _told(value: object) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return shown(" ".join(value))
    return shown(value)


def _notes(value: object) -> Iterator[str]:
    """Yield what the catalogue says of options of vLLM among the words of a value."""
    for word in value if isinstance(value, list) else ():
        option = str(word).partition("=")[0].replace("_", "-")
        entry = load_catalog().server_option(option) if option.startswith("--") else None
        if entry is not None and entry.note is not None:
            yield f"{option}: {entry.note}"


def _differences(old: object, new: object, where: str) -> Iterator[tuple[str, object, object]]:
    """Yield the deepest keys of maps that differ, with both values; lists are compared as a whole."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield where, old, new
        return
    for name in (*old, *(name for name in new if name not in old)):
        if old.get(name) != new.get(name):
            yield from _differences(old.get(name), new.get(name), f"{where}.{name}")


def _mark(metadata: Sequence[object]) -> ByPeople | None:
    return next((each for each in metadata if isinstance(each, ByPeople)), None)


def _beside(annotation: object) -> str:
    """Return how the place of an entry is written, after the name of its list."""
    return "[]" if tuple in {get_origin(each) for each in (annotation, *get_args(annotation))} else ""


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
