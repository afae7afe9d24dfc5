"""What the stand-in provider promises beyond the official one: plain words, and no loss after a crash."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.layout import Layout
from tests.provider.stack import Stack

CANARY = "canary-51c8e02f7b"
NOBODY_LISTENS = """\
apiVersion: v1
current-context: c
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def _until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def test_an_object_that_a_killed_engine_left_is_taken_over_and_nothing_is_doubled(stack: Stack) -> None:
    stack.program("""
Object("test.example/v1:Widget", "one", {"spec": {"size": 1},
    "metadata": meta("one", annotations={"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "60"})})
""")
    process = stack.start("up", "--yes", "--skip-preview")
    _until(lambda: stack.find("Widget", "one", "test.example/v1"), "the widget exists")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    uid = stack.get("Widget", "one", "test.example/v1")["metadata"]["uid"]
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    stack.client.patch("test.example/v1", "Widget", "one", ready, stack.namespace, subresource="/status")

    stack.run("cancel", "--yes")
    outcome = stack.up()

    assert "taken over" in outcome.text
    assert stack.get("Widget", "one", "test.example/v1")["metadata"]["uid"] == uid
    assert stack.up().changes == {"same": 1}
    stack.destroy()
    assert stack.find("Widget", "one", "test.example/v1") is None


