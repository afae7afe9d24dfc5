"""Options and variables of the server that a stack may not give by itself, or not without knowing something."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from onprem_agents.catalog.fact import Fact


class _Guarded(Fact):
    """What is said of one name, or of several where `*` stands in it for any letters.

    `setting` is the key that says it: one of the role, or from `platform.` on. `why` is the reason for which it is
    refused, `instead` what to do; `note` is what the reader of a plan must know where it is given all the same.
    """

    setting: str | None = None
    why: str | None = Field(default=None, min_length=10)
    instead: str | None = Field(default=None, min_length=10)
    note: str | None = Field(default=None, min_length=10)

    @property
    def refused(self) -> bool:
        """Whether it is refused at all."""
        return self.note is None

    @model_validator(mode="after")
    def _one_answer(self) -> _Guarded:
        if (self.note is None) == (self.setting is None and self.why is None):
            raise ValueError("either a note, or a setting or the reason for which it is refused")
        return self


class ServerOption(_Guarded):
    """An option of `vllm serve`.

    `harmless` values change nothing; beside a setting `free_with` that is on it is free; the value of one that is
    `secret` is never shown. `unsized`, whoever gives it: a GPU holds `more`
    than is counted, or `unknown`.
    """

    option: str = Field(pattern=r"^--[a-z*][a-z0-9*-]*$")
    harmless: tuple[str, ...] = ()
    free_with: str | None = None
    secret: bool = False
    unsized: Literal["more", "unknown"] | None = None

    def means(self, option: str) -> bool:
        """Return whether this is about that option."""
        return _matches(self.option, option)


class ServerVariable(_Guarded):
    """A variable of the server's environment."""

    variable: str = Field(pattern=r"^[A-Z*][A-Z0-9_*]*$")

    def means(self, variable: str) -> bool:
        """Return whether this is about that variable."""
        return _matches(self.variable, variable)


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
