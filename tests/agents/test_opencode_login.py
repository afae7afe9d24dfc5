"""opencode at work with nothing but `opencode auth login https://HOST`: no installer, no file of ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from onprem_agents.agents.opencode_login import OPENCODE_PATH
from tests.agents.scenarios import CREATE, check_came
from tests.gateway.gateway import Gateway

KEY_VARIABLE = "ONPREM_API_KEY"


def test_a_host_and_a_key_are_all_that_opencode_needs(tmp_path: Path, clis: Path, gateway: Gateway) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    key = gateway.key("bob")
    bare = {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([str(clis), os.environ["PATH"]]),
        "LANG": "C.UTF-8",
        "NODE_EXTRA_CA_CERTS": str(gateway.ca_file),
    }

    def opencode(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["opencode", *words],
            cwd=repository,
            env=bare | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    before = len(gateway.posted())
    login = opencode("auth", "login", gateway.told["anthropic_base_url"], **{KEY_VARIABLE: key})
    assert login.returncode == 0, login.stdout + login.stderr
    assert "Logged into" in login.stdout + login.stderr
    assert key not in login.stdout + login.stderr
    done = opencode("run", "--format", "json", CREATE)

    assert (repository / "hello.txt").read_text().strip() == "hi", done.stdout + done.stderr
    came = gateway.posted()[before:]
    assert {line["headers"]["x-client-id"] for line in came} == {"bob"}
    assert {line["request"]["model"] for line in came} == {"coder"}
    check_came(came, path="/v1/chat/completions", key=key)


def test_the_file_asks_for_no_key_and_holds_none(gateway: Gateway) -> None:
    with gateway.client() as client:
        answer = client.get(OPENCODE_PATH)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["config"]["provider"]["onprem"]["options"]["baseURL"] == gateway.told["base_url"]
    assert gateway.key("alice") not in answer.text
