"""Weights that are kept between starts: what is planned and declared of each kind, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import Manifest, bundles, render
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.cache import ClaimCache
from onprem_agents.plan.plan_parts import plan_server
from onprem_agents.plan.report import role_report
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.part_samples import SERVER

CLAIM: dict[str, Any] = {"pvc": {}}
FOLDER: dict[str, Any] = {"hostPath": {"path": "/var/lib/coding-agents"}}
GROUP: dict[str, Any] = {"localModelCache": {"nodeGroup": "gpus"}}
EACH = pytest.mark.parametrize("cache", [CLAIM, FOLDER, GROUP], ids=["pvc", "hostPath", "localModelCache"])


def cached(cache: dict[str, Any], *, nodes: int = 2, **model: Any) -> PlatformPlan:
    return planned(model={"cache": cache, **model}, hardware={"nodes": nodes})


def claim_of(plan: PlatformPlan) -> ClaimCache:
    assert isinstance(plan.main.cache, ClaimCache)
    return plan.main.cache


def predictor(plan: PlatformPlan) -> Any:
    return of_kind(render(plan), "InferenceService")["coder"]["spec"]["predictor"]


def environment(plan: PlatformPlan) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in predictor(plan)["containers"][0]["env"]}


def mounts(container: Manifest) -> dict[str, Manifest]:
    return {each["mountPath"]: each for each in container["volumeMounts"]}


def job(plan: PlatformPlan) -> Any:
    (found,) = of_kind(render(plan), "Job").values()
    return found


def problems(cache: dict[str, Any], *, nodes: int = 2, **model: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        cached(cache, nodes=nodes, **model)
    return caught.value.problems


def test_a_claim_holds_the_weights_and_what_is_compiled() -> None:
    # 29.6 GiB of weights, 5 % for the file system, 1 to spare and 16 for kernels
    assert claim_of(cached(CLAIM)).size_gib == 49
    assert claim_of(cached({"pvc": {"sizeGib": 200}})).size_gib == 200


@pytest.mark.parametrize(
    ("nodes", "replicas", "mode"),
    [(1, 2, "ReadWriteOnce"), (2, 1, "ReadWriteOnce"), (2, 2, "ReadWriteMany")],
)
def test_a_claim_is_shared_where_replicas_may_run_on_several_nodes(
    nodes: int, replicas: int, mode: str
) -> None:
    assert claim_of(cached(CLAIM, nodes=nodes, replicas=replicas)).access_mode == mode


def test_a_claim_of_one_node_is_handed_over_before_the_new_pod_starts() -> None:
    assert cached(CLAIM).main.rollout.kind == "Recreate"
    assert "ReadWriteOnce" in cached(CLAIM).main.rollout.reason
    assert cached(CLAIM, nodes=1).main.rollout.kind == "RollingUpdate", "there is no other node"
    assert cached({"pvc": {"accessMode": "ReadWriteMany"}}).main.rollout.kind == "RollingUpdate"


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": "0123abcd"},
        {"source": "s3://models/coder"},
        {"cache": {"pvc": {"storageClass": "fast"}}},
        {"cache": {"pvc": {"sizeGib": 100}}},
        {"cache": {"pvc": {"accessMode": "ReadWriteMany"}}},
    ],
)
def test_other_weights_and_another_volume_are_another_claim(changes: dict[str, Any]) -> None:
    first, second = cached(CLAIM), planned(model={"cache": CLAIM, **changes})

    assert claim_of(first).name != claim_of(second).name


def test_what_says_nothing_of_the_weights_keeps_the_claim() -> None:
    assert claim_of(cached(CLAIM)).name == claim_of(cached(CLAIM, context=32768)).name


@EACH
def test_a_pod_needs_no_room_for_weights_that_lie_elsewhere(cache: dict[str, Any]) -> None:
    limits = predictor(cached(cache))["containers"][0]["resources"]["limits"]

    assert limits["ephemeral-storage"] == "16Gi"
    assert predictor(planned())["containers"][0]["resources"]["limits"]["ephemeral-storage"] == "55Gi"


@pytest.mark.parametrize(("cache", "again"), [(CLAIM, 169), (FOLDER, 169), (GROUP, 282), (None, 586)])
def test_a_later_start_is_as_warm_as_what_is_kept(cache: dict[str, Any] | None, again: int) -> None:
    plan = planned() if cache is None else cached(cache)

    assert role_report(plan.main)["loading"]["restartSeconds"] == again
    assert (role_report(plan.main)["loading"]["keptIn"] is None) == (cache is None)


def test_a_job_fills_the_claim_and_the_server_comes_after_it() -> None:
    plan = cached(CLAIM, revision="0123abcd")
    name = claim_of(plan).name
    pod = job(plan)["spec"]["template"]["spec"]
    (loader,) = pod["containers"]

    assert list(of_kind(render(plan), "PersistentVolumeClaim")) == [name]
    assert job(plan)["metadata"]["name"] == name
    assert loader["args"] == ["hf://Qwen/Qwen3.6-27B-FP8:0123abcd", "/mnt/cache"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": name}
    after = {bundle.group: bundle.after for bundle in bundles(plan)}
    assert "model-cache" in after["model-server"]


def test_the_jobs_pod_runs_where_the_servers_will_as_they_do() -> None:
    plan = cached(CLAIM)
    pod, server = job(plan)["spec"]["template"]["spec"], predictor(plan)

    for same in ("nodeSelector", "tolerations", "securityContext", "serviceAccountName", "priorityClassName"):
        assert pod[same] == server[same], same
    assert pod["automountServiceAccountToken"] is False


def test_the_job_is_waited_for_as_long_as_a_model_may_load_and_the_claim_not_at_all() -> None:
    plan = planned(model={"cache": CLAIM}, timeouts={"loadBudgetSeconds": 3600})
    (claim,) = of_kind(render(plan), "PersistentVolumeClaim").values()

    assert job(plan)["metadata"]["annotations"]["pulumi.com/timeoutSeconds"] == "3600"
    assert claim["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_job_whose_pods_change_is_made_anew() -> None:
    (declared,) = (
        each for bundle in bundles(cached(CLAIM)) for each in bundle.objects if each.manifest["kind"] == "Job"
    )

    assert declared.replace_on_changes == ("spec",)


def test_only_what_downloads_sees_the_credentials_and_has_a_way_out() -> None:
    plan = planned(model={"cache": CLAIM}, serving={"storageSecret": "hf-token"})
    (loader,) = job(plan)["spec"]["template"]["spec"]["containers"]
    policies = of_kind(render(plan), "NetworkPolicy")

    assert loader["envFrom"] == [{"secretRef": {"name": "hf-token"}}]
    assert "hf-token" not in str(predictor(plan))
    assert "model-download" not in policies, "the servers' pods need no way out"
    selected = policies["model-cache"]["spec"]["podSelector"]["matchLabels"]
    labels = job(plan)["spec"]["template"]["metadata"]["labels"]
    assert selected.items() <= labels.items()
    assert policies["model-cache"]["spec"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 443}]}]


@pytest.mark.parametrize("cache", [CLAIM, FOLDER])
def test_a_server_reads_the_weights_and_writes_only_what_it_compiles(cache: dict[str, Any]) -> None:
    found = mounts(predictor(cached(cache))["containers"][0])

    assert found["/mnt/models"]["readOnly"] is True
    assert found["/mnt/models"]["subPath"].endswith("weights")
    assert found["/mnt/compiled"]["subPath"].endswith("compiled")
    assert "readOnly" not in found["/mnt/compiled"]


@pytest.mark.parametrize("cache", [CLAIM, FOLDER])
def test_what_a_release_compiles_is_kept_apart_from_that_of_others(cache: dict[str, Any]) -> None:
    plans = [
        planned(model={"cache": cache}, serving={"vllm": release}, hardware={"nodes": 1})
        for release in ("0.32.0", "0.33.0")
    ]
    names = ("VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "FLASHINFER_WORKSPACE_BASE", "TILELANG_CACHE_DIR")

    for plan, release in zip(plans, ("0.32.0", "0.33.0"), strict=True):
        for name in names:
            assert environment(plan)[name].startswith(f"/mnt/compiled/{release}/")
    assert not environment(planned()).keys() & set(names)


def test_a_folder_of_the_nodes_is_the_roles_own_and_must_be_there() -> None:
    plan = cached(FOLDER)
    (loader,) = predictor(plan)["initContainers"]
    folder = loader["args"][1]

    assert predictor(plan)["volumes"][0]["hostPath"] == {
        "path": "/var/lib/coding-agents",
        "type": "Directory",
    }
    assert folder.startswith("/mnt/cache/coding-agents/coder-weights-")
    assert mounts(predictor(plan)["containers"][0])["/mnt/models"]["subPath"] == (
        folder.removeprefix("/mnt/cache/") + "/weights"
    )
    assert "model-download" in of_kind(render(plan), "NetworkPolicy"), "the server's own pod downloads"


@pytest.mark.parametrize(
    ("cache", "level"), [(CLAIM, "restricted"), (FOLDER, "privileged"), (GROUP, "restricted")]
)
def test_only_folders_of_the_nodes_take_pod_security_back(cache: dict[str, Any], level: str) -> None:
    (namespace,) = of_kind(render(cached(cache)), "Namespace").values()
    labels = namespace["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == level
    assert labels["pod-security.kubernetes.io/audit"] == "restricted"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"
    told = any("Pod Security" in note for note in cached(cache).main.notes)
    assert told == (level != "restricted")


def test_kserves_cache_is_waited_for_and_found_by_its_source() -> None:
    plan = cached(GROUP, revision="0123abcd")
    (cache,) = of_kind(render(plan), "LocalModelNamespaceCache").values()
    server = of_kind(render(plan), "InferenceService")["coder"]

    assert cache["spec"]["sourceModelUri"] == "hf://Qwen/Qwen3.6-27B-FP8:0123abcd"
    assert cache["spec"]["nodeGroups"] == ["gpus"]
    assert (
        cache["metadata"]["annotations"]["pulumi.com/waitFor"] == "jsonpath={.status.copies.available}=2"
    ), "on each node of the pool"
    assert environment(plan)["STORAGE_URI"] == cache["spec"]["sourceModelUri"]
    assert server["metadata"]["annotations"]["serving.kserve.io/nodegroup"] == "gpus"
    assert "/mnt/models" not in mounts(predictor(plan)["containers"][0]), "KServe mounts them"
    assert "initContainers" not in predictor(plan)


def test_a_server_that_stands_alone_has_a_cache_too() -> None:
    part = plan_server(SERVER | {"cache": FOLDER}, stack="test", source="the component", has_key=True)
    (note,) = [note for note in part.notes if "Pod Security" in note]

    assert "platform." not in note
    assert "cache.pvc" in note


@pytest.mark.parametrize("source", ["pvc://models/coder", "oci://registry.example.internal/coder:1"])
@EACH
def test_weights_that_are_mounted_anyway_have_nothing_to_keep(cache: dict[str, Any], source: str) -> None:
    (problem,) = problems(cache, source=source)

    assert problem.cause == "contradiction"
    assert f"'cache' beside the source {source}" in problem.found
    assert "remove 'cache'" in problem.fix


@pytest.mark.parametrize("cache", [{}, CLAIM | FOLDER, CLAIM | FOLDER | GROUP])
def test_weights_are_kept_in_one_place(cache: dict[str, Any]) -> None:
    (problem,) = problems(cache)

    assert (problem.where, problem.cause) == ("platform.models[0].cache", "contradiction")
    assert "say one of 'pvc', 'hostPath' and 'localModelCache'" in problem.fix


def test_a_claim_that_cannot_hold_the_weights_is_refused_with_the_size_that_does() -> None:
    (problem,) = problems({"pvc": {"sizeGib": 20}})

    assert (problem.where, problem.found) == ("platform.models[0].cache.pvc.sizeGib", "20 GiB")
    assert "the weights alone take 33 GiB" in problem.why
    assert "set platform.models[0].cache.pvc.sizeGib to 49" in problem.fix


def test_replicas_on_several_nodes_cannot_share_a_claim_of_one() -> None:
    (problem,) = problems({"pvc": {"accessMode": "ReadWriteOnce"}}, replicas=3)

    assert problem.where == "platform.models[0].cache.pvc.accessMode"
    assert "3 replicas on 2 nodes" in problem.found
    assert "ReadWriteMany" in problem.fix
    assert "hostPath" in problem.fix


@pytest.mark.parametrize(
    ("cache", "where"),
    [
        ({"pvc": {"sizeGib": 0}}, "pvc.sizeGib"),
        ({"pvc": {"accessMode": "ReadWriteSometimes"}}, "pvc.accessMode"),
        ({"pvc": {"storageClass": "Fast Disks"}}, "pvc.storageClass"),
        ({"hostPath": {"path": "models"}}, "hostPath.path"),
        ({"hostPath": {"path": "/"}}, "hostPath.path"),
        ({"hostPath": {"path": "/data/../etc"}}, "hostPath.path"),
        ({"hostPath": {}}, "hostPath.path"),
        ({"localModelCache": {}}, "localModelCache.nodeGroup"),
        ({"localModelCache": {"nodeGroup": "gpus", "nodes": 0}}, "localModelCache.nodes"),
        ({"localModelCache": {"nodeGroup": "gpus", "serviceAccount": "-"}}, "localModelCache.serviceAccount"),
        ({"emptyDir": {}}, "emptyDir"),
    ],
)
def test_a_bad_value_is_refused_at_its_key(cache: dict[str, Any], where: str) -> None:
    assert f"platform.models[0].cache.{where}" in [problem.where for problem in problems(cache)]
