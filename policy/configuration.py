"""The configuration of the policies, as `pulumi preview --policy-pack-config` takes it, for checks without an engine.

One object: the name of a policy, and its level (`mandatory`, `advisory`, `disabled`) or an object with
`enforcementLevel`, the policy's settings and `exemptions`. The name of a pack, or `all`, with a level stands for every
policy of it that has none of its own; the engine knows no packs (Pulumi 3.259, pkg/resource/analyzer/config.go, read
2026-11: it passes over what is no policy), so `for_the_engine` writes them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from onprem_agents.errors import Cause, InvalidInput, Problem, nearest_hint

from .entry import EXEMPTIONS, Level, Pack, Policy
from .exemptions import day_of
from .table import POLICIES

LEVEL = "enforcementLevel"
_LEVELS = ("mandatory", "advisory", "disabled")
_NUMBERS: Mapping[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float)}
_ALL = "all"
_GROUPS = (_ALL, *get_args(Pack))


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a configuration says; without one every policy has the table's level and its own defaults."""

    levels: Mapping[str, Literal["mandatory", "advisory", "disabled"]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def level_of(self, policy: Policy) -> Level | None:
        """Return the level of a policy, None for one that is switched off."""
        said = self.said_of(policy)
        return None if said == "disabled" else said

    def said_of(self, policy: Policy) -> Literal["mandatory", "advisory", "disabled"]:
        """Return what is said of a policy, of its pack or of all; what the table says where nothing is."""
        for name in (policy.name, policy.pack, _ALL):
            if name in self.levels:
                return self.levels[name]
        return policy.level

    def settings_of(self, policy: Policy) -> Mapping[str, Any]:
        """Return the settings and exemptions of a policy."""
        return self.settings.get(policy.name, {})

    def for_the_engine(self) -> dict[str, dict[str, Any]]:
        """Return the same for `--policy-pack-config`, each policy by its own name where it differs from the table."""
        told = {}
        for policy in POLICIES:
            said = {} if self.said_of(policy) == policy.level else {LEVEL: self.said_of(policy)}
            if said or self.settings_of(policy):
                told[policy.name] = {**said, **self.settings_of(policy)}
        return told


def read_configuration(path: Path) -> Configuration:
    """Return the configuration in a file of JSON or YAML. Raises InvalidInput with every problem, by file and field."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            str(path),
            [_problem("", str(error.strerror), "it can't be read", "name another file", "unreadable")],
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = str(error).splitlines()[-1].strip()
        raise InvalidInput(
            str(path), [_problem("", line, "it is neither JSON nor YAML", "mend it", "broken-syntax")]
        ) from error
    problems = list(_problems(content))
    if problems:
        raise InvalidInput(str(path), problems)
    levels, settings = {}, {}
    for name, said in (content or {}).items():
        if isinstance(said, str):
            levels[name] = said
            continue
        settings[name] = {key: value for key, value in said.items() if key != LEVEL}
        if LEVEL in said:
            levels[name] = said[LEVEL]
    return Configuration(levels=cast("Any", levels), settings=settings)


def _problems(content: Any) -> Iterator[Problem]:
    if content is None:
        return
    if not isinstance(content, Mapping):
        yield _problem(
            "",
            type(content).__name__,
            "a configuration is an object of policies",
            "write {policy: level}",
            "wrong-shape",
        )
        return
    known = {policy.name: policy for policy in POLICIES}
    for name, said in content.items():
        if name not in _GROUPS and name not in known:
            yield _problem(
                str(name),
                "no policy and no pack of that name",
                "it would change nothing",
                nearest_hint(str(name), [*_GROUPS, *known]),
                "unknown-name",
            )
        elif isinstance(said, str) or name in _GROUPS:
            yield from _level(str(name), said)
        elif not isinstance(said, Mapping):
            yield _problem(
                str(name), repr(said), "it is neither a level nor an object", "write mandatory or {…}"
            )
        else:
            yield from _settings(known[name], said)


def _settings(policy: Policy, said: Mapping[str, Any]) -> Iterator[Problem]:
    schema = policy.schema
    for key, value in said.items():
        where = f"{policy.name}.{key}"
        if key == LEVEL:
            yield from _level(where, value)
        elif key not in schema:
            hint = nearest_hint(str(key), [LEVEL, *schema])
            yield _problem(where, "no setting of that name", "it would change nothing", hint, "unknown-key")
        elif key == EXEMPTIONS:
            yield from _exemptions(where, value)
        elif schema[key]["type"] == "boolean" and not isinstance(value, bool):
            yield _problem(where, repr(value), "it is neither true nor false", "write true or false")
        elif schema[key]["type"] in _NUMBERS and not _is_number(value, schema[key]):
            yield _problem(where, repr(value), "it is no such number", f"write {_number_asked(schema[key])}")
        elif schema[key]["type"] == "array" and not _is_list_of_texts(value):
            yield _problem(where, repr(value), "it is no list of texts", "write [registry.example.internal]")


def _exemptions(where: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _problem(
            where, repr(value), "it is no list", "write [{resource: …, reason: …, until: 2027-01-31}]"
        )
        return
    for place, each in enumerate(value):
        at = f"{where}[{place}]"
        if not isinstance(each, Mapping):
            yield _problem(
                at, repr(each), "it is no object", "write {resource: …, reason: …, until: 2027-01-31}"
            )
            continue
        for key in ("resource", "reason"):
            if not isinstance(each.get(key), str) or not each[key].strip():
                yield _problem(
                    f"{at}.{key}", repr(each.get(key)), "an exemption names its object and why", "write it"
                )
        until = each.get("until")
        if day_of(until if isinstance(until, str) else str(until)) is None:
            yield _problem(
                f"{at}.until", repr(until), "an exemption ends on a day", 'write a day as "2027-01-31"'
            )
        for key in set(each) - {"resource", "reason", "until"}:
            yield _problem(f"{at}.{key}", "no field of that name", "it would change nothing", "remove it")


def _level(where: str, value: Any) -> Iterator[Problem]:
    if value not in _LEVELS:
        yield _problem(where, repr(value), "it is no level", f"write one of {', '.join(_LEVELS)}")


def _is_number(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS[schema["type"]]):
        return False
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _number_asked(schema: Mapping[str, Any]) -> str:
    """Return in words which numbers a schema takes."""
    limits = [
        f"{word} {schema[key]}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in schema
    ]
    return " ".join(["an integer" if schema["type"] == "integer" else "a number", *limits])


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and re.search(r"\S", each) for each in value)


def _problem(where: str, found: str, why: str, fix: str, cause: Cause = "bad-value") -> Problem:
    return Problem(where=where or "the file", cause=cause, found=found, why=why, fix=fix)
