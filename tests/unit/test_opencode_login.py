"""opencode set up by its host alone: the file that it fetches, and the command in it that asks for the key."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.agents.opencode_login import login_command, organisation_file
from onprem_agents.manifests import render
from tests.unit.contract_samples import contract
from tests.unit.manifest_samples import of_kind, planned

pytestmark = pytest.mark.unit

KEY = "onprem-0123456789-the-key-of-alice"
# Makes the terminal its own before it becomes the command.
_ON_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "os.setsid()\n"
    "fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


def file(**changes: Any) -> dict[str, Any]:
    text = organisation_file(contract(*changes["path"], value=changes["value"]) if changes else contract())
    assert text is not None
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_holds_opencodes_own_file_and_the_way_to_the_key() -> None:
    found = file()
    (own,) = OPENCODE.files(contract())

    assert found["config"] == own.values, "the very file that --print shows"
    assert found["config"]["provider"]["onprem"]["options"]["apiKey"] == "{env:ONPREM_API_KEY}"
    assert found["auth"] == {"command": login_command(contract()), "env": "ONPREM_API_KEY"}


def test_a_model_that_opencode_cannot_use_gets_no_such_file() -> None:
    assert organisation_file(contract("roles", 0, "supportedAgents", value=["claude"])) is None
    documents = render(planned(model={"context": 8192, "maxNumSeqs": 4}, access={"agents": []}))
    served = of_kind(documents, "HTTPRouteFilter")
    (route,) = (
        each for each in of_kind(documents, "HTTPRoute").values() if "connection" in each["metadata"]["name"]
    )

    assert "coding-agents-opencode" not in served
    assert len(route["spec"]["rules"]) == 1


def test_the_gateway_serves_it_without_a_key_beside_the_contract() -> None:
    plan = planned()
    documents = render(plan)
    body = of_kind(documents, "HTTPRouteFilter")["coding-agents-opencode"]["spec"]["directResponse"]["body"]

    assert body["inline"].replace("%%", "%") == organisation_file(plan.connection)
    rules = of_kind(documents, "HTTPRoute")["coding-agents-connection"]["spec"]["rules"]
    assert [rule["matches"][0]["path"]["value"] for rule in rules] == [
        "/.well-known/onprem-coding-agents.json",
        "/.well-known/opencode",
    ]


def _typed_until_it_ends(process: subprocess.Popen[bytes], terminal: int, typed: bytes) -> int:
    """Its code. Typed anew each second: a signal between a shell's last look and its read waits for the next."""
    try:
        for _ in range(20):
            os.write(terminal, typed)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=1)
        return process.wait(timeout=0)
    finally:
        process.kill()


def on_terminal(typed: bytes, tmp_path: Path) -> tuple[int, bytes, bytes, bool]:
    """Run the command on a terminal: its code, what it printed, what was shown, and whether it echoes after."""
    ours, its = os.openpty()
    output = tmp_path / "output"
    with output.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, str(its), *login_command(contract())],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=its,
            pass_fds=(its,),
            env={"PATH": os.defpath},
        )
        shown = b""
        while not shown.endswith(b": "):
            shown += os.read(ours, 1024)
        while termios.tcgetattr(its)[3] & termios.ECHO:
            pass  # typed only once nothing is shown any more
        code = _typed_until_it_ends(process, ours, typed)
    echoes = bool(termios.tcgetattr(its)[3] & termios.ECHO)
    os.set_blocking(ours, False)
    with contextlib.suppress(BlockingIOError):
        shown += os.read(ours, 1024)
    os.close(its)
    os.close(ours)
    return code, output.read_bytes(), shown, echoes


def test_the_key_is_asked_for_on_the_terminal_and_never_shown(tmp_path: Path) -> None:
    code, printed, shown, echoes = on_terminal(f"  {KEY} \n".encode(), tmp_path)

    assert (code, printed) == (0, KEY.encode()), "blanks around it are no part of it"
    assert shown.startswith(b"Your key, not shown (ask platform@example.com): ")
    assert KEY.encode() not in shown
    assert echoes, "the terminal is as it was"


@pytest.mark.parametrize("typed", [b"\n", b"\x03"], ids=["nothing", "Ctrl-C"])
def test_without_a_key_it_fails_and_the_terminal_is_as_it_was(tmp_path: Path, typed: bytes) -> None:
    code, printed, _, echoes = on_terminal(typed, tmp_path)

    assert code != 0
    assert (printed, echoes) == (b"", True)


def test_a_key_in_its_variable_is_taken_without_a_terminal() -> None:
    done = subprocess.run(
        login_command(contract()),
        env={"PATH": os.defpath, "ONPREM_API_KEY": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        timeout=20,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, KEY.encode(), b"")


def test_without_variable_and_terminal_it_fails_and_prints_nothing() -> None:
    done = subprocess.run(
        login_command(contract()),
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        timeout=20,
        check=False,
    )

    assert done.returncode != 0
    assert done.stdout == b""


def test_a_hint_is_words_to_the_shell_whatever_it_says() -> None:
    hint = "100 %s of it: ask a@example.com, then -n"
    (_, _, script) = login_command(contract("auth", "keyHint", value=hint))

    assert f"printf %s 'Your key, not shown ({hint}): '" in script
