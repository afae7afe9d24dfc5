"""One GPU's memory as a bar and as a table, from the JSON values of a report."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from onprem_agents.sizing.shown import gib

_BAR_CELLS = 48
# Colours of the terms of the memory account; the terms not named here are the runtime's.
_WEIGHTS, _RUNTIME, _CACHE, _FREE = "blue", "yellow", "green", "bright_black"
_STYLES = {"weights": _WEIGHTS, "KV cache": _CACHE, "headroom": _FREE, "outside the budget": _FREE}


def bar(memory: dict[str, Any], width: int) -> Text:
    """Draw one GPU's memory: weights, runtime, KV cache, and what stays free; the figures below where it is narrow."""
    told = Text("    ").append(drawn(memory)).append(" ").append(legend(memory))
    if told.cell_len <= width:
        return told
    return Text("    ").append(drawn(memory)).append("\n    ").append(legend(memory))


def drawn(memory: dict[str, Any], cells_of_all: int = _BAR_CELLS) -> Text:
    """Return the bar alone, so many cells wide."""
    total, shares = memory["gpuTotalGib"], _shares(memory)
    picture, cells, filled_gib = Text(), 0, 0.0
    for style in (_WEIGHTS, _RUNTIME, _CACHE):
        filled_gib += shares[style]
        upto = min(cells_of_all, round(filled_gib / total * cells_of_all))
        picture.append("█" * (upto - cells), style=style)
        cells = upto
    return picture.append("░" * (cells_of_all - cells), style=_FREE)


def legend(memory: dict[str, Any]) -> Text:
    """Return what its parts hold, in GiB."""
    shares = _shares(memory)
    told = Text(f"{gib(memory['gpuTotalGib'])} GiB: ")
    told.append(f"weights {gib(shares[_WEIGHTS])}", style=_WEIGHTS)
    told.append(f", runtime {gib(shares[_RUNTIME])}", style=_RUNTIME)
    told.append(f", KV {gib(shares[_CACHE])}", style=_CACHE)
    return told.append(f", free {gib(shares[_FREE])}", style=_FREE)


def _shares(memory: dict[str, Any]) -> dict[str, float]:
    shares = dict.fromkeys((_WEIGHTS, _RUNTIME, _CACHE, _FREE), 0.0)
    for term in memory["terms"]:
        shares[_STYLES.get(term["name"], _RUNTIME)] += term["gib"]
    return shares


def account(title: str, memory: dict[str, Any]) -> Table:
    """Return the terms of one GPU's memory as a table."""
    table = Table(title=f"{title}: memory of one GPU, GiB", show_edge=False, title_justify="left")
    table.add_column("term")
    table.add_column("GiB", justify="right")
    table.add_column("why", overflow="fold")
    for term in memory["terms"]:
        table.add_row(term["name"], f"{term['gib']:.2f}", term["explanation"])
    table.add_row("total", f"{memory['gpuTotalGib']:.2f}", "as the driver reports it", style="bold")
    return table
