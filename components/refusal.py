"""How a component refuses its arguments, or a result: the program ends with one text and without a traceback."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan.wording import AS_ARGUMENTS

from .spelling import speaks_as_package


class Refused(pulumi.RunError):
    """The end of a program whose arguments cannot be, or lead to nothing of use; its text says all."""


def refusal(noun: str, name: str, problems: Sequence[Problem]) -> Exception:
    """Return the end of the program: every problem of a component's arguments."""
    source = f"{noun} {name!r}"
    if speaks_as_package():
        details: list[InputPropertyErrorDetails] = [
            {"property_path": each.where, "reason": f"found {each.found}; {each.why}; {each.fix}"}
            for each in problems
        ]
        return InputPropertiesError(f"{source} cannot be planned", details)
    told = [replace(each, where=_told(each.where)) for each in problems]
    _silence_echoes()
    return Refused(str(InvalidInput(source, told)))


def unusable(noun: str, name: str, text: str) -> Exception:
    """Return the end of an update whose result is of no use; `text` tells each fault."""
    source = f"{noun} {name!r}"
    if speaks_as_package():
        return InputPropertiesError(f"{source}: {text}", [])
    _silence_echoes()
    return Refused(f"{source}: {text}")


def _told(where: str) -> str:
    """Return a place as the text names it; what is wrong of all arguments together is wrong of no single one."""
    return where if where == AS_ARGUMENTS.key(()) else f"argument {where}"


def _silence_echoes() -> None:
    """Keep asyncio from printing a traceback for each Output that a refusal leaves without a value.

    The SDK's hosts switch these remarks off; under its mocks they would drown the one text (3.272, read 2026-11).
    """
    logger = logging.getLogger("asyncio")
    if _is_no_echo not in logger.filters:
        logger.addFilter(_is_no_echo)


def _is_no_echo(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], Refused))
