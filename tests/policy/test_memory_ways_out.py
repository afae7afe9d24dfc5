"""The memory policy names settings that a stack has, so that its advice can be followed."""

from __future__ import annotations

import re

import pytest
from pydantic.alias_generators import to_camel

from onprem_agents.catalog import load_catalog
from onprem_agents.stack.settings import ModelRole
from policy.checks import check_manifests
from tests.policy.programs import argument, bent, both, put, without
from tests.policy.test_mutations import DOWNLOAD, PRODUCT

pytestmark = pytest.mark.policy

KEYS = {to_camel(name) for name in ModelRole.model_fields}
ADVICE = re.compile(r"Set (.+?): with that it fits; the keys are")
SETTING = re.compile(r"models\[role=coder\]\.(\w+) to (\S+)")


def test_each_setting_that_is_advised_is_a_key_of_a_role() -> None:
    advised = 0
    for gpu in load_catalog().accelerators:
        for context in ("256K", "64K"):
            for model in ("Qwen/Qwen3.6-27B", "google/gemma-4-31B-it"):
                program = bent(
                    both(
                        argument("--max-model-len", context),
                        put(*PRODUCT, value=gpu.product_label),
                        put(*DOWNLOAD, value=f"hf://{model}"),
                        without("--language-model-only"),
                    )
                )
                for violation in check_manifests(program):
                    for advice in ADVICE.findall(violation.change):
                        advised += 1
                        told = SETTING.findall(advice)
                        assert len(told) == advice.count(" and ") + 1, advice
                        assert {key for key, _ in told} <= KEYS, advice
                        assert all("/" in value for key, value in told if key == "model"), advice
    assert advised > 20
