"""The sizing request that the words of `onprem-agents fit` mean."""

from __future__ import annotations

from typing import Any

from onprem_agents.cli.fit import fit_command
from onprem_agents.cli.fit_request import request_from
from onprem_agents.sizing import FitRequest


def request_of(*words: str) -> FitRequest:
    """Return the request that the command makes of these words."""
    settings: dict[str, Any] = dict(fit_command.make_context("fit", list(words)).params)
    model = settings.pop("model")
    return request_from(model, settings)
