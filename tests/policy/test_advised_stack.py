"""The stack that the advice writes passes the policies that guard every stack."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from onprem_agents.cli import main
from policy.checks import check_manifests

pytestmark = pytest.mark.policy


@pytest.mark.parametrize(("gpu", "count"), [("L40S", "4"), ("H100", "8"), ("RTX-4090", "2")])
def test_an_advised_stack_has_no_findings(tmp_path: Path, gpu: str, count: str) -> None:
    file = tmp_path / "Pulumi.advised.yaml"
    words = ["advise", "--gpu", gpu, "--count", count, "--developers", "4", "--write", str(file)]
    advised = CliRunner().invoke(main, words)
    assert advised.exit_code == 0, advised.output
    rendered = CliRunner().invoke(main, ["render", "advised", "--stacks", str(tmp_path)])
    assert rendered.exit_code == 0, rendered.output
    documents = [document for document in yaml.safe_load_all(rendered.stdout) if document]
    assert [finding.told for finding in check_manifests(documents)] == []
