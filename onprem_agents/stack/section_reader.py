"""Reads a map of settings into its `Section`, or tells every problem at once: what was found, why, what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from onprem_agents.errors import Finding, Problem, nearest_hint
from onprem_agents.stack.former import former_setting
from onprem_agents.stack.section import Section, sections_in
from onprem_agents.stack.untrusted import looks_like_key
from onprem_agents.stack.value_words import said_of

_SHOWN_CHARS = 80
# What YAML calls otherwise than Python.
_AS_WRITTEN = {"True": "true", "False": "false", "None": "nothing"}
SomeSection = TypeVar("SomeSection", bound=Section)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How the keys of an input are told: `root` stands before each, the rest ends a sentence on what to change."""

    root: str = ""
    whole: str = "arguments"
    """What the input as a whole is called where it has no root."""
    example: str = ""
    place: str = ""

    def key(self, location: tuple[str | int, ...]) -> str:
        """Return the place of a value as its owner writes it, such as `servers[0].port`."""
        parts = "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in location)
        return f"{self.root}{parts}" if self.root else parts.removeprefix(".") or self.whole


def read_section(
    section: type[SomeSection], raw: Mapping[str, Any], wording: Wording
) -> tuple[SomeSection | None, list[Problem]]:
    """Return the section that a map means, or None with all that is wrong with it."""
    try:
        return section.model_validate(dict(raw)), []
    except ValidationError as error:
        return None, [
            problem for details in _causes(error) for problem in _problems(section, details, wording)
        ]


def entries_that_repeat(entries: object, key: str) -> Iterator[str]:
    """Yield what entries of a raw list say more than once, so that it is told together with errors inside them."""
    listed = entries if isinstance(entries, list | tuple) else []
    said = [str(entry[key]) for entry in listed if isinstance(entry, Mapping) and key in entry]
    yield from sorted({one for one in said if said.count(one) > 1})


def shown(value: object) -> str:
    """Return a value for a message; one that looks like a key is never shown."""
    text = _AS_WRITTEN.get(repr(value)) or repr(value)
    if looks_like_key(text):
        return "a value that looks like a key (not shown)"
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"


def _causes(error: ValidationError) -> list[Any]:
    """Drop what only follows: pydantic also calls a list too short when its entries were refused."""
    found = error.errors()
    return [
        details
        for details in found
        if details["type"] != "too_short"
        or not any(
            other is not details and other["loc"][: len(details["loc"])] == details["loc"] for other in found
        )
    ]


def _problems(section: type[Section], details: Any, wording: Wording) -> list[Problem]:
    location: tuple[str | int, ...] = details["loc"]
    where = wording.key(location)
    findings: tuple[Finding, ...] = details.get("ctx", {}).get("refusals", ())
    if findings:
        return [finding.at(where, shown(details["input"])) for finding in findings]
    return [_problem(section, where, location, details, wording)]


def _problem(
    section: type[Section], where: str, location: tuple[str | int, ...], details: Any, wording: Wording
) -> Problem:
    kind = details["type"]
    former = former_setting(where, location, details.get("input"), rooted=bool(wording.root))
    if former is not None:
        return former.at(where, shown(details.get("input")))
    if kind == "extra_forbidden":
        inside = _section_at(section, location[:-1])
        known = [str(field.alias) for field in inside.model_fields.values()] if inside is not None else []
        elsewhere = inside.elsewhere.get(str(location[-1])) if inside is not None else None
        return Problem(
            where=where,
            cause="unknown-key",
            found=f"the key {location[-1]!r}",
            why="no such setting exists, so it would be ignored silently",
            fix=elsewhere or f"{nearest_hint(str(location[-1]), known)} (or remove the line)"
            if known
            else "remove the line",
        )
    if kind == "missing":
        return Problem(
            where=where,
            cause="missing-key",
            found="nothing",
            why="this setting has no default",
            fix=f"add {location[-1]!r}{wording.example}",
        )
    cause, why = said_of(details)
    return Problem(
        where=where,
        cause=cause,
        found=shown(details.get("input")),
        why=why,
        fix=f"change {where}{wording.place}",
    )


def _section_at(section: type[Section], location: tuple[str | int, ...]) -> type[Section] | None:
    inside: type[Section] | None = section
    for part in location:
        if isinstance(part, int) or inside is None:
            continue
        field = next((f for f in inside.model_fields.values() if f.alias == part), None)
        inside = next(sections_in(field.annotation), None) if field is not None else inside
    return inside


def _key(name: str) -> str:
    """Return a key as it may be shown: the names of developers are anything that somebody wrote."""
    plain = name.isprintable() and len(name) <= _SHOWN_CHARS and not looks_like_key(name)
    return name if plain else shown(name)
