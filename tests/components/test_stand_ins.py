"""What may be awaited: arguments that decide nothing have a stand-in while the rest is planned."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.plan.plan_parts import plan_platform, plan_server
from onprem_agents.plan.stand_ins import with_stand_ins
from onprem_agents.stack.parts import AuthArguments, IngressArguments, ServerArguments
from onprem_agents.stack.settings import Platform
from tests.unit.manifest_samples import STACK
from tests.unit.part_samples import SERVER, ingress_arguments

NAMED: Any = {"stack": "test", "source": "the component"}


def test_what_decides_nothing_may_be_awaited_and_the_rest_is_planned_all_the_same() -> None:
    awaited = with_stand_ins(
        ServerArguments, SERVER | {"namespace": None, "keySecret": None, "gpusPerNode": 1}
    )
    assert awaited is not None
    wrong = awaited | {"model": "Qwen/Qwen3.5-397B-A17B-FP8"}

    assert plan_server(awaited, **NAMED).serving.role == "coder"
    with pytest.raises(InvalidInput):
        plan_server(wrong, **NAMED)


@pytest.mark.parametrize("key", ["model", "accelerator", "gpusPerNode", "replicas"])
def test_what_decides_the_plan_has_no_stand_in(key: str) -> None:
    assert with_stand_ins(ServerArguments, SERVER | {key: None}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"access": STACK["access"] | {"host": None}},
        {"access": STACK["access"] | {"tls": {"secretName": None}}},
        {"access": STACK["access"] | {"tls": None, "developers": None}},
        {"access": None, "namespace": None, "queue": None},
        {"images": {"registry": None}, "network": {"proxy": {"httpsProxy": None}}, "podIds": None},
        {"access": STACK["access"] | {"gatewayService": {"addresses": None}}},
    ],
)
def test_a_platform_that_awaits_its_name_is_planned(changes: dict[str, Any]) -> None:
    awaited = with_stand_ins(Platform, STACK | changes)
    assert awaited is not None

    assert plan_platform(awaited, **NAMED).main.role == "coder"


def test_arguments_without_an_unknown_stay_as_they_are() -> None:
    assert with_stand_ins(IngressArguments, ingress_arguments()) == ingress_arguments()
    assert with_stand_ins(AuthArguments, {"ingress": None}) is None
