"""Hardware that leaves something open or says it twice: each refusal names the place and what to write."""

from __future__ import annotations

from typing import Any

import pytest

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import plan_stack
from tests.unit.manifest_samples import FAST, STACK

pytestmark = pytest.mark.unit

SMALL = {"accelerator": "L40S", "gpusPerNode": 2, "name": "small"}
LARGE = {"accelerator": "H100", "gpusPerNode": 4, "name": "large"}
CODER = {"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}


def problems_of(hardware: dict[str, Any], models: list[dict[str, Any]]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as refused:
        plan_stack({"hardware": hardware, "models": models, "access": STACK["access"]}, stack="test")
    return refused.value.problems


@pytest.mark.parametrize(
    ("hardware", "where", "found", "fix"),
    [
        (
            {"pools": []},
            "",
            "'pools' without any entry",
            "or 'pools' with such an entry for each kind of GPU",
        ),
        ({}, "", "neither 'tier' nor 'accelerator'", "or 'pools' with such an entry for each kind of GPU"),
        ({"tier": "48gb", "accelerator": "L40S"}, "", "both 'tier' and 'accelerator'", "name a tier, or"),
        (
            {"pools": [{"name": "a", "nodes": 2}]},
            ".pools[0]",
            "neither 'tier' nor 'accelerator'",
            "name a tier, or",
        ),
        (
            {"pools": [{**SMALL, "gpusPerNode": 0}]},
            ".pools[0].gpusPerNode",
            "0",
            "change platform.hardware.pools[0]",
        ),
        ({"pools": [{**SMALL, "name": "A b"}]}, ".pools[0].name", "'A b'", "write it like fast or team-2"),
        (
            {"pools": [SMALL, {**LARGE, "name": "small"}]},
            ".pools[1].name",
            "the name 'small'",
            "set platform.hardware.pools[1].name to another one",
        ),
        (
            {"pools": [{**SMALL, "roles": ["fasst"]}, LARGE]},
            ".pools[0].roles",
            "the role 'fasst'",
            "did you mean fast? (or take it out of platform.hardware.pools[0].roles)",
        ),
        (
            {"pools": [{**SMALL, "roles": ["coder"]}, {**LARGE, "roles": ["fast", "coder"]}]},
            "",
            "the role 'coder' in pools[0].roles and pools[1].roles",
            "name it once, in one of them",
        ),
        (
            {"pools": [{**SMALL, "roles": ["coder", "coder"]}, LARGE]},
            "",
            "the role 'coder' in pools[0].roles and pools[0].roles",
            "name it once, in one of them",
        ),
    ],
)
def test_hardware_that_leaves_something_open_is_told_with_what_to_write(
    hardware: dict[str, Any], where: str, found: str, fix: str
) -> None:
    (problem,) = problems_of(hardware, [CODER, FAST])
    assert (problem.where, problem.found) == (f"platform.hardware{where}", found)
    assert fix in problem.fix


def test_pools_that_take_the_name_of_the_same_accelerator_are_told_whose_name_it_is() -> None:
    told = problems_of({"pools": [{"accelerator": "L40S"}, {"accelerator": "L40S"}]}, [CODER, FAST])
    assert told[0].found == "the name 'l40s', which is that of its accelerator or tier"
    assert told[0].why.startswith("platform.hardware.pools[0] has that name too")


def test_a_role_that_asks_for_a_pool_is_told_where_that_is_said() -> None:
    (problem,) = problems_of({"pools": [SMALL, LARGE]}, [{**CODER, "pool": "large"}, FAST])
    assert (problem.where, problem.cause) == ("platform.models[0].pool", "unknown-key")
    assert problem.fix == "name the role under 'roles' of a pool in platform.hardware.pools"
