"""How a component refuses its arguments: one text, in the spelling of the language that the program is written in."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails

from onprem_agents.errors import InvalidInput, Problem

_NAME = re.compile(r"\b[a-z]+(?:[A-Z_][A-Za-z_]*)\b")
_STACK_FILE = re.compile(r"\bplatform\.(?=[a-z])")
_hosted = False


def speak_as_package() -> None:
    """Refuse from now on as a component package does, to programs in any language: they write as the wire does."""
    global _hosted  # noqa: PLW0603 - a process hosts components for its whole life, or never
    _hosted = True


def spelled(text: str, names: Mapping[str, str]) -> str:
    """Return a text of the plan's, which names settings as a stack file does, with each as the program writes it."""
    text = _STACK_FILE.sub("", text)
    return text if _hosted else _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def as_written(problem: Problem, names: Mapping[str, str]) -> Problem:
    """Return a problem of the plan's with every argument as the program writes it."""
    return replace(
        problem,
        where=spelled(problem.where, names),
        found=spelled(problem.found, names),
        why=spelled(problem.why, names),
        fix=spelled(problem.fix, names),
    )


class Refused(pulumi.RunError):
    """The end of a program whose arguments cannot be; its text says all."""


def refusal(noun: str, name: str, problems: Sequence[Problem]) -> Exception:
    """Return the end of the program: every problem of a component's arguments."""
    source = f"{noun} {name!r}"
    if _hosted:
        details: list[InputPropertyErrorDetails] = [
            {"property_path": each.where, "reason": f"found {each.found}; {each.why}; {each.fix}"}
            for each in problems
        ]
        return InputPropertiesError(f"{source} cannot be planned", details)
    told = [replace(each, where=f"argument {each.where}") for each in problems]
    _silence_echoes()
    return Refused(str(InvalidInput(source, told)))


def _silence_echoes() -> None:
    """Keep asyncio from printing a traceback for each Output that a refusal leaves without a value.

    The SDK's hosts switch these remarks off; under its mocks they would drown the one text (3.272, read 2026-11).
    """
    logger = logging.getLogger("asyncio")
    if _is_no_echo not in logger.filters:
        logger.addFilter(_is_no_echo)


def _is_no_echo(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], Refused))
