"""The table of policies: name, description, rule, level. The pack and the check of manifests read it.

A rule is imported when it is first asked for: the pack announces itself a fifth of a second earlier (2026-11),
and the engine goes on while `load_rules` brings them in.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from .graph import Graph, Violation

Level = Literal["mandatory", "advisory"]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy of the pack; `module` names the file of its rule, `function` the rule in it."""

    name: str
    description: str
    module: str
    function: str
    level: Level

    @property
    def rule(self) -> Callable[[Graph], list[Violation]]:
        """The rule; it looks at the whole program, because a server's parts may be apart."""
        module = importlib.import_module(f".rules.{self.module}", __package__)
        return cast("Callable[[Graph], list[Violation]]", getattr(module, self.function))


POLICIES = (
    Policy(
        name="tool-calling-is-on",
        description="A model server for agents turns tool calling on, with a parser its vLLM release knows.",
        module="tool_calling",
        function="tool_calling_is_on",
        level="mandatory",
    ),
    Policy(
        name="parser-fits-the-model",
        description="Tool and reasoning parser are those of the model's family.",
        module="parser_family",
        function="parser_fits_the_model",
        level="mandatory",
    ),
    Policy(
        name="memory-headroom-is-left",
        description="Weights, overhead and one full-context request fit the GPUs, with headroom.",
        module="memory_headroom",
        function="memory_headroom_is_left",
        level="mandatory",
    ),
    Policy(
        name="options-start-together",
        description="A model server has no options that its vLLM release refuses together at start.",
        module="known_conflicts",
        function="options_start_together",
        level="mandatory",
    ),
    Policy(
        name="timeouts-are-monotonic",
        description="Client, gateway, route and server wait in that order, the outer hop never less.",
        module="monotonic_timeouts",
        function="timeouts_are_monotonic",
        level="mandatory",
    ),
    Policy(
        name="options-work-together",
        description="A model server has no options that are reported to spoil its answers together.",
        module="known_conflicts",
        function="options_work_together",
        level="advisory",
    ),
    Policy(
        name="variables-are-read",
        description="A model server has no settings in variables that vLLM does not read.",
        module="variables",
        function="variables_are_read",
        level="advisory",
    ),
    Policy(
        name="serving-can-be-checked",
        description="What declares a model server can be read, and its model, checkpoint and GPU are known.",
        module="checkable",
        function="serving_can_be_checked",
        level="advisory",
    ),
)


def load_rules() -> None:
    """Import every rule and read the facts that all of them judge by."""
    for policy in POLICIES:
        _ = policy.rule
    importlib.import_module(".known", __package__).read_facts()
