"""What a stack's GPUs cost by the prices that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onprem_agents.plan.platform import PlatformPlan


@dataclass(frozen=True, kw_only=True)
class PlatformCost:
    """Money a month to the hundredth, all GPUs of all pools counted, idle ones too; `basis` says what it rests on."""

    per_month: float
    per_developer_and_month: float
    currency: str
    basis: str

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "perMonth": self.per_month,
            "perDeveloperAndMonth": self.per_developer_and_month,
            "currency": self.currency,
            "basis": self.basis,
        }


def cost_of(plan: PlatformPlan) -> PlatformCost | None:
    """Return what the stack's GPUs cost; None where it names no price, and for shares and MIG slices of GPUs."""
    cost = plan.settings.cost
    parts = any(pool.share is not None or pool.accelerator.mig is not None for pool in plan.pools)
    if cost is None or parts:
        return None
    gpus, kinds = sum(pool.gpus for pool in plan.pools), {pool.accelerator.name for pool in plan.pools}
    month = cost.per_gpu_month * gpus
    return PlatformCost(
        per_month=round(month, 2),
        per_developer_and_month=round(month / max(1, len(plan.developers)), 2),
        currency=cost.currency,
        basis=f"{gpus} GPUs, {cost.basis}{' on average' if len(kinds) > 1 else ''}",
    )
