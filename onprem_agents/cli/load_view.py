"""How long a server loads, as lines that people read: which start is meant, and what the figure takes for granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onprem_agents.sizing.starting import READ_MIB_PER_SECOND
from onprem_agents.units import rough_time

RESTARTS = {
    "warm": "warm: what vLLM compiled is kept",
    "cold": "cold, from weights that are there",
    "download": "cold, with its download",
}
"""Kinds of later starts in words."""


def load_brief(loading: Mapping[str, Any]) -> str:
    """Return the loading of a plan's report on one line of a screen: the first start, later ones, the limit."""
    cold = f"{rough_time(loading['startSeconds'])} cold"
    limit = f"; may take {rough_time(loading['budgetSeconds'])}"
    later = f"later {rough_time(loading['restartSeconds'])} {loading['restartKind']}"
    if not loading["downloadSeconds"]:
        return cold + (f", {later}" if loading["restartKind"] == "warm" else "") + limit
    download = f"{rough_time(loading['downloadSeconds'])} download at {loading['downloadMibPerSecond']} MiB/s"
    again = "each start" if loading["restartKind"] == "download" else f"once, {later}"
    return f"{cold} + {download} {again}{limit}"


def load_line(loading: Mapping[str, Any]) -> str:
    """Return the same in full, with the speeds that are taken for granted."""
    budget = f"the budget is {rough_time(loading['budgetSeconds'])}"
    start = f"{rough_time(loading['startSeconds'])} for a cold start (weights read at {READ_MIB_PER_SECOND} MiB/s)"
    later = f"later starts {rough_time(loading['restartSeconds'])}, {RESTARTS[loading['restartKind']]}"
    if not loading["downloadSeconds"]:
        return f"load about {start}; {later}; {budget}"
    download = (
        f"about {rough_time(loading['downloadSeconds'])} of download ({loading['weightsGib']:,} GiB at "
        f"{loading['downloadMibPerSecond']} MiB/s, platform.serving.downloadMibPerSecond)"
    )
    if loading["keptIn"] is None:
        return f"load {download} at each start, then {start}; {budget}"
    return f"load {download} once, then {start}; {later}; kept in {loading['keptIn']}; {budget}"
