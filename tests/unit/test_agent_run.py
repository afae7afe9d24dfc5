"""`doctor --agent`: the reason of a failed run, out of what each agent printed when servers refused it (2026-11-28)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.probes.agent_run import run_agent
from onprem_agents.probes.agent_words import last_words
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit

AGENTS = {agent.name: agent for agent in (CLAUDE, CODEX, OPENCODE)}
URL = "url: http://127.0.0.1:45183/v1/responses"
METADATA = (
    "Model metadata for `coder` not found. Defaulting to fallback metadata; this can degrade performance."
)
CODEX_STARTS: tuple[Mapping[str, Any] | str, ...] = (
    "Reading additional input from stdin...",
    "2026-11-28T15:58:12Z ERROR codex_models_manager::manager: failed to refresh available models: status 404",
    {"type": "thread.started", "thread_id": "01a222dc"},
    {"type": "item.completed", "item": {"id": "item_0", "type": "error", "message": METADATA}},
    {"type": "turn.started"},
)


def of_codex(message: str) -> tuple[Mapping[str, Any] | str, ...]:
    again = {"type": "error", "message": f"Reconnecting... 3/3 ({message})"}
    failed = {"type": "turn.failed", "error": {"message": message}}
    return (*CODEX_STARTS, again, {"type": "error", "message": message}, failed)


def of_claude(text: str, *, is_error: bool = True) -> tuple[Mapping[str, Any] | str, ...]:
    start = '[claude-code:unrecognized_model] {"model":"coder","query_source":"sdk"}'
    told = {"type": "result", "subtype": "success", "is_error": is_error, "result": text}
    return start, {**told, "usage": {"service_tier": "standard"}, "session_id": "401-404-503"}


def of_opencode(message: str, status: int) -> tuple[Mapping[str, Any] | str, ...]:
    data = {"message": message, "statusCode": status, "isRetryable": False}
    return ({"type": "error", "error": {"name": "APIError", "data": data}},)


def ran(name: str, lines: tuple[Mapping[str, Any] | str, ...], tmp_path: Path, *, code: int = 1) -> Verdict:
    """Run a stand-in that prints what the agent printed."""
    program = tmp_path / name
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(text)}\nexit {code}\n")
    program.chmod(0o755)
    installed = Installed(agent=AGENTS[name], path=str(program), release=(99, 0, 0))
    return run_agent(contract(), installed, {"PATH": "/usr/bin:/bin"}, key=None, seconds=60)


@pytest.mark.parametrize(
    ("name", "lines", "cause", "words"),
    [
        (
            "codex",
            of_codex(f"unexpected status 401 Unauthorized: Unauthorized, {URL}"),
            "key-refused",
            f"unexpected status 401 Unauthorized: Unauthorized, {URL}",
        ),
        (
            "codex",
            of_codex(f"unexpected status 404 Not Found: The model `coder` does not exist., {URL}"),
            "model",
            f"unexpected status 404 Not Found: The model `coder` does not exist., {URL}",
        ),
        (
            "codex",
            of_codex("exceeded retry limit, last status: 429 Too Many Requests"),
            "busy",
            "exceeded retry limit, last status: 429 Too Many Requests",
        ),
        (
            "codex",
            of_codex(f"unexpected status 503 Service Unavailable: upstream connect error, {URL}"),
            "upstream",
            f"unexpected status 503 Service Unavailable: upstream connect error, {URL}",
        ),
        (
            "codex",
            of_codex('{"error": {"message": "System message must be at the beginning."}}'),
            "chat-template",
            "System message must be at the beginning.",
        ),
        (
            "codex",
            of_codex('{"error": {"message": "tools.6.type: Input should be \'function\' (namespace)"}}'),
            "tool-types",
            "tools.6.type: Input should be 'function' (namespace)",
        ),
        (
            "codex",
            of_codex("Connection failed: error sending request"),
            "refused",
            "Connection failed: error sending request",
        ),
        (
            "codex",
            ("Error loading config.toml: `wire_api = \"chat\"` is no longer supported.",),
            "wire-api-chat",
            "Error loading config.toml: `wire_api = \"chat\"` is no longer supported.",
        ),
        (
            "claude",
            of_claude("Failed to authenticate. API Error: 401 Unauthorized"),
            "key-refused",
            "Failed to authenticate. API Error: 401 Unauthorized",
        ),
        (
            "claude",
            of_claude("API Error: Request rejected (429) · too many requests"),
            "busy",
            "API Error: Request rejected (429) · too many requests",
        ),
        (
            "claude",
            of_claude("API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)"),
            "refused",
            "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
        ),
        (
            "opencode",
            of_opencode('Unauthorized: {"error": {"message": "Unauthorized"}}', 401),
            "key-refused",
            'Unauthorized: {"error": {"message": "Unauthorized"}}',
        ),
        (
            "opencode",
            of_opencode("Too Many Requests: too many requests", 429),
            "busy",
            "Too Many Requests: too many requests",
        ),
    ],
)  # fmt: skip
def test_the_error_that_ended_the_run_is_told_and_not_what_the_agent_says_at_every_start(
    name: str, lines: tuple[Mapping[str, Any] | str, ...], cause: str, words: str, tmp_path: Path
) -> None:
    found = ran(name, lines, tmp_path)
    assert (found.severity, found.cause) == (Severity.BROKEN, cause)
    assert found.evidence == f"no hello.txt; exit code 1; it said at last: {words}"
    assert found.fix


def test_an_agent_that_only_talked_is_quoted_and_its_numbers_are_no_errors(tmp_path: Path) -> None:
    found = ran("claude", of_claude("I would create hello.txt.", is_error=False), tmp_path, code=0)
    assert found.cause == "prose"
    assert found.evidence.endswith("exit code 0; it said at last: I would create hello.txt.")


def test_talk_of_codex_is_what_it_said_to_its_user(tmp_path: Path) -> None:
    talk = {"type": "item.completed", "item": {"type": "agent_message", "text": "Here is how to do it."}}
    found = ran("codex", (*CODEX_STARTS, talk, {"type": "turn.completed", "usage": {}}), tmp_path, code=0)
    assert (found.cause, found.evidence.endswith("it said at last: Here is how to do it.")) == ("prose", True)


def test_plain_lines_lose_their_colours_and_the_runtimes_own_words() -> None:
    said = (
        "\x1b[33m(node:12) DeprecationWarning: punycode\x1b[0m\n\x1b[31mError: fetch failed\x1b[0m\n"
        "    at node:internal/deps/undici:14900:13\n{\n}\n"
    )
    assert last_words(said) == "Error: fetch failed"


@pytest.mark.parametrize(
    "said", ["", "{", "[1]", '{"type": "error"}', '{"type": "error", "error": 5}', "{" * 9000]
)
def test_strange_output_is_no_traceback(said: str) -> None:
    assert isinstance(last_words(said), str)
