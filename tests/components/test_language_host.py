"""A program that is refused ends in one text and no traceback, in the process of the language host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components.pretended_engine import Run, run

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys

import pulumi

sys.path.insert(0, {root!r})
from components import CodingPlatform
from components.kubernetes_object import KubernetesObject

host, key = {host}, {key}
platform = CodingPlatform("platform", {{
    "hardware": {{"accelerator": "L40S", "gpus_per_node": 2, "nodes": 2}},
    "models": [{{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}}],
    "access": {{"host": host, "tls": {{"secret_name": "agents-tls"}}, "developers": {{"alice": {{}}}}}},
    "developer_keys": {{"alice": pulumi.Output.secret(key)}},
    "server_key": "s" * 40,
}})
# What stands behind a refused platform fails with it, each in its own time.
previous = platform
for number in range(3):
    manifest = {{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{}}, "data": {{"url": platform.url}}}}
    previous = KubernetesObject(f"user-{{number}}", manifest, pulumi.ResourceOptions(depends_on=[previous]))
pulumi.export("url", platform.url)
"""
GOOD_HOST, GOOD_KEY = "'agents.example.internal'", "'k' * 40"


def ran(folder: Path, *, host: str = GOOD_HOST, key: str = GOOD_KEY, preview: bool = False) -> Run:
    return run(folder, PROGRAM.format(root=str(ROOT), host=host, key=key), preview=preview)


def test_a_good_program_says_nothing(tmp_path: Path) -> None:
    found = ran(tmp_path)

    assert "platform-coder-coder" in found.resources
    assert found.terminal.strip() == ""


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("host", "key", "where"),
    [
        ("'Agents'", GOOD_KEY, "argument access.host"),
        ("pulumi.Output.from_input('Agents')", GOOD_KEY, "argument access.host"),
        (GOOD_HOST, "'short'", "argument developer_keys.alice"),
        ("pulumi.Output.from_input(['Agents', 7])", "'short'", "argument access.host"),
    ],
)
def test_a_refused_program_ends_in_one_text_and_leaves_nothing(
    tmp_path: Path, host: str, key: str, where: str, preview: bool
) -> None:
    found = ran(tmp_path, host=host, key=key, preview=preview)

    assert found.resources == []
    assert found.terminal.count(where) == 1
    assert "fix:" in found.terminal
    assert "Traceback" not in found.terminal
    assert 'File "' not in found.terminal


def test_a_preview_says_what_it_waits_for(tmp_path: Path) -> None:
    found = ran(tmp_path, host="pulumi.Output.from_input(pulumi.UNKNOWN)", preview=True)

    assert "platform" in found.resources
    assert [name for name in found.resources if name.startswith("platform-")] == []
    assert found.terminal.strip() == (
        "waits for access.host: what is known is checked, and all is planned and declared once the rest is known"
    )
