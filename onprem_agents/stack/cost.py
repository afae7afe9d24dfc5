"""What GPUs cost: by the hour, or bought and used for so many months."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from onprem_agents.stack.domain import CatalogName
from onprem_agents.stack.section import Section, contradiction

HOURS_A_MONTH = 730
"""365 days of 24 hours over twelve months."""

Money = Annotated[float, Field(gt=0, le=10_000_000)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Price(Section):
    """What one GPU costs, with its share of the server around it."""

    per_gpu_hour: Money | None = Field(
        default=None,
        description="Rent of one GPU for an hour, with its share of the server. Left out: 'purchase'.",
    )
    purchase: Money | None = Field(
        default=None, description="Price of one GPU with its share of the server. Left out: 'perGpuHour'."
    )
    months: Annotated[int, Field(strict=True, ge=1, le=120)] = Field(
        default=36, description="Months over which a purchase is written off."
    )
    watts: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        default=None,
        description="Power of one GPU with its share of server and cooling. Left out: not counted.",
    )
    per_kilowatt_hour: Money | None = Field(
        default=None, description="Price of a kilowatt-hour. Left out: power is not counted."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Price:
        if (self.per_gpu_hour is None) == (self.purchase is None):
            raise contradiction(
                "both 'perGpuHour' and 'purchase'"
                if self.purchase
                else "neither 'perGpuHour' nor 'purchase'",
                "a GPU is rented or bought",
                "give one of them",
            )
        if (self.watts is None) != (self.per_kilowatt_hour is None):
            raise contradiction(
                "'watts'" if self.watts else "'perKilowattHour'",
                "power costs something by 'watts' and 'perKilowattHour' together",
                "give both, or neither",
            )
        return self

    @property
    def per_gpu_month(self) -> float:
        """What a GPU costs in a month, in the currency of the price."""
        if self.per_gpu_hour is not None:
            month = self.per_gpu_hour * HOURS_A_MONTH
        else:
            month = (self.purchase or 0.0) / self.months
        return month + (self.watts or 0) / 1000 * HOURS_A_MONTH * (self.per_kilowatt_hour or 0.0)

    @property
    def basis(self) -> str:
        """What the price rests on, in words."""
        power = f", {self.watts} W at {self.per_kilowatt_hour:g} a kWh" if self.watts else ""
        if self.per_gpu_hour is not None:
            return f"{self.per_gpu_hour:g} a GPU-hour{power}"
        return f"{self.purchase:,.0f} a GPU over {self.months} months{power}"


class Cost(Price):
    """What the GPUs of a stack cost."""

    currency: Currency = Field(description="Currency of the prices by its three letters, e.g. EUR.")


class PriceList(Section):
    """Prices of accelerators: a file for `onprem-agents advise --prices`."""

    currency: Currency = Field(description="Currency of all prices by its three letters, e.g. EUR.")
    source: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Who named the prices.")
    day: Annotated[date, Field(alias="date")] = Field(description="When, e.g. 2026-11-29.")
    accelerators: dict[CatalogName, Price] = Field(
        min_length=1, description="Price by accelerator, as 'onprem-agents catalog' names it."
    )
