"""Who may call: the key check, the developers' Secrets, and keys that are refused before anything exists."""

from __future__ import annotations

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import render
from onprem_agents.manifests.gateway_auth import client_ids, developer_secrets, security_policy
from onprem_agents.manifests.meta import object_name
from onprem_agents.plan import PlatformPlan
from onprem_agents.stack.secrets import check_keys
from tests.unit.manifest_samples import of_kind, planned

ALICE, BOB, SERVER = "a" * 40, "b" * 40, "s" * 40


def refused(keys: object, server: object = SERVER, plan: PlatformPlan | None = None) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        check_keys(keys, server, (plan or planned()).developers, "Pulumi.test.yaml")
    for key in (ALICE, BOB, SERVER):
        assert key not in str(caught.value), "no message may hold a key"
    return caught.value.problems


def test_both_headers_are_read_and_the_key_is_removed() -> None:
    check = security_policy(planned().auth_part)["spec"]["apiKeyAuth"]

    assert check["extractFrom"] == [{"headers": ["authorization"]}, {"headers": ["x-api-key"]}]
    assert check["sanitize"] is True
    assert check["forwardClientIDHeader"] == "x-client-id"


def test_what_the_gateway_says_about_a_caller_cannot_be_sent_by_the_caller() -> None:
    policy = of_kind(render(planned()), "ClientTrafficPolicy")["coding-agents"]
    removed = policy["spec"]["headers"]["earlyRequestHeaders"]["remove"]

    assert {"x-client-id", "x-user-id", "x-user-group", "x-user-namespace", "x-ai-eg-model"} <= set(removed)


def test_every_developer_has_a_secret_that_the_check_reads() -> None:
    plan = planned()
    names = [secret.manifest["metadata"]["name"] for secret in developer_secrets(plan.auth_part)]
    references = security_policy(plan.auth_part)["spec"]["apiKeyAuth"]["credentialRefs"]

    assert names == ["key-alice", "key-bob"]
    assert [reference["name"] for reference in references] == names


def test_every_route_but_the_contracts_asks_for_a_key() -> None:
    documents = render(planned())
    targets = of_kind(documents, "SecurityPolicy")["coding-agents-keys"]["spec"]["targetRefs"]

    assert {target["name"] for target in targets} == set(of_kind(documents, "HTTPRoute")) - {
        "coding-agents-connection"
    }


def test_a_second_key_has_a_client_id_that_no_developer_can_have() -> None:
    first, second = client_ids("alice")

    assert (first, second) == ("alice", "alice.B")
    assert second != second.lower(), "developer names are lower-case"


def test_names_that_no_object_may_carry_stay_apart() -> None:
    assert object_name("key", "a.b-c") == "key-a.b-c"
    assert object_name("key", "a_b").startswith("key-a-b-")
    assert object_name("key", "a_b") != object_name("key", "a-b")


def test_rendered_secrets_say_where_their_value_comes_from() -> None:
    secrets = of_kind(render(planned()), "Secret")

    assert secrets["key-alice"]["stringData"] == {"alice": "<from the stack's secret developerKeys: alice>"}
    assert set(secrets["vllm-server-key"]["stringData"]) == {"apiKey", "credential"}


def test_one_key_or_two_are_taken() -> None:
    keys = check_keys(
        {"alice": ALICE, "bob": [BOB, "c" * 40]}, SERVER, planned().developers, "Pulumi.test.yaml"
    )

    assert keys.developers == {"alice": (ALICE,), "bob": (BOB, "c" * 40)}
    assert keys.server == SERVER


def test_keys_do_not_show_up_when_they_are_printed() -> None:
    keys = check_keys({"alice": ALICE, "bob": BOB}, SERVER, planned().developers, "Pulumi.test.yaml")

    assert ALICE not in repr(keys)
    assert SERVER not in repr(keys)


def test_a_developer_without_a_key_is_named() -> None:
    (problem,) = refused({"alice": ALICE})

    assert problem.where == "developerKeys.bob"
    assert problem.found == "nothing"
    assert "pulumi config set --secret --path" in problem.fix


def test_a_key_for_nobody_is_named() -> None:
    (problem,) = refused({"alice": ALICE, "bob": BOB, "carol": "c" * 40})

    assert problem.where == "developerKeys.carol"
    assert problem.found == "a key for nobody"


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("short", "a key of 5 characters"),
        ("Bearer " + "x" * 40, "a key with blanks or special characters"),
        ("ü" * 40, "a key with blanks or special characters"),
        (12345, "something that is no text"),
        ([], "0 keys"),
        (["x" * 40, "y" * 40, "z" * 40], "3 keys"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(key: object, found: str) -> None:
    (problem,) = refused({"alice": key, "bob": BOB})

    assert (problem.where, problem.found) == ("developerKeys.alice", found)


def test_equal_keys_are_refused_for_the_gateway_would_refuse_everybody() -> None:
    (problem,) = refused({"alice": ALICE, "bob": ALICE})

    assert (problem.where, problem.found) == ("developerKeys.bob", "the same key as alice")


@pytest.mark.parametrize("server", [None, "", "short"])
def test_a_missing_or_short_server_key_is_refused(server: object) -> None:
    (problem,) = refused({"alice": ALICE, "bob": BOB}, server)

    assert problem.where == "serverKey"
    assert "openssl rand -hex 32" in problem.fix


def test_all_problems_come_at_once() -> None:
    assert {problem.where for problem in refused({"bob": "short"}, None)} == {
        "developerKeys.alice",
        "developerKeys.bob",
        "serverKey",
    }


@pytest.mark.parametrize("keys", ["text", ["alice"], 7])
def test_keys_of_the_wrong_shape_are_refused(keys: object) -> None:
    assert "no map" in {problem.found for problem in refused(keys)}
