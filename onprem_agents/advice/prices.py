"""Reads a file of prices: what an accelerator costs, in which currency, who says so and when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from onprem_agents.advice.advise import Advice
from onprem_agents.catalog import Catalog
from onprem_agents.errors import InvalidInput, Problem, UnknownFact
from onprem_agents.stack.cost import PriceList
from onprem_agents.stack.section_reader import Wording, read_section, shown

_WORDING = Wording(whole="the file", example="; docs/hardware.md has an example")


def read_prices(file: Path, catalog: Catalog) -> PriceList:
    """Return the prices of a YAML or JSON file. Raises `InvalidInput` with everything that is wrong in it."""
    raw = _content(file)
    if not isinstance(raw, Mapping):
        raise InvalidInput(
            str(file),
            [
                Problem(
                    where="the file",
                    cause="wrong-shape",
                    found=shown(raw),
                    why="prices are a map: currency, source, date and accelerators",
                    fix="write it like the example in docs/hardware.md",
                )
            ],
        )
    prices, problems = read_section(PriceList, raw, _WORDING)
    named = raw.get("accelerators")
    for name in named if isinstance(named, Mapping) else ():
        try:
            catalog.accelerator(str(name))
        except UnknownFact as error:
            problems.append(
                Problem(
                    where=f"accelerators.{name}",
                    cause="unknown-name",
                    found=repr(name),
                    why=str(error),
                    fix="name an accelerator of the catalogue",
                )
            )
    if prices is None or problems:
        raise InvalidInput(str(file), problems)
    by_name = {catalog.accelerator(name).name: price for name, price in prices.accelerators.items()}
    return prices.model_copy(update={"accelerators": by_name})


def per_month(prices: PriceList, advice: Advice, gpus: int) -> float | None:
    """Return what so many GPUs of that choice cost in a month; None where nothing is said of them."""
    price = prices.accelerators.get(advice.accelerator.name)
    return None if price is None else price.per_gpu_month * gpus


def _content(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        problem = Problem(
            where=str(file),
            cause="unreadable" if isinstance(error, OSError) else "broken-syntax",
            found=reason or " ".join(str(error).split()),
            why="prices are read from a YAML or JSON file",
            fix="give the path of a file as docs/hardware.md shows it",
        )
        raise InvalidInput("advise", [problem]) from None
