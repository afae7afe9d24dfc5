"""What GPUs cost: by the hour, or bought and used for so many months."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from onprem_agents.stack.domain import CatalogName, PoolName
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.untrusted import Shape

HOURS_A_MONTH = 730
"""365 days of 24 hours over twelve months."""

Money = Annotated[float, Field(strict=True, gt=0, le=10_000_000)]
Currency = Annotated[
    str,
    Shape("[A-Z]{3}", "the three capital letters of a currency (ISO 4217)", "EUR or USD", published=False),
]


class PriceKeys(Section):
    """The keys of a price."""

    elsewhere: ClassVar = {
        "currency": "say one currency for all prices: convert this price, and remove the line",
        "source": "say one source for all prices, and remove the line",
        "date": "say one date for all prices, and remove the line",
    }

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

    def check_one_way(self) -> None:
        """Refuse a price that is said in both ways or in neither, and half of what power costs."""
        if (self.per_gpu_hour is None) == (self.purchase is None):
            raise contradiction(
                "both 'perGpuHour' and 'purchase'"
                if self.purchase
                else "neither 'perGpuHour' nor 'purchase'",
                "a GPU is rented or bought",
                "give one of them",
            )
        if self.purchase is None and "months" in self.model_fields_set:
            raise contradiction(
                "'months' beside 'perGpuHour'",
                "what is rented is not written off",
                "leave out 'months', or give 'purchase' in place of 'perGpuHour'",
            )
        if (self.watts is None) != (self.per_kilowatt_hour is None):
            raise contradiction(
                "'watts'" if self.watts else "'perKilowattHour'",
                "power costs something by 'watts' and 'perKilowattHour' together",
                "give both, or neither",
            )

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


class Price(PriceKeys):
    """What one GPU costs, with its share of the server around it."""

    @model_validator(mode="after")
    def _one_way(self) -> Price:
        self.check_one_way()
        return self


class Cost(PriceKeys):
    """What the GPUs of a stack cost: all the same, or by pool or accelerator."""

    elsewhere: ClassVar = {}

    currency: Currency = Field(description="Currency of the prices by its three letters, e.g. EUR.")
    accelerators: dict[CatalogName, Price] = Field(
        default={},
        description="Price by accelerator, as 'onprem-agents catalog' names it, where it differs from the one above. "
        "Left out: all cost the same.",
    )
    pools: dict[PoolName, Price] = Field(
        default={},
        description="Price by name of a pool of platform.hardware, where it differs from that of its accelerator. Left "
        "out: none does.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Cost:
        if self.said or not (self.accelerators or self.pools):
            self.check_one_way()
        return self

    @property
    def said(self) -> bool:
        """Whether there is a price for what neither 'pools' nor 'accelerators' names."""
        return bool(self.model_fields_set & set(PriceKeys.model_fields))


class PriceList(Section):
    """Prices of accelerators: a file for `onprem-agents advise --prices`."""

    currency: Currency = Field(description="Currency of all prices by its three letters, e.g. EUR.")
    source: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Who named the prices.")
    day: Annotated[date, Field(alias="date")] = Field(description="When, e.g. 2026-11-29.")
    accelerators: dict[CatalogName, Price] = Field(
        min_length=1, description="Price by accelerator, as 'onprem-agents catalog' names it."
    )
