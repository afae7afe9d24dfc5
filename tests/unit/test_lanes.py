"""Several pytests at once are one run: counts added up, the exit code that of the worst."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.commands.lanes import counts_of, run_lanes, verdict
from embedded.commands.test import TIERS, Tier, lanes_of
from embedded.ports import Ports
from onprem_agents.errors import EnvironmentProblem

pytestmark = pytest.mark.unit


def pytest_on(folder: Path, name: str, body: str) -> list[str]:
    file = folder / f"test_{name}.py"
    file.write_text(body)
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-q", str(file)]


GOOD = "import pytest\ndef test_a(): pass\ndef test_b(): pass\ndef test_c(): pytest.skip('no')\n"
BAD = "import pytest\n@pytest.fixture\ndef f(): 1 / 0\ndef test_a(f): pass\ndef test_b(): assert 0\n"


def test_lanes_that_pass_are_one_line_of_all_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_lanes({"one": pytest_on(tmp_path, "x", GOOD), "two": pytest_on(tmp_path, "y", GOOD)})

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[-1] == "4 passed, 0 failed, 2 skipped"
    assert {line.split(" | ")[0] for line in lines[:-1]} == {"one", "two"}, "each line says whose it is"


def test_a_failure_or_an_error_in_any_lane_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_lanes({"one": pytest_on(tmp_path, "x", GOOD), "two": pytest_on(tmp_path, "y", BAD)})

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[-2:] == ["two: pytest ended with exit code 1", "2 passed, 2 failed, 1 skipped"]
    broken = [line.rpartition("::")[2] for line in lines if line.startswith("failed: ")]
    assert broken == ["test_b", "test_a"], "their names once more at the end, whatever they said"


def test_clusters_of_two_lanes_choose_among_different_ports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from embedded.ports import Ports;"
        "ports = Ports(Path(sys.argv[2])); print(*(ports[str(n)] for n in range(40)))"
    )
    checkout = str(Path(__file__).parents[2])
    lanes = {
        name: [sys.executable, "-c", code, checkout, str(tmp_path / name)] for name in ("one", "two", "three")
    }
    run_lanes(lanes)

    told = dict(line.split(" | ") for line in capsys.readouterr().out.splitlines() if " | " in line)
    chosen = {name: range(min(ports), max(ports) + 1) for name, ports in _numbers(told).items()}
    assert chosen["one"].stop <= 24000 <= chosen["two"].start, "a third of 20000 to 31999 each"
    assert chosen["two"].stop <= 28000 <= chosen["three"].start


def _numbers(told: dict[str, str]) -> dict[str, list[int]]:
    return {name: [int(word) for word in line.split()] for name, line in told.items()}


@pytest.mark.parametrize("given", ["", "20000", "30000-20000", "80-90", "1-99999", "a-b"])
def test_a_range_of_ports_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("ONPREM_PORTS", given)
    with pytest.raises(EnvironmentProblem, match="as 20000-25999"):
        Ports(tmp_path / "ports.json")["gateway"]


@pytest.mark.parametrize("end", ["os._exit(0)", "os.abort()"])
def test_a_pytest_that_ends_without_its_closing_line_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str
) -> None:
    broken = pytest_on(tmp_path, "y", f"import os\n{end}\n")
    code = run_lanes({"one": pytest_on(tmp_path, "x", GOOD), "two": broken})

    assert code == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 1 failed, 1 skipped"


def test_a_lane_without_a_test_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_lanes({"one": pytest_on(tmp_path, "x", GOOD), "two": pytest_on(tmp_path, "y", "")})

    assert code == 5
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "two: pytest ended with exit code 5",
        "2 passed, 1 failed, 1 skipped",
    ]


def test_a_line_that_is_no_utf8_is_read_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "import os\ndef test_a(): os.write(1, b'\\xff odd\\n')\n"
    code = run_lanes({"one": [*pytest_on(tmp_path, "x", odd), "-s"]})

    told = capsys.readouterr().out
    assert code == 0
    assert "\N{REPLACEMENT CHARACTER} odd" in told
    assert told.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


# Both lanes hold what they must take down, as a cluster's fixture does.
HELD = """
import pathlib, time, pytest
here = pathlib.Path(__file__)
@pytest.fixture
def held():
    here.with_suffix(".held").touch()
    yield
    time.sleep(0.5)
    here.with_suffix(".taken-down").touch()
def test_a(held): time.sleep(120)
"""
PARENT = """
import json, sys
from embedded.commands.lanes import run_lanes
from tools.dev import run
sys.exit(run(lambda: sys.exit(run_lanes(json.loads(sys.argv[1])))))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_the_parent_alone_lets_every_lane_take_down_what_it_holds(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    lanes = {name: pytest_on(tmp_path, name, HELD) for name in ("one", "two")}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, json.dumps(lanes)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _until(lambda: all((tmp_path / f"test_{name}.held").exists() for name in lanes))
        parent.send_signal(number)
        told, _ = parent.communicate(timeout=60)
    finally:
        parent.kill()
        parent.wait()

    assert parent.returncode == code
    assert all((tmp_path / f"test_{name}.taken-down").exists() for name in lanes)
    assert told.count("KeyboardInterrupt") >= len(lanes), "what they print at their end is shown"


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "not reached within 60 s"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0, 0], 0), ([0, 5], 5), ([5, 5], 5), ([0, 1], 1), ([2, 1], 2), ([0, -6], 1)],
)
def test_the_exit_code_is_that_of_the_worst(codes: list[int], expected: int) -> None:
    assert verdict(codes) == expected


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (
            "== 3 failed, 12 passed, 8 skipped in 29.90s (0:00:29) ==",
            {"failed": 3, "passed": 12, "skipped": 8},
        ),
        ("69 passed in 2.44s", {"passed": 69}),
        ("1 passed, 1 error in 0.01s", {"passed": 1, "error": 1}),
        ("waiting for 3 pods in 2 s", None),
        ("12 passed", None),
    ],
)
def test_only_the_closing_line_is_counted(line: str, counts: dict[str, int] | None) -> None:
    assert counts_of(line) == counts


def test_every_folder_with_tests_is_a_tier() -> None:
    folders = {file.parent.name for file in Path(__file__).parents[1].glob("*/test_*.py")}

    assert {tier.name for tier in TIERS} == folders


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier.apart], ids=lambda tier: tier.name)
def test_a_tier_alone_may_run_as_two_and_leaves_nothing_out(tier: Tier) -> None:
    apart = [f"tests/{tier.name}/{file}" for file in tier.apart]
    own = [f"tests/{tier.name}", *(f"--ignore={file}" for file in apart)]

    assert all((Path(__file__).parents[2] / file).is_file() for file in apart)
    assert lanes_of([tier]) == {tier.lane: own, "apart": apart}


def test_all_tiers_run_as_two_and_none_is_left_out() -> None:
    lanes = lanes_of(TIERS)

    assert len(lanes) == 2
    assert sorted(test for tests in lanes.values() for test in tests) == sorted(
        f"tests/{tier.name}" for tier in TIERS
    )
