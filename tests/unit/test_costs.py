"""What GPUs cost: by the hour or bought, in a stack and in a file of prices, and how a bad price is told."""

from __future__ import annotations

import json
import re
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


# How pydantic's own messages begin, and what no command may end with.
PYDANTIC = re.compile("(Input|String|List|Tuple|Dictionary|Value) (should|error)|Field required|Traceback")


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
        ("", "found: nothing"),
        ("{}", "add 'currency'"),
        (PRICES.replace("EUR", "euro"), "the three capital letters of a currency (ISO 4217)"),
        (
            PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, currency: USD"),
            "say one currency for all prices",
        ),
        (
            PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, months: 12"),
            "what is rented is not written off",
        ),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: .nan"), "it must be a number that is finite"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: .inf"), "it must be a number that is finite"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: '2.5'"), "it must be a number, without quotes"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: true"), "found: true"),
        (PRICES.replace("{perGpuHour: 2.5}", "2.5"), "a map of settings is due"),
        (PRICES.replace("H100", "l40s"), "a second price of L40S, which 'L40S' names too"),
        (PRICES + "currency: USD\n", "the key 'currency' on line 1 and again on line 7"),
        (PRICES.replace("2026-11-29", "last week"), "it must be a date such as 2026-11-29"),
        (PRICES.replace("L40S", "L4OS"), "did you mean L40S"),
        (PRICES.replace("perGpuHour: 2.5", "perHour: 2.5"), "perHour"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, purchase: 3"), "a GPU is rented or bought"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: 2.5, watts: 700"), "give both, or neither"),
        (PRICES.replace("perGpuHour: 2.5", "perGpuHour: -1"), "it must be more than 0"),
        (PRICES.replace("date: 2026-11-29\n", ""), "date"),
    ],
)
def test_a_bad_file_of_prices_is_told_with_its_place(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(content, encoding="utf-8")
    done = run("advise", "--gpu", "L40S", "--prices", str(file))
    assert done.exit_code == 1
    assert told in done.stderr
    assert not PYDANTIC.search(done.output)


def test_all_that_is_wrong_with_prices_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    prices = {"L4OS": {"purchase": 0}, "H100": {"perGpuHour": "x"}}
    file.write_text(json.dumps({"currency": "eur", "source": "", "accelerators": prices}), encoding="utf-8")
    done = run("advise", "--gpu", "L40S", "--prices", str(file), "--json")
    told = {problem["where"]: problem["why"] for problem in json.loads(done.stdout)["problems"]}
    assert told == {
        "currency": "it must be the three capital letters of a currency (ISO 4217)",
        "source": "it must not be empty",
        "date": "this setting has no default",
        "accelerators.L4OS.purchase": "it must be more than 0",
        "accelerators.H100.perGpuHour": "it must be a number, without quotes",
        "accelerators.L4OS": "the catalogue knows no accelerator of that name, so nothing can be derived for it",
    }


def test_prices_are_taken_as_json_too(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    prices = {
        "currency": "EUR",
        "source": "x",
        "date": "2026-11-29",
        "accelerators": {"H100": {"perGpuHour": 2.5}},
    }
    file.write_text(json.dumps(prices), encoding="utf-8")
    words = ("advise", "--gpu", "H100", "--developers", "2", "--prices", str(file), "--json")
    assert json.loads(run(*words).stdout)[0]["cost"]["perMonth"] == 1825.0


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


POOLS = """\
config:
  onprem-coding-agents:platform:
    hardware:
      pools:
        - {name: big, accelerator: H100, gpusPerNode: 2, roles: [coder]}
        - {name: small, accelerator: L40S, nodes: 3, roles: [fast]}
    cost: {currency: EUR, COST}
    models:
      - {role: coder, model: Qwen/Qwen3.6-27B-FP8, context: 65536}
      - {role: fast, model: Qwen/Qwen3.6-35B-A3B-FP8, context: 32768}
    access:
      host: agents.example.internal
      tls: {secretName: agents-tls, secretNamespace: certificates}
      developers: {alice: {}, bob: {}}
"""


@pytest.mark.parametrize(
    ("cost", "months", "basis"),
    [
        # two H100 and three L40S; a month is 730 hours
        ("perGpuHour: 1", {"big": 1460, "small": 2190}, "5 GPUs, 1 a GPU-hour on average"),
        (
            "accelerators: {H100: {perGpuHour: 3}, nvidia-l40s: {perGpuHour: 1}}",
            {"big": 4380, "small": 2190},
            "5 GPUs, 2 prices",
        ),
        ("perGpuHour: 1, pools: {big: {purchase: 36000}}", {"big": 2000, "small": 2190}, "5 GPUs, 2 prices"),
        (
            "accelerators: {H100: {perGpuHour: 3}}, pools: {big: {perGpuHour: 1}, small: {perGpuHour: 1}}",
            {"big": 1460, "small": 2190},
            "5 GPUs, 1 a GPU-hour",
        ),
    ],
)
def test_pools_cost_what_is_said_of_them_else_of_their_accelerator_else_of_all(
    tmp_path: Path, cost: str, months: dict[str, float], basis: str
) -> None:
    (tmp_path / "Pulumi.pools.yaml").write_text(POOLS.replace("COST", cost), encoding="utf-8")
    found = cost_of(plan_stack_file(tmp_path, "pools"))
    assert found is not None
    assert {pool.pool: round(pool.per_month, 2) for pool in found.pools} == months
    assert found.per_month == pytest.approx(sum(months.values()))
    assert found.per_developer_and_month == pytest.approx(sum(months.values()) / 2)
    assert found.basis == basis


def test_plan_and_report_show_what_each_pool_costs_and_all_together(tmp_path: Path) -> None:
    prices = "accelerators: {H100: {perGpuHour: 3}, L40S: {perGpuHour: 1}}"
    (tmp_path / "Pulumi.pools.yaml").write_text(POOLS.replace("COST", prices), encoding="utf-8")
    for words in (("plan",), ("plan", "--all"), ("report",)):
        shown = run(words[0], "pools", *words[1:], "--stacks", str(tmp_path)).output
        assert "6,570 EUR a month, 3,285 a developer: 5 GPUs, 2 prices" in shown
        assert "big: 4,380 a month, 2 × H100, 3 a GPU-hour" in shown
        assert "small: 2,190 a month, 3 × L40S, 1 a GPU-hour" in shown
    page = tmp_path / "page.html"
    run("report", "pools", "--stacks", str(tmp_path), "--html", str(page))
    assert '<td class="n">4,380</td>' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("cost", "where", "told"),
    [
        ("accelerators: {H10O: {perGpuHour: 3}}, perGpuHour: 1", "platform.cost.accelerators.H10O", "H100"),
        ("pools: {bigg: {perGpuHour: 3}}, perGpuHour: 1", "platform.cost.pools.bigg", "did you mean big?"),
        (
            "accelerators: {H100: {perGpuHour: 3}}",
            "platform.cost",
            "add platform.cost.pools.small or platform.cost.accelerators.L40S",
        ),
        ("months: 12", "platform.cost", "give one of them"),
        ("accelerators: {H100: {perGpuHour: 3}}, watts: 100", "platform.cost", "give one of them"),
        ("accelerators: {}", "platform.cost", "give one of them"),
    ],
)
def test_a_price_that_says_nothing_or_is_missing_is_refused(
    tmp_path: Path, cost: str, where: str, told: str
) -> None:
    (tmp_path / "Pulumi.pools.yaml").write_text(POOLS.replace("COST", cost), encoding="utf-8")
    problems = json.loads(run("plan", "pools", "--stacks", str(tmp_path), "--json").stdout)["problems"]
    assert [problem["where"] for problem in problems] == [where]
    assert told in problems[0]["fix"]
