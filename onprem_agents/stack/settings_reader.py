"""Reads the value of `onprem-coding-agents:platform`: a `Platform`, or every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from onprem_agents.errors import Finding, InvalidInput, Problem, nearest_hint
from onprem_agents.stack.former import former_setting
from onprem_agents.stack.settings import Platform, Section
from onprem_agents.stack.untrusted import looks_like_key

_SHOWN_CHARS = 80


def parse_platform(raw: object, source: str) -> Platform:
    """Validate the value of `onprem-coding-agents:platform`.

    `source` names the stack or file in the error. Raises `InvalidInput` with all problems found.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput(
            source,
            [
                Problem(
                    where="platform",
                    cause="wrong-shape",
                    found=_shown(raw),
                    why="the platform settings are a map of sections",
                    fix="write 'onprem-coding-agents:platform:' with hardware, models and access below it; "
                    "see stacks/Pulumi.local.yaml",
                )
            ],
        )
    problems = _roles_used_twice(raw.get("models"))
    try:
        platform = Platform.model_validate(dict(raw))
    except ValidationError as error:
        problems = [*(found for details in _causes(error) for found in _problems(details)), *problems]
    if problems:
        raise InvalidInput(source, problems)
    return platform


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


def _roles_used_twice(models: object) -> list[Problem]:
    """Look at the raw list, so that this is told together with errors inside the entries."""
    entries = models if isinstance(models, list | tuple) else []
    roles = [str(entry["role"]) for entry in entries if isinstance(entry, Mapping) and "role" in entry]
    return [
        Problem(
            where="platform.models",
            cause="repeated",
            found=f"the role {role!r} more than once",
            why="a role is the name that developers' machines know one model by",
            fix="give each entry of models its own role",
        )
        for role in sorted({role for role in roles if roles.count(role) > 1})
    ]


def _problems(details: Any) -> list[Problem]:
    location: tuple[str | int, ...] = details["loc"]
    where = "platform" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in location
    )
    findings: tuple[Finding, ...] = details.get("ctx", {}).get("refusals", ())
    if findings:
        return [finding.at(where, _shown(details["input"])) for finding in findings]
    return [_problem(where, location, details)]


def _problem(where: str, location: tuple[str | int, ...], details: Any) -> Problem:
    kind = details["type"]
    former = former_setting(where, location, details.get("input"))
    if former is not None:
        return former.at(where, _shown(details.get("input")))
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        return Problem(
            where=where,
            cause="unknown-key",
            found=f"the key {location[-1]!r}",
            why="no such setting exists, so it would be ignored silently",
            fix=f"{nearest_hint(str(location[-1]), known)} (or remove the line)"
            if known
            else "remove the line",
        )
    if kind == "missing":
        return Problem(
            where=where,
            cause="missing-key",
            found="nothing",
            why="this setting has no default",
            fix=f"add {location[-1]!r}; see stacks/Pulumi.local.yaml for an example",
        )
    message = str(details["msg"])
    return Problem(
        where=where,
        cause="bad-value",
        found=_shown(details.get("input")),
        why=message[0].upper() + message[1:],
        fix=f"change {where} under 'onprem-coding-agents:platform'",
    )


def _known_keys(location: tuple[str | int, ...]) -> list[str]:
    section: Any = Platform
    for part in location:
        if isinstance(part, int) or section is None:
            continue
        field = next((f for f in section.model_fields.values() if f.alias == part), None)
        section = _section_of(field.annotation) if field is not None else section
    return [str(f.alias) for f in section.model_fields.values()] if section is not None else []


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


def _key(name: str) -> str:
    """Return a key as it may be shown: the names of developers are anything that somebody wrote."""
    plain = name.isprintable() and len(name) <= _SHOWN_CHARS and not looks_like_key(name)
    return name if plain else _shown(name)


def _shown(value: object) -> str:
    text = repr(value)
    if looks_like_key(text):
        return "a value that looks like a key (not shown)"
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
