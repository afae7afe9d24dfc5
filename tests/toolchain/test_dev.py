"""What stands before and around the toolchain: the `dev` script, locks, progress, children, exit codes."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from embedded import bootstrap, children
from embedded.commands.check import CHECKS
from embedded.commands.test import TIERS
from embedded.lock import hold
from embedded.progress import Progress
from onprem_agents.errors import EnvironmentProblem
from tests.toolchain.conftest import Shown
from tools.dev import main

CHECKOUT = Path(__file__).resolve().parents[2]
Put = Callable[[str, str], Path]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout of nothing but what the script reads."""
    folder = tmp_path / "fresh"
    (folder / "embedded").mkdir(parents=True)
    for name in ("dev", "embedded/bootstrap.py", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, folder / name)
    (folder / "requirements.lock").write_text(
        f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8"
    )
    return folder


def test_a_machine_without_a_fitting_python_is_told_so(fresh: Path, bin_folder: Path) -> None:
    for tool in ("bash", "dirname"):
        (bin_folder / tool).symlink_to(str(shutil.which(tool)))
    old = bin_folder / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")  # states that it is older than 3.11
    old.chmod(0o755)

    answer = subprocess.run(
        [str(fresh / "dev")], env={"PATH": str(bin_folder)}, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr == (
        "./dev needs Python 3.11 or later and found none: install it, or set ONPREM_PYTHON to its path.\n"
    )


def test_a_package_index_out_of_reach_is_one_sentence_and_tried_again_next_time(fresh: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ONPREM_PYTHON": sys.executable,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }

    answer = subprocess.run(
        [str(fresh / "dev")], env=environment, cwd="/", capture_output=True, text=True, check=False
    )

    lines = answer.stderr.splitlines()
    assert answer.returncode == 1
    assert lines[0] == "./dev: installing Python packages into .venv (once, about 20 s)"
    assert lines[1].startswith("./dev: Python packages cannot be downloaded: check the network")
    assert len(lines) == 2, "no traceback"
    assert not (fresh / ".venv" / "installed.json").exists(), "the next run must not take this for finished"


def test_a_moved_checkout_gets_a_new_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tmp_path / "installed.json"
    done.write_text('{"lock": "x", "project": "y", "folder": "/somewhere/else"}', encoding="utf-8")
    monkeypatch.setattr(bootstrap, "DONE", done)

    assert bootstrap._installed() == {}


@pytest.mark.parametrize(
    ("command", "listed"),
    [("test", [tier.name for tier in TIERS]), ("check", [title for title, _ in CHECKS])],
)
def test_the_help_of_a_command_lists_all_that_it_has(command: str, listed: list[str]) -> None:
    told = CliRunner().invoke(main, [command, "--help"])

    assert told.exit_code == 0
    lines = [line.strip() for line in told.output.splitlines()]
    assert [name for name in listed if not any(line.startswith(name) for line in lines)] == []


def test_the_holder_of_a_lock_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        hold(path, command="./dev up local"),
        pytest.raises(EnvironmentProblem, match=rf"`\./dev up local` \(pid {os.getpid()}, since 20"),
        hold(path, command="./dev down"),
    ):
        pytest.fail("two runs hold one lock")

    with hold(path, command="./dev down"):
        assert "./dev down" in path.read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8") == ""


def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from embedded.lock import hold\n"
        "with hold(Path(sys.argv[1]), command='killed'):\n print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()

    with hold(path, command="next"):
        assert "next" in path.read_text(encoding="utf-8")


def test_in_a_pipe_every_step_is_one_line_and_a_long_one_has_a_heartbeat() -> None:
    sink = io.StringIO()
    progress = Progress(console=Console(file=sink, width=200), heartbeat_seconds=0.2)

    with progress.step("build") as step:
        step.update("package 3 of 7")
        time.sleep(0.6)

    lines = sink.getvalue().splitlines()
    assert lines[0].startswith("… build  0.")
    assert lines[0].endswith("s  package 3 of 7")
    assert lines[-1].startswith("✓ build  0.")


def test_a_failed_step_names_its_log(shown: Shown) -> None:
    with pytest.raises(ValueError, match="broken"), shown.progress.step("build", log=Path("/logs/build.log")):
        raise ValueError("broken")

    assert shown.text.endswith("log: /logs/build.log\n")


def test_ending_everything_ends_a_command_that_another_thread_runs(tmp_path: Path) -> None:
    outcome: list[str] = []

    def work() -> None:
        try:
            children.run_logged(["sleep", "60"], cwd=tmp_path, env=os.environ, log=tmp_path / "log")
        except KeyboardInterrupt:
            outcome.append("interrupted")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        deadline = time.monotonic() + 5
        while not children._running and time.monotonic() < deadline:
            time.sleep(0.01)
        children.end_all()
        thread.join(5)
    finally:
        children._ending.clear()

    assert outcome == ["interrupted"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_and_what_it_started(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    program = (
        "import os, sys; from pathlib import Path; from embedded import children; from tools import dev\n"
        "log = Path(sys.argv[1])\n"
        "argv = ['sh', '-c', 'echo $$; sleep 60']\n"
        "work = lambda: children.run_logged(argv, cwd=log.parent, env=os.environ, log=log)\n"
        "sys.exit(dev.run(work))\n"
    )
    log = tmp_path / "log"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(log)], cwd=CHECKOUT, stderr=subprocess.DEVNULL
    ) as dev:
        deadline = time.monotonic() + 10
        while not (log.exists() and log.read_text(encoding="utf-8").count("\n") > 1):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        dev.send_signal(sent)
        assert dev.wait(timeout=15) == code

    child = int(log.read_text(encoding="utf-8").splitlines()[1])
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_an_expected_failure_is_one_message_without_a_traceback() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tools.dev", "test", "unti"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr == "error: unknown test tier 'unti'; did you mean unit?\n"


def test_without_arguments_the_help_is_shown() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tools.dev"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0
    for command in ("up", "down", "status", "test", "check", "bench", "shell"):
        assert f"\n  {command} " in answer.stdout


def _shell(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `./dev shell` where nothing was fetched or built yet."""
    own = {"ONPREM_CACHE": str(tmp_path / "cache"), "ONPREM_STATE": str(tmp_path / "state")}
    return subprocess.run(
        [sys.executable, "-m", "tools.dev", "shell", *words],
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "SHELL": "/bin/true", **own},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_that_needs_no_engine_hears_nothing_of_it(tmp_path: Path) -> None:
    answer = _shell(tmp_path, "onprem-agents", "--version")

    assert answer.returncode == 0
    assert answer.stdout.startswith("onprem-agents")
    assert answer.stderr == ""


def test_pulumi_without_an_engine_is_told_how_to_get_one(tmp_path: Path) -> None:
    answer = _shell(tmp_path, "pulumi", "version")

    assert answer.returncode == 1
    assert answer.stderr == (
        "error: there is no command 'pulumi' on PATH: the engine is not there yet: run ./dev up first\n"
    )


def test_a_shell_without_an_engine_says_so_once_and_on_standard_error(tmp_path: Path) -> None:
    answer = _shell(tmp_path)

    assert answer.stdout == ""
    assert answer.stderr.count("the engine is not there yet") == 1
