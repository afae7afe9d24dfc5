"""The table of policies: name, description, function, level. The pack and the check of manifests read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from policy.graph import Graph, Violation
from policy.rules.checkable import serving_can_be_checked
from policy.rules.memory_headroom import memory_headroom_is_left
from policy.rules.monotonic_timeouts import timeouts_are_monotonic
from policy.rules.parser_family import parser_fits_the_model
from policy.rules.tool_calling import tool_calling_is_on

Level = Literal["mandatory", "advisory"]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy of the pack; `rule` looks at the whole program, because a server's parts may be apart."""

    name: str
    description: str
    rule: Callable[[Graph], list[Violation]]
    level: Level


POLICIES = (
    Policy(
        name="tool-calling-is-on",
        description="A model server for agents turns tool calling on, with a parser its vLLM release knows.",
        rule=tool_calling_is_on,
        level="mandatory",
    ),
    Policy(
        name="parser-fits-the-model",
        description="Tool and reasoning parser are those of the model's family.",
        rule=parser_fits_the_model,
        level="mandatory",
    ),
    Policy(
        name="memory-headroom-is-left",
        description="Weights, overhead and one full-context request fit the GPUs, with headroom.",
        rule=memory_headroom_is_left,
        level="mandatory",
    ),
    Policy(
        name="timeouts-are-monotonic",
        description="Client, gateway, route and server wait in that order, the outer hop never less.",
        rule=timeouts_are_monotonic,
        level="mandatory",
    ),
    Policy(
        name="serving-can-be-checked",
        description="The catalogue knows the model, checkpoint and GPU of every server.",
        rule=serving_can_be_checked,
        level="advisory",
    ),
)
