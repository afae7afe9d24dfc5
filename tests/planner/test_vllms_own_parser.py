"""vLLM's own option parser takes what the plan renders for each checkpoint that the installed release serves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from onprem_agents.vllm import known_releases, load_release, to_argv
from tests.unit.catalog_samples import CATALOG, served_by

pytestmark = pytest.mark.planner

_LIMIT_SECONDS = 1200


def _refusals(vllm_python: str, argvs: Sequence[Sequence[str]]) -> list[str | None]:
    done = subprocess.run(
        [vllm_python, str(Path(__file__).with_name("parse.py"))],
        input=json.dumps(argvs),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_rendered_argv_is_taken(vllm_python: str, vllm_version: str) -> None:
    if vllm_version not in known_releases():
        pytest.skip(f"vLLM {vllm_version} is installed; the catalogue has no folder of that release")
    folder = load_release(vllm_version).image.template_folder
    asked = {
        # The image's templates are not in the package; that the image has them is tested by its list.
        variant.hf_id: [
            __file__ if word.startswith(folder) else word for word in to_argv(flags, vllm_version)
        ]
        for variant, flags in served_by(vllm_version)
    }

    answers = _refusals(vllm_python, list(asked.values()))

    assert len(answers) == len(asked) > len(CATALOG.models)
    refused = {name: said for name, said in zip(asked, answers, strict=True) if said is not None}
    assert not refused


def test_an_option_or_value_that_vllm_does_not_know_is_refused(vllm_python: str) -> None:
    wrong = [["/mnt/models", "--no-such-option", "1"], ["/mnt/models", "--max-num-seqs", "many"]]

    assert all(_refusals(vllm_python, wrong))
