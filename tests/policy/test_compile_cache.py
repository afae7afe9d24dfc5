"""A server is sized for the start that its volumes tell: where what vLLM compiles lies, and whether that lasts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from onprem_agents.manifests import render
from onprem_agents.sizing import memory_of
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
        ({"persistentVolumeClaim": {"claimName": "kept", "readOnly": UNKNOWN}}, "cold"),
        ({"persistentVolumeClaim": None, "emptyDir": {}}, "cold"),
        ({"persistentVolumeClaim": UNKNOWN}, "cold"),
        ({"nfs": {"server": "files", "path": "/cache", "readOnly": True}}, "cold"),
    ],
)
def test_only_a_volume_that_lasts_and_takes_writes_is_warm(volume: dict[str, Any], start: str) -> None:
    assert read({"name": "cache", **volume}, "/root/.cache") == start


@pytest.mark.parametrize(("read_only", "start"), [(False, "warm"), (True, "cold"), (UNKNOWN, "cold")])
def test_a_mount_that_takes_no_writes_keeps_nothing(read_only: Any, start: str) -> None:
    mounts = [{"name": "cache", "mountPath": "/root", "readOnly": read_only}]
    assert read(KEPT, "", mounts=mounts) == start


@pytest.mark.parametrize("name", ["VLLM_DISABLE_COMPILE_CACHE", "VLLM_CACHE_ROOT", "XDG_CACHE_HOME", "HOME"])
def test_a_variable_that_is_only_known_later_is_sized_as_a_cold_start(name: str) -> None:
    assert read(KEPT, "/root", (name, UNKNOWN)) == "cold"


@pytest.mark.parametrize(
    "others",
    [
        {"env": UNKNOWN},
        {"env": [UNKNOWN]},
        {"env": [{"name": UNKNOWN, "value": "/scratch"}]},
        {"envFrom": [{"configMapRef": {"name": "settings"}}]},
    ],
)
def test_variables_that_may_be_any_are_sized_as_a_cold_start(others: dict[str, Any]) -> None:
    container = {"volumeMounts": [{"name": "cache", "mountPath": "/root"}]}
    assert start_of({"volumes": [KEPT]}, container) == "warm"
    assert start_of({"volumes": [KEPT]}, container | others) == "cold"


@pytest.mark.parametrize(
    "mounts",
    [
        UNKNOWN,
        [UNKNOWN, {"name": "cache", "mountPath": "/root"}],
        [{"name": "cache", "mountPath": "/root"}, {"name": "scratch", "mountPath": UNKNOWN}],
        [{"name": UNKNOWN, "mountPath": "/root"}],
        [{"name": "of-a-runtime", "mountPath": "/root"}],
    ],
)
def test_a_mount_that_is_only_known_later_may_lie_over_the_caches(mounts: Any) -> None:
    assert read(KEPT, "", mounts=mounts) == "cold"


def test_an_unknown_name_of_a_volume_is_no_match_for_an_unknown_name_of_a_mount() -> None:
    mounts = [{"name": UNKNOWN, "mountPath": "/root"}]
    assert read({**KEPT, "name": UNKNOWN}, "", mounts=mounts) == "cold"


def test_what_is_only_known_later_leaves_no_more_memory_to_the_cache_than_a_cold_start() -> None:
    """The mandatory rule asks for the careful pool: an unknown must not soften it."""
    plan = planned(model={"cache": {"pvc": {}}})
    manifests: list[dict[str, Any]] = list(yaml.safe_load_all(yaml.safe_dump_all(render(plan))))
    service = next(each for each in manifests if each["kind"] == "InferenceService")
    careful = {}
    for path in ("as it is", UNKNOWN):
        container = service["spec"]["predictor"]["containers"][0]
        if path is UNKNOWN:
            container["volumeMounts"][0]["mountPath"] = UNKNOWN
        (server,) = servers(graph_of(manifests))
        request = sized(server).request
        assert request is not None
        careful[path] = memory_of(request).careful_pool_gib
    assert careful[UNKNOWN] < careful["as it is"]
