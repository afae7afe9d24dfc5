"""What a stack's GPUs cost by the prices that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onprem_agents.catalog import Catalog
from onprem_agents.errors import Problem, UnknownFact, nearest_hint
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.plan.pool import Pool
from onprem_agents.stack.cost import Cost, Price, PriceKeys


@dataclass(frozen=True, kw_only=True)
class PoolCost:
    """Money a month for all GPUs of one pool, idle ones too; `basis` says what it rests on."""

    pool: str
    accelerator: str
    gpus: int
    per_month: float
    basis: str

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "pool": self.pool,
            "accelerator": self.accelerator,
            "gpus": self.gpus,
            "perMonth": round(self.per_month, 2),
            "basis": self.basis,
        }


@dataclass(frozen=True, kw_only=True)
class PlatformCost:
    """Money a month, all GPUs of all pools counted, idle ones too; `basis` says what it rests on."""

    per_month: float
    per_developer_and_month: float
    currency: str
    basis: str
    pools: tuple[PoolCost, ...]

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "perMonth": round(self.per_month, 2),
            "perDeveloperAndMonth": round(self.per_developer_and_month, 2),
            "currency": self.currency,
            "basis": self.basis,
            "pools": [pool.to_wire() for pool in self.pools],
        }


def cost_of(plan: PlatformPlan) -> PlatformCost | None:
    """Return what the stack's GPUs cost; None where it names no price, and for shares and MIG slices of GPUs."""
    cost = plan.settings.cost
    parts = any(pool.share is not None or pool.accelerator.mig is not None for pool in plan.pools)
    if cost is None or parts:
        return None
    prices = [(pool, price) for pool in plan.pools if (price := _price_of(pool, cost)) is not None]
    pools = tuple(
        PoolCost(
            pool=pool.name,
            accelerator=pool.accelerator.name,
            gpus=pool.gpus,
            per_month=price.per_gpu_month * pool.gpus,
            basis=f"{pool.gpus} × {pool.accelerator.name}, {price.basis}",
        )
        for pool, price in prices
    )
    month = sum(pool.per_month for pool in pools)
    gpus, kinds = sum(pool.gpus for pool in pools), {pool.accelerator for pool in pools}
    on_average = cost.said and len(kinds) > 1 and all(price is cost for _, price in prices)
    return PlatformCost(
        per_month=month,
        per_developer_and_month=month / max(1, len(plan.developers)),
        currency=cost.currency,
        basis=f"{gpus} GPUs, {_basis([price for _, price in prices])}{' on average' if on_average else ''}",
        pools=pools,
    )


def _basis(prices: Sequence[PriceKeys]) -> str:
    told = list(dict.fromkeys(price.basis for price in prices))
    return told[0] if len(told) == 1 else f"{len(told)} prices"


def _price_of(pool: Pool, cost: Cost) -> PriceKeys | None:
    """Return the price of a pool: its own, else that of its accelerator, else the one for the rest."""
    own = cost.pools.get(pool.name) or _by_name(cost.accelerators, pool)
    return own or (cost if cost.said else None)


def _by_name(prices: Mapping[str, Price], pool: Pool) -> Price | None:
    gpu = pool.accelerator
    names = {name.casefold() for name in (gpu.name, *gpu.aliases, gpu.product_label)}
    return next((price for name, price in prices.items() if name.casefold() in names), None)


def cost_problems(cost: Cost | None, pools: Sequence[Pool], catalog: Catalog) -> Iterator[Problem]:
    """Yield prices of what is not there, and pools that have none where others do."""
    if cost is None:
        return
    where = "platform.cost"
    yield from unknown_prices(cost.accelerators, catalog, f"{where}.accelerators")
    known = [pool.name for pool in pools]
    for name in cost.pools:
        if name not in known:
            yield Problem(
                where=f"{where}.pools.{name}",
                cause="unknown-name",
                found=repr(name),
                why="no pool of platform.hardware has that name",
                fix=nearest_hint(name, known),
            )
    for pool in pools:
        if _price_of(pool, cost) is None:
            yield Problem(
                where=where,
                cause="missing-key",
                found=f"no price of the pool {pool.name} ({pool.gpus} × {pool.accelerator.name})",
                why="the other pools have one, and the sum would leave this one out",
                fix=f"add {where}.pools.{pool.name} or {where}.accelerators.{pool.accelerator.name}, or a price for "
                f"all the rest directly under {where}",
            )


def unknown_prices(prices: Mapping[Any, Any], catalog: Catalog, where: str) -> Iterator[Problem]:
    """Yield accelerators that the catalogue does not know, and those with two prices under two names of theirs."""
    seen: dict[str, str] = {}
    for name in map(str, prices):
        try:
            found = catalog.accelerator(name).name
        except UnknownFact as error:
            yield error.problem(f"{where}.{name}")
            continue
        if found in seen:
            yield Problem(
                where=f"{where}.{name}",
                cause="repeated",
                found=f"a second price of {found}, which {seen[found]!r} names too",
                why="an accelerator has one price",
                fix="leave one of them out",
            )
        seen.setdefault(found, name)
