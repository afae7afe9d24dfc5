"""What is wrong with a server for good, unlike a play: settings with which a model server starts, and is of no use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal, get_args

from scripted_model.turn import Turn

Fault = Literal["no-tools", "no-prefix-cache", "no-pictures"]
"""A server without a parser for its model's tool calls; one that keeps no prefix of a prompt; one for text alone."""

FAULTS: tuple[Fault, ...] = get_args(Fault)


_PICTURES = frozenset({"image", "image_url", "input_image"})


def holds_picture(document: object) -> bool:
    """Tell whether a request shows a picture, wherever in it and by whichever API."""
    match document:
        case {"type": str(kind)} if kind in _PICTURES:
            return True
        case dict():
            return any(map(holds_picture, document.values()))
        case list():
            return any(map(holds_picture, document))
        case _:
            return False


def without_tools(turn: Turn) -> Turn:
    """Return the turn of a server whose parser takes no calls out: they stand in the text, as the model wrote them."""
    if not turn.calls:
        return turn
    written = [
        f"<tool_call>{json.dumps({'name': call.name, 'arguments': call.arguments})}</tool_call>"
        for call in turn.calls
    ]
    return replace(turn, text="\n".join([turn.text, *written]).strip(), calls=())
