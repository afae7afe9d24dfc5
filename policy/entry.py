"""Policy: one row of the table, and what it is called with."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .exemptions import SCHEMA, without_exempted
from .graph import Graph, Violation

EXEMPTIONS = "exemptions"
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
        """Return what the rule finds with these settings, those that are not its own left out, beyond exemptions.

        The servers of one object, such as those of several nodes, may have the same fault: it is said once.
        """
        said = settings or {}
        given = {_snake(key): value for key, value in said.items() if key in self.settings}
        found = {(each.resource.urn, each.told): each for each in self.rule(graph, **given)}
        return without_exempted(list(found.values()), said.get(EXEMPTIONS, ()))

    @property
    def schema(self) -> dict[str, dict[str, Any]]:
        """The JSON schemas of all that its configuration may say."""
        return {**{key: dict(schema) for key, schema in self.settings.items()}, EXEMPTIONS: dict(SCHEMA)}


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
