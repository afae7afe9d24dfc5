"""What sessions of agents are like: tables of quantiles with their source, as data that a user may replace."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.files import read_text
from onprem_agents.stack.value_words import said_of

SHIPPED = Path(__file__).parent / "profiles" / "coding-agents.yaml"
_MOST_BYTES = 64 * 1024
_WHOLE = 100.0


def _rising(table: Mapping[float, float]) -> Mapping[float, float]:
    ordered = dict(sorted(table.items()))
    if 0 not in ordered or _WHOLE not in ordered:
        raise ValueError(
            "a table of quantiles begins at 0 and ends at 100, such as {0: 8, 50: 249, 100: 5542}"
        )
    if list(ordered.values()) != sorted(ordered.values()):
        raise ValueError("values of a table of quantiles never fall")
    return ordered


Percent = Annotated[float, Field(ge=0, le=_WHOLE)]
Amount = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Quantiles = Annotated[Mapping[Percent, Amount], AfterValidator(_rising)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Source(_Part):
    """Where the statistics are from, and under which licence they may be used."""

    title: str
    address: str
    paper: str = ""
    licence: str
    released: date
    read: date
    changes: str


class Profile(_Part):
    """How long prompts, answers and pauses are; lengths in tokens."""

    name: str
    source: Source
    shared_tokens: Annotated[int, Field(ge=0, le=200_000)]
    opening_tokens: Quantiles
    requests_per_session: Quantiles
    tool_rounds_per_request: Quantiles
    growth_tokens: Quantiles
    output_tokens: Quantiles
    tool_pause_seconds: Quantiles
    human_pause_seconds: Quantiles
    longest_pause_seconds: Annotated[float, Field(ge=0, le=86_400)]


def value_at(table: Mapping[float, float], share: float) -> float:
    """Return the value below which that share (0 to 1) of all lie, between two entries on a logarithmic scale."""
    percents, values = tuple(table), tuple(table.values())
    wanted = share * _WHOLE
    above = bisect_left(percents, wanted)
    if percents[above] == wanted:
        return values[above]
    below = above - 1
    part = (wanted - percents[below]) / (percents[above] - percents[below])
    low, high = math.log1p(values[below]), math.log1p(values[above])
    return math.expm1(low + part * (high - low))


def read_profile(path: Path) -> Profile:
    """Return the profile of a file. Raises `InvalidInput` with all that is wrong at once."""
    text = read_text(
        path, "a profile", fix=f"give with --profile a copy of {SHIPPED}", most_bytes=_MOST_BYTES
    )
    try:
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = str(getattr(error, "problem_mark", "") or "").strip()
        problem = Problem(
            where=where or str(path),
            cause="broken-syntax",
            found="text that is no YAML",
            why="a profile is a YAML map of quantile tables",
            fix=f"start from a copy of {SHIPPED}",
        )
        raise InvalidInput(str(path), [problem]) from error
    return _checked(raw, path)


def _checked(raw: object, path: Path) -> Profile:
    if not isinstance(raw, dict):
        problem = Problem(
            where=str(path),
            cause="wrong-shape",
            found="something else than a map",
            why="a profile is a YAML map of quantile tables",
            fix=f"start from a copy of {SHIPPED}",
        )
        raise InvalidInput(str(path), [problem])
    try:
        return Profile.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(str(path), [_problem(details) for details in error.errors()]) from error


def _problem(details: Any) -> Problem:
    where = ".".join(str(part) for part in details["loc"] if part != "[key]")
    missing, unknown = details["type"] == "missing", details["type"] == "extra_forbidden"
    return Problem(
        where=where,
        cause="missing-key" if missing else "unknown-key" if unknown else "bad-value",
        found="nothing" if missing else ascii(details["input"])[:80],
        why="nothing reads it" if unknown else "it has no default" if missing else said_of(details)[1],
        fix=f"take it as {SHIPPED.name} has it: {SHIPPED}" if not unknown else "take it out",
    )
