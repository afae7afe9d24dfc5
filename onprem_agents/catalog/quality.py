"""How well a model does at agents' work, as a public benchmark says: whose measurement, and where it was read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source

Benchmark = Literal[
    "SWE-bench Verified", "Terminal-Bench 2.1", "SWE-bench Pro", "Terminal-Bench Hard", "LiveCodeBench"
]
"""Those that agents solve, the best known first; LiveCodeBench is written without tools."""

By = Literal["maker", "OpenHands Index", "Uni-Agent", "Artificial Analysis", "Scale AI", "rival", "another"]
"""Who measured: the model's maker, a board that runs all models alike, a maker of other models, or someone else."""

Unrated = Literal["before-agents", "none-found"]
"""Why a model has no figure: it is older than such benchmarks, or neither its maker nor a board was seen to say one."""


class Quality(Fact):
    """A score in percent of the tasks. `harness` is what ran the model, or which tasks; null where that is not told."""

    benchmark: Benchmark
    score: float = Field(ge=0, le=100)
    by: By
    harness: str | None = None
    source: Source

    @property
    def said(self) -> str:
        """The figure in words, with who measured it."""
        others = {"maker": "its maker", "rival": "a maker of other models", "another": "someone else"}
        hand = others.get(self.by, self.by)
        how = f" ({self.harness})" if self.harness is not None else ""
        return f"{self.benchmark} {self.score:g} %, measured by {hand}{how}"
