"""Which hardware to buy for a team: what each accelerator that can be bought would serve best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onprem_agents.advice.advise import Asked, Ranking, rankings
from onprem_agents.catalog import Catalog

MOST_GPUS = 8
"""GPUs of the largest common servers."""


def best_of_each(catalog: Catalog, asked: Asked, *, gpus: int | None = None) -> tuple[Ranking, ...]:
    """Return the ranking of each proposed accelerator that serves any model, the best model on the least memory first.

    Of each accelerator as many as `gpus`; None: as many as serve the best model that one typical server of it can,
    and no more than that.
    """
    proposed = [accelerator for accelerator in catalog.accelerators if accelerator.proposed]
    counts = range(1, MOST_GPUS + 1) if gpus is None else (gpus,)
    by_name: dict[str, list[Ranking]] = {}
    every = rankings(catalog, proposed, counts, asked, first_only=True)
    for ranking in every:
        if ranking.found and (gpus is not None or ranking.gpus <= ranking.accelerator.host.gpus_per_node):
            by_name.setdefault(ranking.accelerator.name, []).append(ranking)
    best = [_best(of_one) for of_one in by_name.values()]
    return tuple(
        sorted(best, key=lambda one: (*_quality(one), -one.gpus * one.accelerator.total_gib), reverse=True)
    )


def _best(of_one: Iterable[Ranking]) -> Ranking:
    return max(of_one, key=lambda one: (*_quality(one), -one.gpus))


def _quality(ranking: Ranking) -> Sequence[int]:
    """Return cover and standing of the first choice; how many more sessions than needed are held is no quality."""
    place, _ = ranking.found[0]
    return place[:2]
