"""A model server and a pool that stand alone: planned and declared as in a platform, but for what is theirs alone."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import Bundle, DeclaredSecret, Manifest, pool_bundles, server_bundles
from onprem_agents.manifests.inference_service import inference_service
from onprem_agents.plan.references import server_reference
from onprem_agents.stack.parts import ServerReference
from tests.unit.manifest_samples import of_kind, planned
from tests.unit.part_samples import pool, reference, server, wire


def objects(*found: Bundle) -> list[Manifest]:
    return [each.shown() for bundle in found for each in bundle.objects]


def names(*found: Bundle) -> list[tuple[str, str]]:
    return [(each["kind"], each["metadata"]["name"]) for each in objects(*found)]


def test_a_server_alone_is_the_one_of_a_platform_but_for_its_key_and_its_queue() -> None:
    alone = inference_service(server(context=65536, priorityClass="coding-agents-serving", nodes=2))
    (part,) = planned().server_parts
    shared = inference_service(part)
    for predictor in (alone["spec"]["predictor"], shared["spec"]["predictor"]):
        (container,) = predictor["containers"]
        (key,) = (each for each in container["env"] if each["name"] == "VLLM_API_KEY")
        container["env"].remove(key)
    alone["metadata"]["namespace"] = shared["metadata"]["namespace"]

    assert alone == shared


def test_two_servers_in_one_namespace_share_no_object() -> None:
    first, second = (
        names(*server_bundles(server(role=role, chatTemplate="{{ messages }}", replicas=2)))
        for role in ("coder", "fast")
    )

    assert ("Secret", "coder-server-key") in first
    assert len(first) == 6
    assert not set(first) & set(second)


def test_a_key_that_is_given_lies_in_a_secret_of_the_servers_own() -> None:
    (secret,) = (
        each
        for bundle in server_bundles(server())
        for each in bundle.objects
        if isinstance(each, DeclaredSecret)
    )

    assert {name: (value.source, value.prefix) for name, value in secret.values.items()} == {
        "apiKey": ("serverKey", ""),
        "credential": ("serverKey", "Bearer "),
    }
    assert key_of(server()) == {"name": "coder-server-key", "key": "apiKey"}


def test_an_existing_secret_is_read_and_not_made() -> None:
    part = server(has_key=False, keySecret="own-key")

    assert key_of(part) == {"name": "own-key", "key": "apiKey"}
    assert "Secret" not in {kind for kind, _ in names(*server_bundles(part))}
    assert part.notes == part.serving.notes


def test_without_a_key_a_note_says_who_may_use_the_model() -> None:
    part = server(has_key=False)

    assert key_of(part) is None
    assert "asks for no key" in part.notes[-1]
    assert server_reference(part).key_secret is None


def key_of(part: Any) -> Any:
    (container,) = inference_service(part)["spec"]["predictor"]["containers"]
    found = [each["valueFrom"]["secretKeyRef"] for each in container["env"] if each["name"] == "VLLM_API_KEY"]
    return found[0] if found else None


def test_a_key_beside_an_existing_secret_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        server(keySecret="own-key")

    (problem,) = caught.value.problems
    assert (problem.where, problem.cause) == ("keySecret", "contradiction")


def test_without_a_pool_the_pods_have_neither_priority_nor_queue() -> None:
    alone = inference_service(server())
    in_a_pool = inference_service(server(priorityClass="team-a-serving", localQueue="agents"))

    assert "priorityClassName" not in alone["spec"]["predictor"]
    assert "kueue.x-k8s.io/queue-name" not in alone["metadata"]["labels"]
    assert in_a_pool["spec"]["predictor"]["priorityClassName"] == "team-a-serving"
    assert in_a_pool["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "agents"


def test_what_a_server_tells_the_next_component_is_full() -> None:
    told = reference()

    assert wire(ServerReference.model_validate(told)) == told
    assert set(told) == {str(info.alias) for info in ServerReference.model_fields.values()} - {"temperature"}
    assert (told["name"], told["service"], told["port"], told["contextTokens"]) == (
        "coder",
        "coder-predictor",
        80,
        98_304,  # what an L40S leaves at a cold start, which holds a second table of embeddings
    )


def test_pools_of_two_namespaces_share_no_cluster_wide_name() -> None:
    first, second = (names(*pool_bundles(pool(queue={}, namespace=each))) for each in ("team-a", "team-b"))

    assert ("ClusterQueue", "team-a-gpu") in first
    assert set(first) & set(second) == {("LocalQueue", "coding-agents")}, "it has a namespace"


def test_a_queue_that_leads_elsewhere_is_made_anew_for_kueue_lets_nobody_change_it() -> None:
    replaced = {
        each.manifest["kind"]: each.replace_on_changes
        for bundle in pool_bundles(pool(queue={}))
        for each in bundle.objects
    }

    assert replaced["LocalQueue"] == ("spec.clusterQueue",)
    assert {kind for kind, paths in replaced.items() if paths} == {"LocalQueue"}


def test_a_server_that_changes_its_queue_is_made_anew_for_kueue_lets_no_running_one_in() -> None:
    (declared,) = (
        each
        for bundle in server_bundles(server(localQueue="agents"))
        for each in bundle.objects
        if each.manifest["kind"] == "InferenceService"
    )

    assert 'metadata.labels["kueue.x-k8s.io/queue-name"]' in declared.replace_on_changes
    assert declared.manifest["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "agents"


def test_the_clusterqueue_of_a_platform_carries_its_namespace() -> None:
    own = planned(queue={}, namespace="team-b")
    said = planned(queue={"clusterQueue": "gpu"})

    assert own.pool_part.queues is not None
    assert own.pool_part.queues.cluster_queue == "team-b-gpu"
    assert list(of_kind(objects(*pool_bundles(said.pool_part)), "ClusterQueue")) == ["gpu"]
