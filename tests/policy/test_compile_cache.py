"""A server is sized for the start that its volumes tell: where what vLLM compiles lies, and whether that lasts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from onprem_agents.manifests import render
from policy.checks import graph_of
from policy.compile_cache import start_of
from policy.graph import UNKNOWN
from policy.memory import sized
from policy.serving import servers
from tests.unit.manifest_samples import planned

pytestmark = pytest.mark.policy

KEPT = {"name": "cache", "persistentVolumeClaim": {"claimName": "kept"}}
SCRATCH: dict[str, Any] = {"name": "cache", "emptyDir": {}}


def read(volume: dict[str, Any], path: str, *env: tuple[str, Any], mounts: Any = None) -> Any:
    container = {
        "env": [{"name": name, "value": value} for name, value in env],
        "volumeMounts": [{"name": "cache", "mountPath": path}] if mounts is None else mounts,
    }
    return start_of({"volumes": [volume]}, container)


@pytest.mark.parametrize(
    ("cache", "start"),
    [(None, "cold"), ({"localModelCache": {"nodeGroup": "gpus"}}, "cold"), ({"pvc": {}}, "warm")],
)
def test_a_server_of_the_product_is_sized_as_its_plan_did(cache: Any, start: str) -> None:
    plan = planned(model={} if cache is None else {"cache": cache})
    manifests: list[dict[str, Any]] = list(yaml.safe_load_all(yaml.safe_dump_all(render(plan))))
    (server,) = servers(graph_of(manifests))
    request = sized(server).request
    assert request is not None
    assert (plan.main.start.kind, request.start) == (start, start)


def test_caches_in_the_home_folder_are_found() -> None:
    assert read(KEPT, "/root/.cache") == "warm", "what the image's own user has, where nothing says another"
    assert read(KEPT, "/home/vllm", ("HOME", "/home/vllm")) == "warm"
    assert read(SCRATCH, "/home/vllm", ("HOME", "/home/vllm")) == "cold"
    assert read(KEPT, "/models", ("HOME", "/home/vllm")) == "cold", "the caches are the container's own files"


def test_the_folder_that_is_mounted_deepest_counts() -> None:
    mounts = [{"name": "other", "mountPath": "/"}, {"name": "cache", "mountPath": "/kept"}]
    assert read(KEPT, "", ("VLLM_CACHE_ROOT", "/kept/vllm"), mounts=mounts) == "warm"


def test_a_compile_cache_that_is_turned_off_starts_cold() -> None:
    assert read(KEPT, "/root", ("VLLM_DISABLE_COMPILE_CACHE", "1")) == "cold"


@pytest.mark.parametrize(
    ("volume", "start"),
    [
        ({"hostPath": {"path": "/srv/cache"}}, "warm"),
        ({"nfs": {"server": "files", "path": "/cache"}}, "warm"),
        ({"ephemeral": {"volumeClaimTemplate": {}}}, "cold"),
        ({"csi": {"driver": "files.csi.example.org"}}, "cold"),
        ({"configMap": {"name": "settings"}}, "cold"),
        ({"persistentVolumeClaim": {"claimName": "kept", "readOnly": False}}, "warm"),
        ({"persistentVolumeClaim": {"claimName": "kept", "readOnly": True}}, "cold"),
        ({"persistentVolumeClaim": {"claimName": "kept", "readOnly": UNKNOWN}}, None),
        ({"nfs": {"server": "files", "path": "/cache", "readOnly": True}}, "cold"),
    ],
)
def test_only_a_volume_that_lasts_and_takes_writes_is_warm(volume: dict[str, Any], start: str | None) -> None:
    assert read({"name": "cache", **volume}, "/root/.cache") == start


@pytest.mark.parametrize(("read_only", "start"), [(False, "warm"), (True, "cold"), (UNKNOWN, None)])
def test_a_mount_that_takes_no_writes_keeps_nothing(read_only: Any, start: str | None) -> None:
    mounts = [{"name": "cache", "mountPath": "/root", "readOnly": read_only}]
    assert read(KEPT, "", mounts=mounts) == start


def test_a_switch_of_the_compile_cache_that_is_only_known_later_tells_nothing() -> None:
    assert read(KEPT, "/root", ("VLLM_DISABLE_COMPILE_CACHE", UNKNOWN)) is None


@pytest.mark.parametrize("mounts", [UNKNOWN, [{"name": "of-a-runtime", "mountPath": "/root"}]])
def test_what_is_only_known_later_tells_nothing(mounts: Any) -> None:
    assert read(KEPT, "/root", mounts=mounts) is None


def test_a_home_that_is_only_known_later_tells_nothing() -> None:
    assert read(KEPT, "/root", ("HOME", UNKNOWN)) is None