def test_a_forced_replacement_under_the_same_name_keeps_the_object(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    stack.up()
    urn = stack.resources()["settings"]["urn"]

    stack.up("--target-replace", urn)

    assert stack.get("ConfigMap", "settings")["data"] == {"a": "1"}
    assert list(stack.resources()) == ["settings"]
    assert stack.refresh("--expect-no-changes").changes == {"same": 1}


def test_a_field_that_only_the_server_calls_immutable_replaces_the_object(stack: Stack) -> None:
    program = """
Object("scheduling.k8s.io/v1:PriorityClass", "first", {"metadata": {"name": NAMESPACE}, "value": %d})
"""
    stack.program(program % 10)
    stack.up()
    stack.program(program % 20)

    assert stack.preview().changes == {"replace": 1}
    stack.up()
    assert stack.client.get("scheduling.k8s.io/v1", "PriorityClass", stack.name)["value"] == 20
    stack.destroy()


def test_an_unknown_field_is_named(stack: Stack) -> None:
    stack.program("""
Object("core/v1:Service", "web", {"metadata": meta("web"), "spec": {"ports": [{"port": 80}], "portz": 1}})
""")

    outcome = stack.preview(fails=True)

    assert "spec.portz is not a field of Service (v1)" in outcome.text


def test_a_patch_of_what_is_not_there_is_an_error_and_makes_nothing(stack: Stack) -> None:
    stack.program("Object('core/v1:ConfigMapPatch', 'p', {'metadata': meta('nothing'), 'data': {'a': '1'}})")

    outcome = stack.up(fails=True)

    assert f"there is no ConfigMap {stack.namespace}/nothing to patch" in outcome.text
    assert stack.find("ConfigMap", "nothing") is None


def test_an_update_makes_anew_what_was_deleted_behind_the_stack(stack: Stack) -> None:
    widget = "Object('test.example/v1:Widget', 'one', {'metadata': meta('one'), 'spec': {'size': %d}})"
    stack.program(widget % 1)
    stack.up()
    stack.client.delete("test.example/v1", "Widget", "one", stack.namespace)
    stack.program(widget % 2)

    outcome = stack.up()

    assert "had been deleted outside of this stack" in outcome.text
    assert stack.get("Widget", "one", "test.example/v1")["spec"] == {"size": 2}


def test_a_preview_warns_of_an_object_that_is_in_the_way(stack: Stack, foreign: Callable[..., None]) -> None:
    foreign("ConfigMap", "settings", data={"theirs": "1"})
    stack.program("config_map('settings', {'ours': '1'})")

    outcome = stack.preview()

    assert f"ConfigMap {stack.namespace}/settings: it exists already" in outcome.text


def test_the_servers_complaint_about_a_secret_does_not_repeat_it(stack: Stack) -> None:
    half = len(CANARY) // 2
    stack.program(f"""
secret = Output.secret({CANARY[:half]!r} + {CANARY[half:]!r})
label = Output.concat(secret, " no label")
Object("core/v1:ServiceAccount", "it", {{"metadata": meta("it", labels={{"k": label}})}})
""")

    outcome = stack.up(fails=True)

    assert "metadata.labels" in outcome.text
    for spelling in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert spelling not in outcome.text
        assert not any(spelling in text for text in stack.files().values())


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("enableServerSideApply", "false", "only does server-side apply"),
        ("renderYamlToDirectory", "out", "does not render to a folder"),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_refused(stack: Stack, key: str, value: str, words: str) -> None:
    stack.config(f"kubernetes:{key}", value)
    stack.program("config_map('settings', {'a': '1'})")

    assert words in stack.up(fails=True).text


def test_helm_charts_are_refused_in_a_sentence(stack: Stack) -> None:
    stack.program("""
pulumi.CustomResource("kubernetes:helm.sh/v3:Release", "chart", {"chart": "x"}, ResourceOptions(version=VERSION))
""")

    assert "does not do Helm charts" in stack.up(fails=True).text


@pytest.mark.parametrize(
    ("kubeconfig", "words"),
    [
        ("/nowhere/kubeconfig", "/nowhere/kubeconfig"),
        ("apiVersion: v1\nkind: Config\n", "kubernetes:kubeconfig"),
        (NOBODY_LISTENS, "cannot reach the Kubernetes API server https://127.0.0.1:9"),
    ],
    ids=["no file", "not a kubeconfig", "nobody listens"],
)
def test_a_cluster_that_cannot_be_reached_is_one_sentence(stack: Stack, kubeconfig: str, words: str) -> None:
    stack.program(f"""
settings = {{"kubeconfig": {kubeconfig!r}}}
provider = pulumi.ProviderResource("kubernetes", "k", settings, ResourceOptions(version=VERSION))
config_map("settings", {{"a": "1"}}, provider=provider)
""")

    outcome = stack.up(fails=True)

    assert words in outcome.text
    assert "Traceback" not in outcome.text


def test_a_cluster_that_is_gone_can_be_forgotten(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    stack.up()
    elsewhere = stack.folder / "elsewhere"
    elsewhere.write_text(NOBODY_LISTENS)
    stack.environment = {**stack.environment, "KUBECONFIG": str(elsewhere)}
    assert "cannot reach the Kubernetes API server" in stack.destroy(fails=True).text

    stack.environment = {**stack.environment, "PULUMI_K8S_DELETE_UNREACHABLE": "true"}
    outcome = stack.destroy()

    assert outcome.changes == {"delete": 1}
    assert "deleteUnreachable" in outcome.text


def test_a_kubeconfig_may_be_given_as_content(stack: Stack, layout: Layout) -> None:
    content = layout.kubeconfig.read_text()
    (stack.folder / "access").write_text(content)
    stack.program("""
content = Output.secret(open("access").read())
provider = pulumi.ProviderResource("kubernetes", "k", {"kubeconfig": content}, ResourceOptions(version=VERSION))
config_map("settings", {"a": "1"}, provider=provider)
""")

    stack.up()

    assert stack.get("ConfigMap", "settings")["data"] == {"a": "1"}
    key = next(line for line in content.splitlines() if "client-key-data" in line).split('"')[3]
    assert not any(key in text for text in stack.files().values())


def test_the_wait_is_told_on_the_resources_own_line(stack: Stack) -> None:
    stack.program("""
Object("core/v1:Pod", "huge", {
    "metadata": meta("huge", annotations={"pulumi.com/timeoutSeconds": "6"}),
    "spec": {"containers": [{"name": "c", "image": "c:1", "resources": {"limits": {"nvidia.com/gpu": "9"}}}]}})
""")

    outcome = stack.up(fails=True)

    lines = [line for line in outcome.text.splitlines() if "Pod huge creating" in line]
    assert any("Insufficient nvidia.com/gpu" in line for line in lines), (
        "seen while it waits, not only at the end"
    )


def test_the_same_resource_always_has_the_same_field_manager(stack: Stack) -> None:
    stack.program("config_map('settings', {'a': '1'})")
    seen = []
    for _ in range(2):
        stack.up()
        managers = [
            entry["manager"] for entry in stack.get("ConfigMap", "settings")["metadata"]["managedFields"]
        ]
        seen.append(managers)
        stack.destroy()

    assert seen[0] == seen[1]
    assert seen[0][0].startswith("pulumi-kubernetes-")


def test_both_plugins_say_what_they_are(stack: Stack, layout: Layout) -> None:
    launchers = sorted((layout.pulumi_home / "plugins").glob("*/pulumi-*"))
    assert len(launchers) == 2

    for launcher in launchers:
        answer = _answer(launcher, stack)
        assert "stand-in" in answer
        assert launcher.name in answer


def _answer(launcher: Path, stack: Stack) -> str:
    import subprocess

    return subprocess.run(
        [launcher, "--version"], capture_output=True, text=True, check=True, cwd=stack.folder
    ).stdout
