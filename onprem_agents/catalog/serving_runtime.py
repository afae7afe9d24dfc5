"""Runtimes that an installation brings by itself, so that programs name them without declaring them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from onprem_agents.catalog.fact import Fact


class BuiltInRuntime(Fact):
    """A runtime of KServe (for the whole cluster) or of OpenShift AI (copied into a namespace from a template).

    `spec` is what of its spec decides how a model is served: formats, protocols, container, whether it has workers.
    Where its own script only puts words together, `args` hold the words that come out.
    """

    name: str
    of: Literal["cluster", "template"]
    spec: Mapping[str, Any]
