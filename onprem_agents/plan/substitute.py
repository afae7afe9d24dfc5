"""Which models to take instead of one that agents cannot use."""

from __future__ import annotations

import math

from onprem_agents.catalog import Catalog, Model


def substitutes(model: Model, catalog: Catalog) -> tuple[Model, ...]:
    """Return the models that can call tools, the nearest first: of the same family, then by size."""

    def distance(other: Model) -> tuple[bool, float]:
        return other.family != model.family, abs(math.log(other.total_params / model.total_params))

    return tuple(sorted((one for one in catalog.models if one.tool_call_parser is not None), key=distance))
