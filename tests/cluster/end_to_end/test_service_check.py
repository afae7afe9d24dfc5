"""The check after an update, by the real engine and through the real gateway, before models sound and broken."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cluster.end_to_end.checkout import Checkout, Outcome
from tests.cluster.end_to_end.conftest import FirstUp

TYPE = "onprem-coding-agents:index:ServiceCheck"
COMMAND = ("shell", sys.executable, "-c", "from onprem_agents.cli import main; main()")


@pytest.fixture(autouse=True)
def _led_back(local: Checkout) -> Iterator[None]:
    """Leave the stack as it is without a check, its routes leading to its own pods."""
    platform = local.platform()
    yield
    local.write_stack("local", platform)
    done = local.dev("gateway", "--stop")
    assert done.code == 0, done.text


@contextlib.contextmanager
def broken_model(*options: str) -> Iterator[str]:
    """Run a scripted model with something wrong; gives its address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", "scripted_model", f"--port={port}", *options]) as child:
        try:
            for _ in range(300):
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(f"{url}/health", trust_env=False)
                    break
                time.sleep(0.1)
            yield url
        finally:
            child.terminate()


def checks(checkout: Checkout) -> list[dict[str, Any]]:
    """Return what the state holds of each check."""
    return [each["outputs"] for each in checkout.state()["resources"] if each["type"] == TYPE]


def asked_for(checkout: Checkout, **check: Any) -> None:
    checkout.write_stack("local", checkout.platform() | {"check": check})


def trial(checkout: Checkout, *options: str) -> Outcome:
    return checkout.dev("gateway", "--detach", *options)


def test_before_the_scripted_model_every_check_passes_and_its_results_are_in_the_state(
    local: Checkout, first_up: FirstUp
) -> None:
    done = trial(local)

    assert done.code == 0, done.text
    assert "check of the gateway: 21 checks, all well" in done.text
    assert "behind it: scripted-model (a stand-in: no model answers)" in done.text
    (found,) = checks(local)
    assert (found["passed"], found["notRun"]) == (True, [])
    told = {f"{each['role']}: {each['name']}": each["found"] for each in found["checks"]}
    assert "prompt tokens of turn 2 were cached (99." in told["coder: prefix reuse"]
    assert re.match(r"(59|60),\d{3} tokens were answered", told["coder: long prompt"])
    assert "65536 tokens are served" in told["coder: context"]
    assert all(each["seconds"] >= 0 for each in found["checks"])
    assert first_up.canary not in json.dumps(local.state()) + done.text

    verified = local.dev(*COMMAND, "verify", "local", "--ca-file", str(local.layout.cluster / "pki/ca.crt"))

    assert verified.code == 0, verified.text
    assert "22 checks, all well." in verified.text, "the name is looked up as well"
    assert first_up.canary not in verified.text


def test_a_preview_asks_nobody_and_says_what_will_be_checked(local: Checkout) -> None:
    asked_for(local, strict=True)

    done = local.pulumi("preview", "--stack", "local")

    assert done.code == 0, done.text
    assert f"will check https://localhost:{local.port}/v1: gateway: dns, gateway: connection" in done.text


def test_without_a_model_the_local_default_leaves_the_check_out_and_says_so(local: Checkout) -> None:
    asked_for(local, strict=True)

    done = local.up()

    assert "platform.check is left out: no model answers in simulated pods" in done.text
    assert checks(local) == []


def test_a_model_whose_calls_nobody_parses_is_a_warning_and_ends_a_strict_update(local: Checkout) -> None:
    asked_for(local, longPromptTokens=4096)
    with broken_model("--model=coder=65536", "--fault=no-tools") as url:
        warned = trial(local, "--upstream", url)
        (found,) = checks(local)
        asked_for(local, strict=True, longPromptTokens=4096)
        failed = trial(local, "--upstream", url)

    assert warned.code == 0, warned.text
    assert "check of the gateway: 20 checks, 5 with a fault (coder: tool call, " in warned.text
    assert found["passed"] is False
    bad = [each["name"] for each in found["checks"] if each["verdict"] != "ok"]
    assert bad == [
        "tool call",
        "streamed tool call",
        "parallel tool calls",
        "messages tool call",
        "responses",
    ]

    assert failed.code == 1
    assert "ServiceCheck 'platform-check': 20 checks, 5 with a fault" in failed.text
    for told in (
        "found:  the call came as text",
        "why:    an agent reads",
        "change: the parser does not fit",
    ):
        assert told in failed.text
    assert "Traceback" not in failed.text
    (found,) = checks(local)
    assert found["passed"] is False, "the state has the results although the update failed"


def test_a_smaller_window_and_a_cache_that_keeps_nothing_are_found(local: Checkout) -> None:
    asked_for(local, strict=True, longPromptTokens=4096)
    with broken_model("--model=coder=32768", "--fault=no-prefix-cache") as url:
        done = trial(local, "--upstream", url)

    assert done.code == 1
    assert "21 checks, 2 with a fault (coder: context, coder: prefix reuse)" in done.text
    assert "the server's window is 32768 tokens, the contract promises 65536" in done.text
    assert "prompt tokens of turn 5 were cached (0.0 %)" in done.text
