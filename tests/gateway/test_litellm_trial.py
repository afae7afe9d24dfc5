"""LiteLLM as `./dev gateway` runs it: declared, alone on loopback, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from embedded.gateway import Session, litellm
from embedded.gateway.container import container
from embedded.gateway.redirect import models_at
from embedded.gateway.running import project_folder
from embedded.layout import Layout
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PROXY_KEY_SECRET, SERVER_KEY_SECRET, plan_stack
from onprem_agents.stack.stack_file import read_stack_file
from tests.agents import closed_network
from tests.gateway.gateway import Gateway, bodies

# Starts a server, waits for it, asks for one answer and prints that.
_ONE_ANSWER = """
import json, subprocess, sys, time, urllib.request
here, key, *command = sys.argv[1:]
server = subprocess.Popen(command, stdout=sys.stderr)
def ask(path, body=None):
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    request = urllib.request.Request(here + path, body and json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request, timeout=30).read().decode()
while server.poll() is None:
    try:
        ask("/health/liveliness")
        break
    except OSError:
        time.sleep(0.1)
messages = [{"role": "user", "content": "reply with the word ready"}]
print(ask("/v1/messages", {"model": "coder", "max_tokens": 9, "messages": messages}))
server.kill()
"""


@pytest.fixture
def gateway(litellm_gateway: Gateway) -> Gateway:
    return litellm_gateway


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline


def test_the_gateway_leads_to_litellm_and_litellm_to_the_model(gateway: Gateway) -> None:
    session = Session.read(gateway.checkout.layout)
    assert session is not None
    assert session.proxy is not None
    with gateway.checkout.client() as client:
        backend = client.get(
            "gateway.envoyproxy.io/v1alpha1", "Backend", "translation-proxy", "coding-agents"
        )

    (endpoint,) = backend["spec"]["endpoints"]
    assert f"http://{endpoint['ip']['address']}:{endpoint['ip']['port']}" == session.proxy
    assert session.upstream in _config(gateway)


def _config(gateway: Gateway) -> str:
    (file,) = (gateway.checkout.layout.state / "gateway" / "litellm").glob("*/config.yaml")
    return file.read_text()


def test_litellm_itself_asks_for_no_name(gateway: Gateway, tmp_path: Path) -> None:
    if not closed_network.is_possible():
        pytest.skip(closed_network.MISSING)
    layout = gateway.checkout.layout
    file = read_stack_file(layout.checkout / "stacks", "litellm")
    plan = plan_stack(file.platform, stack="litellm")
    session = Session.read(layout)
    assert session is not None
    assert session.proxy is not None
    made_up = {PROXY_KEY_SECRET: "the-proxys-own-key-0123456789", SERVER_KEY_SECRET: "the-servers-key-01234"}
    apart = Layout(checkout=layout.checkout, state=tmp_path / "state", cache=layout.cache)
    assert plan.proxy_part is not None
    process = litellm.declared_process(
        apart,
        container(models_at(plan, translation_proxy(plan.proxy_part), session.upstream), made_up),
        session.proxy,
    )
    ask = [sys.executable, "-c", _ONE_ANSWER, session.proxy, made_up[PROXY_KEY_SECRET], *process.argv]

    with closed_network.around(httpx.URL(session.upstream).port or 0, tmp_path) as (within, asked):
        done = subprocess.run(
            [*within, *ask],
            env={"PATH": os.environ["PATH"]} | dict(process.env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert '"ready"' in done.stdout, done.stdout + done.stderr
        assert set(asked.read_text().split()) == set()


def test_it_stands_in_front_of_a_server_of_ones_own_too(gateway: Gateway) -> None:
    checkout = gateway.checkout
    session = Session.read(checkout.layout)
    assert session is not None
    pid = litellm.process(checkout.layout).pid()

    done = checkout.dev("gateway", "litellm", "--detach", "--json", "--upstream", session.upstream)
    assert done.code == 0, done.text
    with gateway.client() as client:
        headers = {"x-api-key": gateway.key("alice")}
        answer = client.post("/v1/messages", json=bodies()["/v1/messages"], headers=headers)

    assert '"record_file": null' in done.text
    assert f"between them: LiteLLM on {session.proxy}" in done.text
    assert session.upstream in _config(gateway)
    assert answer.json()["content"][-1] == {"type": "text", "text": "ready"}
    assert litellm.process(checkout.layout).pid() == pid, "what runs as wanted is not started anew"


def test_a_litellm_that_dies_ends_the_trial_with_its_log_and_leaves_nothing(gateway: Gateway) -> None:
    checkout = gateway.checkout
    process = litellm.process(checkout.layout)
    child = checkout.start("gateway", "litellm", "--json")
    output = child.stdout
    assert output is not None
    wait_for(lambda: "runs until Ctrl-C" in output.readline(), seconds=120)
    process._signal(signal.SIGKILL)
    text, _ = child.communicate(timeout=120)

    assert child.returncode == 1
    assert f"litellm has died; its log is {process.log}" in text
    assert not project_folder(checkout.layout).exists()
    assert checkout.processes() == {}
