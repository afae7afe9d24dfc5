"""When an update waits, for what, for how long, and how it is cancelled."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.provider.stack import Stack

WIDGET = "test.example/v1"
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def _widget(annotations: dict[str, str], spec: dict[str, Any] | None = None, options: str = "") -> str:
    return f"""
Object("test.example/v1:Widget", "one", {{
    "metadata": meta("one", annotations={annotations!r}), "spec": {spec or {"size": 1}!r}}}{options})
config_map("after", {{"a": "1"}})
"""


def _set_status(stack: Stack, status: dict[str, Any]) -> None:
    stack.client.patch(WIDGET, "Widget", "one", {"status": status}, stack.namespace, subresource="/status")


def _until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.1)


def test_a_custom_resource_is_waited_for(stack: Stack) -> None:
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "60"}))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", WIDGET), "the widget exists")
    _set_status(stack, {"phase": "Starting", "conditions": [{"type": "Ready", "status": "False"}]})
    time.sleep(2)
    assert process.poll() is None, "the condition does not hold yet"

    _set_status(stack, {"phase": "Running", **READY})
    text, _ = process.communicate(timeout=60)

    assert process.returncode == 0, text
    outputs = stack.resources()["one"]["outputs"]
    assert outputs["status"]["phase"] == "Running", "the state holds the object as it became ready"
    assert stack.up().changes == {"same": 2}


def test_a_condition_of_an_older_generation_does_not_count(stack: Stack) -> None:
    notes = {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "60"}
    stack.program(_widget(notes))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", WIDGET), "the widget exists")
    _set_status(stack, {"observedGeneration": 1, **READY})
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text

    stack.program(_widget(notes, {"size": 2}))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.get("Widget", "one", WIDGET)["spec"]["size"] == 2, "the change arrives")
    time.sleep(2)
    assert process.poll() is None, "Ready is from before the change"

    _set_status(stack, {"observedGeneration": 2, **READY})
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text


def test_a_wait_that_takes_too_long_fails_and_the_next_update_waits_again(stack: Stack) -> None:
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "2"}))

    outcome = stack.up(fails=True)

    assert "one" in outcome.text
    assert "one" in stack.resources(), "the object exists, so the state knows it"
    assert stack.resources()["one"].get("initErrors")

    _set_status(stack, READY)
    assert stack.up().changes.get("update") == 1
    assert not stack.resources()["one"].get("initErrors")


def test_the_option_custom_timeouts_limits_a_wait(stack: Stack) -> None:
    options = ", custom_timeouts=pulumi.CustomTimeouts(create='2s')"
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready"}, options=options))
    started = time.monotonic()

    stack.up(fails=True)

    assert time.monotonic() - started < 60, "without the option it would be ten minutes"


def test_a_deployment_is_waited_for_until_its_new_pods_are_available(stack: Stack) -> None:
    program = """
labels = {"app": "web"}
made = Object("apps/v1:Deployment", "web", {"metadata": meta("web"), "spec": {
    "replicas": 2, "selector": {"matchLabels": labels},
    "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "c:%d"}]}}}})
"""
    for version in (1, 2):
        stack.program(program % version)
        stack.up()

        status = stack.get("Deployment", "web", "apps/v1")["status"]
        assert status["availableReplicas"] == 2
        assert status["updatedReplicas"] == 2
        images = {
            container["image"]
            for pod in stack.client.list("v1", "Pod", stack.namespace)
            if not pod["metadata"].get("deletionTimestamp")
            for container in pod["spec"]["containers"]
        }
        assert images == {f"c:{version}"}


def test_a_deployment_whose_pods_cannot_be_scheduled_fails_the_update(stack: Stack) -> None:
    stack.program("""
labels = {"app": "huge"}
Object("apps/v1:Deployment", "huge", {
    "metadata": meta("huge", annotations={"pulumi.com/timeoutSeconds": "8"}),
    "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
        "containers": [{"name": "c", "image": "c:1", "resources": {"limits": {"nvidia.com/gpu": "9"}}}]}}}})
""")

    outcome = stack.up(fails=True)

    assert "Deployment does not have minimum availability" in outcome.text
    assert "huge" in stack.resources(), "the object exists, so the state knows it"


def test_an_interrupt_ends_the_wait_and_the_next_update_converges(stack: Stack) -> None:
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready"}))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", WIDGET), "the widget exists")
    time.sleep(1)

    started = time.monotonic()
    text = stack.interrupt(process)

    assert time.monotonic() - started < 30, "a cancelled wait ends at once"
    assert process.returncode != 0, text
    assert not stack.state().get("pending_operations")
    assert "one" in stack.resources(), "the object exists, so the state knows it"

    _set_status(stack, READY)
    stack.up()
    assert stack.up().changes == {"same": 2}
    stack.destroy()
    assert stack.find("Widget", "one", WIDGET) is None


def test_an_interrupt_ends_a_delete_that_waits(stack: Stack) -> None:
    stack.program("config_map('held', {'a': '1'}, meta('held', finalizers=['test.example/hold']))")
    stack.up()
    process = stack.start("destroy", "--yes", "--skip-preview")
    _until(lambda: stack.get("ConfigMap", "held")["metadata"].get("deletionTimestamp"), "the deletion begins")

    text = stack.interrupt(process)

    assert process.returncode != 0, text
    assert "held" in stack.resources()
    stack.client.patch("v1", "ConfigMap", "held", {"metadata": {"finalizers": None}}, stack.namespace)
    assert stack.destroy().changes == {"delete": 1}


def test_an_object_that_a_killed_engine_left_is_taken_over_and_nothing_is_doubled(stack: Stack) -> None:
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "60"}))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", WIDGET), "the widget exists")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    uid = stack.get("Widget", "one", WIDGET)["metadata"]["uid"]
    _set_status(stack, READY)

    stack.run("cancel", "--yes")
    stack.up()

    assert stack.get("Widget", "one", WIDGET)["metadata"]["uid"] == uid
    assert stack.up().changes == {"same": 2}
    stack.destroy()
    assert stack.find("Widget", "one", WIDGET) is None


def test_plugins_end_when_the_engine_is_killed(stack: Stack) -> None:
    stack.program(_widget({"pulumi.com/waitFor": "condition=Ready"}))
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", WIDGET), "the widget exists")
    children = _children(process.pid)
    assert children, "the engine runs its plugins as children"

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    _until(lambda: not any(_alive(pid) for pid in children), "the plugins end", seconds=15)


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task")
    return [int(word) for thread in threads.iterdir() for word in (thread / "children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
