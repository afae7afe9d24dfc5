"""A repository whose agents and commands ask for models of their makers' is answered by the main role."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agents.machine import Machine
from tests.agents.scenarios import OWNERS, prepare
from tests.gateway.gateway import POST_PATHS, Gateway, bodies, both_headers

HOSTED = ("claude-opus-5-5", "claude-sonnet-4-5-20250929", "gpt-5.2-codex")
COMMAND = "---\ndescription: Greets\nmodel: claude-opus-5-5\n---\ncreate hello.txt containing the word hi\n"


@pytest.mark.parametrize("model", HOSTED)
def test_a_name_of_a_hosted_model_reaches_the_server_as_the_main_role_on_each_path(
    gateway: Gateway, model: str
) -> None:
    before = len(gateway.record())
    bearer, _ = both_headers(gateway.key("alice"))

    with gateway.client() as client:
        statuses = [
            client.post(path, json=body | {"model": model}, headers=bearer).status_code
            for path, body in bodies().items()
        ]

    assert statuses == [200] * len(POST_PATHS)
    assert {line["request"]["model"] for line in gateway.record()[before:]} == {"coder"}


def test_any_other_unknown_name_is_refused_by_the_server_itself(gateway: Gateway) -> None:
    bearer, _ = both_headers(gateway.key("alice"))

    with gateway.client() as client:
        answer = client.post(
            "/v1/messages", json=bodies()["/v1/messages"] | {"model": "my-claude"}, headers=bearer
        )

    assert (answer.status_code, "my-claude" in answer.text) == (404, True)


def test_the_list_of_models_tells_them(gateway: Gateway) -> None:
    bearer, _ = both_headers(gateway.key("alice"))

    with gateway.client() as client:
        models = client.get("/v1/models", headers=bearer).json()["data"]

    assert [model.get("aliases") for model in models if model["id"] == "coder"] == [["claude-*", "gpt-*"]]


@pytest.mark.parametrize("agent", ["claude"])
def test_claude_code_runs_a_repositorys_command_that_names_a_hosted_model(
    tmp_path: Path, clis: Path, gateway: Gateway, agent: str
) -> None:
    machine = Machine(home=tmp_path / "home", agent=agent, clis=clis)
    prepare(machine, gateway)
    folder = machine.repository / ".claude" / "commands"
    folder.mkdir(parents=True)
    (folder / "greet.md").write_text(COMMAND)
    before = len(gateway.posted())

    done = machine.run("/greet")

    assert (machine.repository / "hello.txt").read_text().strip() == "hi", done.text
    came = gateway.posted()[before:]
    assert {(line["request"]["model"], line["status"]) for line in came} == {("coder", 200)}
    assert not any("output_config" in line["request"]["fields"] for line in came), "told what the role can do"
    assert {line["headers"]["x-client-id"] for line in came} == {OWNERS[agent]}
    assert json.loads(done.text.splitlines()[-1])["is_error"] is False
