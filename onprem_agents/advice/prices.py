"""Reads a file of prices: what an accelerator costs, in which currency, who says so and when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onprem_agents.advice.advise import Advice
from onprem_agents.catalog import Catalog
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.files import read_text
from onprem_agents.plan.costs import unknown_prices
from onprem_agents.stack.cost import PriceList
from onprem_agents.stack.section_reader import Wording, read_section, shown
from onprem_agents.stack.yaml_text import read_yaml

_WORDING = Wording(whole="the file", example="; docs/hardware.md has an example")


def read_prices(file: Path, catalog: Catalog) -> PriceList:
    """Return the prices of a YAML or JSON file. Raises `InvalidInput` with everything that is wrong in it."""
    text = read_text(file, "a file of prices", fix="give a YAML or JSON file as docs/hardware.md shows it")
    raw, problems = read_yaml(text, str(file))
    if not isinstance(raw, Mapping):
        problem = Problem(
            where="the file",
            cause="wrong-shape",
            found="nothing" if raw is None else shown(raw),
            why="prices are a map: currency, source, date and accelerators",
            fix="write it like the example in docs/hardware.md",
        )
        raise InvalidInput(str(file), [problem])
    prices, found = read_section(PriceList, raw, _WORDING)
    named = raw.get("accelerators")
    problems += [
        *found,
        *unknown_prices(named if isinstance(named, Mapping) else {}, catalog, "accelerators"),
    ]
    if prices is None or problems:
        raise InvalidInput(str(file), problems)
    by_name = {catalog.accelerator(name).name: price for name, price in prices.accelerators.items()}
    return prices.model_copy(update={"accelerators": by_name})


def per_month(prices: PriceList, advice: Advice, gpus: int) -> float | None:
    """Return what so many GPUs of that choice cost in a month; None where nothing is said of them."""
    price = prices.accelerators.get(advice.accelerator.name)
    return None if price is None else price.per_gpu_month * gpus
