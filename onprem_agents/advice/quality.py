"""Which models do agents' work better, told by one benchmark: SWE-bench Verified.

A model with its maker's figure there stands by it, another by whoever measured it there. One that was never measured
there comes after all that were, in the order of the best model with a figure there that it does not fall behind on a
benchmark which both share. That is inferred, and shown as the figure of the benchmark that it comes from. Figures of
different benchmarks are never compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from onprem_agents.catalog import Model, Quality

RANKING = "SWE-bench Verified"
# Benchmark and who measured, alike enough to compare models; those without tools say nothing of an agent.
_SHARED = (("Terminal-Bench 2.1", "maker"), ("SWE-bench Pro", "maker"))
SHORT = {"Terminal-Bench 2.1": "TB", "SWE-bench Pro": "Pro"}
"""Those benchmarks as tables name them."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a model stands: `score` is on SWE-bench Verified, its own or, with `over`, that of the model so named.

    With `over` it is inferred from `figure`, which is of another benchmark.
    """

    score: float
    figure: Quality
    over: str | None = None

    @property
    def order(self) -> tuple[float, ...]:
        """What to sort by: what was measured before what is inferred; that by the model that it is inferred from."""
        if self.over is None:
            return 1, self.score
        return 0, self.score, -_SHARED.index((self.figure.benchmark, self.figure.by)), self.figure.score

    def __str__(self) -> str:
        """Return it as a table shows it: a measured figure, of another benchmark with its name."""
        if self.over is None:
            return f"{self.score:.1f}"
        return f"{SHORT[self.figure.benchmark]} {self.figure.score:.1f}"


def quality_of(model: Model) -> Quality | None:
    """Return the figure that says most of a model, None where it has none."""
    return model.quality[0] if model.quality else None


def standings(models: Collection[Model]) -> Mapping[str, Standing]:
    """Return by name where each model stands; one without a figure that says so is not in it."""
    own = {model.name: standing for model in models if (standing := _own(model)) is not None}
    found = dict(own)
    for shared in _SHARED:
        scored = {
            model.name: figure
            for model in models
            for figure in model.quality
            if (figure.benchmark, figure.by) == shared
        }
        for name, figure in scored.items():
            if name in own:
                continue
            for other, theirs in scored.items():
                if other == name or other not in own or theirs.score > figure.score:
                    continue
                over = Standing(score=own[other].score, figure=figure, over=other)
                if name not in found or over.order > found[name].order:
                    found[name] = over
    return found


def _own(model: Model) -> Standing | None:
    figures = [figure for figure in model.quality if figure.benchmark == RANKING]
    best = max(figures, key=lambda figure: (figure.by == "maker", figure.score), default=None)
    return None if best is None else Standing(score=best.score, figure=best)
