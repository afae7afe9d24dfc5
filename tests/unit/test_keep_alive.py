"""The middleware that keeps silent streams alive: what it writes, when, and that it leaves all else alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.manifests import render
from onprem_agents.plan import KEEP_ALIVE_PATH, KEEP_ALIVE_SECONDS, plan_stack
from onprem_agents.vllm import keep_alive
from onprem_agents.vllm.keep_alive import COMMENT, INTERVAL_VARIABLE, KeepAlive
from tests.unit.event_loop import finished
from tests.unit.stack_generator import BASE

pytestmark = pytest.mark.unit

EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8")]
TICK_SECONDS = 0.05
SILENCE_SECONDS = 4.5 * TICK_SECONDS


@pytest.fixture(autouse=True)
def _short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERVAL_VARIABLE, str(TICK_SECONDS))


def answered(app: Callable[..., Any], *, scope_type: str = "http") -> list[dict[str, Any]]:
    """Return what a client of the application behind the middleware gets."""
    got: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        got.append(dict(message))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    finished(KeepAlive(app)({"type": scope_type, "path": "/v1/messages"}, receive, send))
    return got


def app_of(*bodies: bytes | float, headers: Any = EVENTS) -> Callable[..., Any]:
    """Return an application that sends each body, and is silent for each number of seconds."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in bodies:
            if isinstance(body, float):
                await asyncio.sleep(body)
            else:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def bodies(got: list[dict[str, Any]]) -> list[bytes]:
    return [message["body"] for message in got if message["type"] == "http.response.body"]


def test_a_stream_that_is_silent_before_its_first_event_gets_comments() -> None:
    got = answered(app_of(SILENCE_SECONDS, b"data: 1\n\n"))

    assert got[0]["type"] == "http.response.start"
    written = bodies(got)
    assert 2 <= written.count(COMMENT) <= 5
    assert written[-2:] == [b"data: 1\n\n", b""], (
        "the answer itself is whole, and nothing comes after its end"
    )
    assert all(message["more_body"] for message in got[1:-1])


def test_silence_between_two_events_is_filled_too() -> None:
    written = bodies(answered(app_of(b"event: a\ndata: 1\n\n", SILENCE_SECONDS, b"data: 2\n\n")))

    assert written[0] == b"event: a\ndata: 1\n\n"
    assert set(written[1:-2]) == {COMMENT}


@pytest.mark.parametrize("begun", [b"data: {", b"data: 1\n"])
def test_nothing_is_written_within_an_event(begun: bytes) -> None:
    written = bodies(answered(app_of(begun, SILENCE_SECONDS, b"\n\n")))

    assert written == [begun, b"\n\n", b""]


def test_an_event_that_ends_in_a_piece_of_its_own_is_seen_to_end() -> None:
    written = bodies(answered(app_of(b"data: 1\n", b"\n", SILENCE_SECONDS, b"data: 2\n\n")))

    assert COMMENT in written


@pytest.mark.parametrize("headers", [[(b"content-type", b"application/json")], []])
def test_an_answer_that_is_no_stream_of_events_is_left_alone(headers: Any) -> None:
    assert bodies(answered(app_of(b"{", SILENCE_SECONDS, b"}", headers=headers))) == [b"{", b"}", b""]


def test_a_talkative_stream_gets_nothing() -> None:
    assert COMMENT not in bodies(answered(app_of(*[b"data: 1\n\n"] * 20)))


def test_what_is_no_http_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    assert answered(app, scope_type="lifespan") == []
    assert seen == ["lifespan"]


def test_an_error_of_the_application_comes_through_and_nothing_goes_on_writing() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        raise RuntimeError("the model server failed")

    with pytest.raises(RuntimeError, match="the model server failed"):
        answered(app)


def test_a_client_that_is_gone_ends_the_writing_and_not_the_application() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        await asyncio.sleep(SILENCE_SECONDS)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    finished(KeepAlive(app)({"type": "http"}, None, send))  # type: ignore[arg-type]


def test_every_model_server_mounts_the_very_file_and_imports_it(tmp_path: Path) -> None:
    """The plan's file in an empty folder, imported by the name in the plan's flag, without the product."""
    models = [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}]
    objects = render(plan_stack(BASE | {"models": models}, stack="test"))
    (service,) = [each for each in objects if each["kind"] == "InferenceService"]
    (config_map,) = [
        each
        for each in objects
        if each["kind"] == "ConfigMap" and each["metadata"]["name"].endswith("-keep-alive")
    ]
    (container,) = service["spec"]["predictor"]["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    flag = container["args"][container["args"].index("--middleware") + 1]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "keep-alive"]
    (name,) = config_map["data"]

    assert container["workingDir"] == mount["mountPath"]
    assert container["command"][:2] == ["python3", "-m"], "Python then looks for modules where it is started"
    assert f"{mount['mountPath']}/{name}" == KEEP_ALIVE_PATH
    assert float(environment[INTERVAL_VARIABLE]) == KEEP_ALIVE_SECONDS
    assert config_map["data"][name] == Path(keep_alive.__file__).read_text(encoding="utf-8")

    (tmp_path / name).write_text(config_map["data"][name])
    module, _, attribute = flag.rpartition(".")
    done = subprocess.run(
        [sys.executable, "-c", f"import {module} as found; found.{attribute}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_another_file_restarts_the_pods() -> None:
    role = {"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8"}

    def digest(**changes: Any) -> str:
        objects = render(plan_stack(BASE | {"models": [role | changes]}, stack="test"))
        (service,) = [each for each in objects if each["kind"] == "InferenceService"]
        return yaml.safe_dump(service["spec"]["predictor"]["annotations"])

    assert digest(chatTemplate="{{ a }}") != digest(chatTemplate="{{ b }}") != digest()
