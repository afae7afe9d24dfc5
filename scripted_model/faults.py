"""What is wrong with a server for good, unlike a play: settings with which a model server starts, and is of no use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal, get_args

from scripted_model.turn import Turn

Fault = Literal["no-tools", "no-prefix-cache"]
"""A server without a parser for its model's tool calls; one that keeps no prefix of a prompt."""

FAULTS: tuple[Fault, ...] = get_args(Fault)


def without_tools(turn: Turn) -> Turn:
    """Return the turn of a server whose parser takes no calls out: they stand in the text, as the model wrote them."""
    if not turn.calls:
        return turn
    written = [
        f"<tool_call>{json.dumps({'name': call.name, 'arguments': call.arguments})}</tool_call>"
        for call in turn.calls
    ]
    return replace(turn, text="\n".join([turn.text, *written]).strip(), calls=())
