"""What GPUs cost: by the hour or bought, in a stack and in a file of prices, and how a bad price is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.costs import cost_of
from onprem_agents.stack.cost import Price

pytestmark = pytest.mark.unit

STACKS = Path(__file__).parents[2] / "stacks"
PRICES = """\
currency: EUR
source: quote of a reseller
date: 2026-11-29
accelerators:
  L40S: {purchase: 9000, months: 36, watts: 500, perKilowattHour: 0.3}
  H100: {perGpuHour: 2.5}
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_a_month_is_730_hours_of_rent_or_a_share_of_the_purchase_and_its_power() -> None:
    assert Price.model_validate({"perGpuHour": 2.5}).per_gpu_month == pytest.approx(1825)
    bought = Price.model_validate({"purchase": 9000, "months": 36, "watts": 500, "perKilowattHour": 0.3})
    # 9000 / 36 = 250, and half a kilowatt for 730 hours at 0.3
    assert bought.per_gpu_month == pytest.approx(250 + 109.5)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "prices.yaml"
    file.write_text(PRICES, encoding="utf-8")
    return file


def test_a_choice_costs_what_its_gpus_cost(prices: Path) -> None:
    words = ("advise", "--gpu", "L40S", "--count", "4", "--developers", "20", "--prices", str(prices))
    cost = json.loads(run(*words, "--json").stdout)[0]["cost"]
    assert cost == {
        "perMonth": 1438.0,
        "perDeveloperAndMonth": 71.9,
        "currency": "EUR",
        "source": "quote of a reseller",
        "date": "2026-11-29",
    }
    assert "cost: 1,438 EUR a month for 4 × L40S, 72 a developer" in run(*words).output


def test_hardware_without_a_price_has_an_empty_cell(prices: Path) -> None:
    shown = run("advise", "--count", "1", "--developers", "2", "--prices", str(prices))
    assert shown.exit_code == 0, shown.output
    told = json.loads(
        run("advise", "--count", "1", "--developers", "2", "--prices", str(prices), "--json").stdout
    )
    costs = {one["gpu"]: one["cost"] for one in told}
    assert costs["H100"]["perMonth"] == 1825.0
    assert costs["H200"] is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("currency: [", "line 2, column 1"),
        ("- L40S", "prices are a map"),
        (PRICES.replace("EUR", "euro"), "currency"),
        (PRICES.replace("L40S", "L4OS"), "did you mean L40S"),
        (PRICES.replace("perGpuHour: 2.5", "perHour: 2.5"), "perHour"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, purchase: 3"), "a GPU is rented or bought"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, watts: 700"), "give both, or neither"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: -1"), "perGpuHour"),
        (PRICES.replace("date: 2026-11-29\n", ""), "date"),
    ],
)
def test_a_bad_file_of_prices_is_told_with_its_place(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(content, encoding="utf-8")
    done = run("advise", "--gpu", "L40S", "--prices", str(file))
    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.output


def test_a_file_of_prices_that_is_not_there_is_told() -> None:
    done = run("advise", "--gpu", "L40S", "--prices", "no-such-file.yaml")
    assert done.exit_code == 1
    assert "no-such-file.yaml" in done.stderr


def test_a_stack_with_a_price_shows_its_cost_in_the_plan(tmp_path: Path) -> None:
    text = (STACKS / "Pulumi.48gb.yaml").read_text(encoding="utf-8")
    priced = text.replace("    models:\n", "    cost: {perGpuHour: 1.2, currency: USD}\n    models:\n", 1)
    assert priced != text
    (tmp_path / "Pulumi.priced.yaml").write_text(priced, encoding="utf-8")
    cost = cost_of(plan_stack_file(tmp_path, "priced"))
    assert cost is not None
    # one GPU x 1.2 x 730 hours, and two developers
    assert cost.per_month == pytest.approx(876)
    assert cost.per_developer_and_month == pytest.approx(438)
    assert "876 USD a month, 438 a developer" in run("plan", "priced", "--stacks", str(tmp_path)).output
    assert cost_of(plan_stack_file(STACKS, "48gb")) is None
