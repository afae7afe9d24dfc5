"""The arguments of a check that stands alone → its part: which roles of which platform are tried out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from onprem_agents.contract.connection import Connection
from onprem_agents.contract.connection_file import parse
from onprem_agents.errors import InvalidInput, Problem, nearest_hint
from onprem_agents.plan.parts import CheckPart
from onprem_agents.plan.plan_parts import arguments_of
from onprem_agents.stack.check import Check
from onprem_agents.stack.parts import CheckArguments

_FIX = "give the contract as an ExternalIngress or a CodingPlatform tells it: its attribute connection"


def plan_check(raw: object, *, stack: str, source: str) -> CheckPart:
    """Plan the check of a platform by its contract. Raises `InvalidInput` with all problems."""
    arguments = arguments_of(CheckArguments, raw, stack=stack, source=source)
    connection = _contract(arguments.connection, source)
    problems = [
        *_unknown("models", arguments.models, connection),
        *_unknown("uncachedModels", arguments.uncached_models, connection),
    ]
    if problems:
        raise InvalidInput(source, problems)
    return CheckPart(
        stack=stack,
        connection=connection,
        roles=_roles(connection, arguments.models or tuple(role.model for role in connection.roles)),
        uncached_roles=_roles(connection, arguments.uncached_models),
        settings=Check.model_validate(arguments.model_dump(by_alias=True, include=set(Check.model_fields))),
    )


def _contract(given: Mapping[str, Any], source: str) -> Connection:
    try:
        return parse(json.dumps(_whole(given)), source)
    except InvalidInput as error:
        problems = [
            replace(problem, where=f"connection.{problem.where}", fix=_FIX) for problem in error.problems
        ]
        raise InvalidInput(source, problems) from None


def _whole(value: Any) -> Any:
    """Return values with 3 in place of 3.0: programs in other languages have no integers."""
    if isinstance(value, Mapping):
        return {str(name): _whole(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _roles(connection: Connection, models: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(role.role for role in connection.roles if role.model in models)


def _unknown(argument: str, models: tuple[str, ...], connection: Connection) -> Iterator[Problem]:
    known = [role.model for role in connection.roles]
    for index, model in enumerate(models):
        if model not in known:
            yield Problem(
                where=f"{argument}[{index}]",
                cause="unknown-name",
                found=model,
                why="the contract promises no model of that name",
                fix=nearest_hint(model, known),
            )
