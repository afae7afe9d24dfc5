"""The gateway as `./dev gateway --detach` leaves it running, seen by a client and by its upstream."""

from __future__ import annotations

import json
import re
import shlex
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from embedded.gateway import Session
from tests.cluster.end_to_end.checkout import Checkout
from tests.expected_agents import EXPECTED

DEVELOPERS = ("alice", "bob", "carol", "dave", "erin", *(each.developer for each in EXPECTED.values()))
GREETING = "Reply with the single word: ready"
_DEV = '#!/bin/sh\ncd "$(dirname "$0")"\nexec {python} -m tools.dev "$@"\n'


def bodies(text: str = GREETING, *, stream: bool = False) -> dict[str, dict[str, Any]]:
    """Return a request for each path that an agent may POST."""
    messages = [{"role": "user", "content": text}]
    return {
        "/v1/chat/completions": {"model": "coder", "messages": messages, "stream": stream},
        "/v1/responses": {"model": "coder", "input": text, "stream": stream},
        "/v1/messages": {"model": "coder", "messages": messages, "max_tokens": 4096, "stream": stream},
        "/v1/messages/count_tokens": {"model": "coder", "messages": messages},
    }


POST_PATHS = tuple(bodies())


def both_headers(key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the two headers that may carry a key."""
    return {"Authorization": f"Bearer {key}"}, {"x-api-key": key}


def all_are(status: int) -> dict[str, int]:
    """Return what `answers` returns when each of the five paths has the same status."""
    return dict.fromkeys((*POST_PATHS, "/v1/models"), status)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """What `./dev gateway --json` said, for the copy of the checkout that it runs in."""

    checkout: Checkout
    told: dict[str, Any]

    @property
    def host(self) -> str:
        return str(httpx.URL(self.told["base_url"]).host)

    @property
    def port(self) -> int:
        return self.checkout.port

    @property
    def ca_file(self) -> Path:
        return Path(self.told["ca_file"])

    def key_command(self, developer: str) -> str:
        """Return the command that prints a developer's key; the one that was told is alice's."""
        command = str(self.told["key_command"])
        assert command.endswith("--key alice")
        return command.removesuffix("alice") + developer

    def key(self, developer: str) -> str:
        """Return a developer's key as the key command prints it."""
        done = subprocess.run(
            shlex.split(self.key_command(developer)), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def client(self, timeout_seconds: float = 60.0) -> httpx.Client:
        """Return a client that trusts the gateway's authority and reaches it by its name."""
        return httpx.Client(
            base_url=self.told["anthropic_base_url"],
            verify=ssl.create_default_context(cafile=self.ca_file),
            timeout=timeout_seconds,
            trust_env=False,
        )

    def record(self) -> list[dict[str, Any]]:
        """Return what the scripted model wrote down so far."""
        return [json.loads(line) for line in Path(self.told["record_file"]).read_text().splitlines()]

    def posted(self) -> list[dict[str, Any]]:
        """Return what was asked of the model; a proxy looks at its list of models besides."""
        return [line for line in self.record() if line["method"] == "POST"]


def answers(gateway: Gateway, headers: dict[str, str]) -> dict[str, int]:
    """Return the status of each of the five paths."""
    with gateway.client() as client:
        statuses = {
            path: client.post(path, json=body, headers=headers).status_code for path, body in bodies().items()
        }
        return statuses | {"/v1/models": client.get("/v1/models", headers=headers).status_code}


def send(gateway: Gateway, method: str, path: str, headers: dict[str, str]) -> int:
    """Send a request whose path nobody tidies up and return the status."""
    with gateway.client() as client:
        request = client.build_request(method, "/", headers=headers, json={})
        request.url = request.url.copy_with(raw_path=path.encode())
        return client.send(request).status_code


def copied(folder: Path) -> Checkout:
    """Copy the checkout, with a `dev` that runs on this interpreter and its own developers in its stacks.

    The stack `litellm` is `local` with LiteLLM between gateway and model.
    """
    checkout = Checkout.copy(folder)
    dev = checkout.layout.checkout / "dev"
    dev.write_text(_DEV.format(python=shlex.quote(sys.executable)))
    dev.chmod(0o755)
    platform = checkout.platform()
    platform["access"]["developers"] = {name: {} for name in DEVELOPERS}
    checkout.write_stack("local", platform)
    checkout.write_stack("litellm", platform | {"translation": "litellm"})
    return checkout


def started(checkout: Checkout, stack: str = "local", *options: str) -> Gateway:
    """Start the gateway of a stack, or find it running."""
    done = checkout.dev("gateway", stack, "--detach", "--json", *options)
    assert done.code == 0, done.text
    assert Session.read(checkout.layout) is not None
    document = re.search(r"^\{.*?^\}", done.text, re.MULTILINE | re.DOTALL)
    assert document is not None, done.text
    return Gateway(checkout=checkout, told=json.loads(document[0]))
