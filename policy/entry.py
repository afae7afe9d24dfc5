"""Policy: one row of the table, and what it is called with."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .graph import Graph, Violation

Level = Literal["mandatory", "advisory"]
Pack = Literal["serving", "exposure", "supply-chain"]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy; `module` names the file of its rule, `function` the rule in it.

    `bad` and `good` are YAML excerpts for its page. `settings` are the JSON schemas of what a pack's
    configuration may say, by the name of the rule's argument in camelCase.
    """

    name: str
    description: str
    pack: Pack
    level: Level
    tags: tuple[str, ...]
    module: str
    function: str
    bad: str
    good: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def rule(self) -> Callable[..., list[Violation]]:
        """The rule; it looks at the whole program, because a server's parts may be apart."""
        module = importlib.import_module(f".rules.{self.module}", __package__)
        return cast("Callable[..., list[Violation]]", getattr(module, self.function))

    def find(self, graph: Graph, settings: Mapping[str, Any] | None = None) -> list[Violation]:
        """Return what the rule finds with these settings, those that are not its own left out."""
        given = {_snake(key): value for key, value in (settings or {}).items() if key in self.settings}
        return self.rule(graph, **given)


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
