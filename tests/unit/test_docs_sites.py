"""The page on sites: each of its settings is taken as it stands there, and does what the page says of it."""

from __future__ import annotations

import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, plan_stack, plan_stack_file
from tests.unit.manifest_samples import STACK

ROOT = Path(__file__).parents[2]
FEATURES = ROOT / "tests" / "golden" / "features"
PAGE = (ROOT / "docs" / "sites.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def plan_of(snippet: str) -> PlatformPlan:
    """Plan the small stack with what a snippet says."""
    return plan_stack(merged(deepcopy(STACK), yaml.safe_load(snippet)), stack="test")


def merged(into: Any, said: Any) -> Any:
    for key, value in said.items():
        into[key] = merged(into.get(key, {}), value) if isinstance(value, dict) else value
    return into


def snippet_with(words: str) -> str:
    (found,) = [str(snippet) for snippet in SNIPPETS if words in snippet]
    return found


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: " ".join(snippet.split())[:50])
def test_every_snippet_changes_what_is_declared(snippet: str) -> None:
    assert render(plan_of(snippet)) != render(plan_stack(STACK, stack="test"))


def test_a_node_port_is_what_developers_get() -> None:
    url = re.findall(r"developers get `(https://[^`]+)`", PAGE)

    assert [f"{address}/v1" for address in url] == [plan_of(snippet_with("port: 30443")).connection.base_url]


def test_the_long_form_of_openshift_is_what_its_name_sets() -> None:
    short, long = plan_of(snippet_with("platform: openshift-ai")), plan_of(snippet_with("podIds: platform"))

    assert render(short) == render(long)


def test_the_loop_copies_each_image_to_where_pods_look_for_it(tmp_path: Path) -> None:
    (loop,) = re.findall(r"```\n(onprem-agents plan STACK --images.*?)```", PAGE, re.DOTALL)
    told = f"exec {sys.executable} -c 'from onprem_agents.cli import main; main()'"
    for name, text in {"skopeo": 'echo "$@"', "onprem-agents": f'{told} "$@" --stacks {FEATURES}'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    copied = subprocess.run(
        ["/bin/sh", "-euc", loop.replace("STACK", "openshift")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert copied[0] == (
        "copy --all docker://docker.io/vllm/vllm-openai:v0.33.0 "
        "docker://registry.example.internal/mirror/vllm/vllm-openai:v0.33.0"
    ), "copies go to a tag; the digest is what pods then check"
    assert len(copied) == len(plan_stack_file(FEATURES, "openshift").images)
