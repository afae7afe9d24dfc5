"""Plans on other releases than the default: what each folder takes, what is noted, that a folder suffices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main
from onprem_agents.plan import plan_stack, plan_stack_file
from onprem_agents.plan.release_notes import release_notes
from onprem_agents.plan.report import report
from onprem_agents.stack.stack_file import stack_names
from onprem_agents.vllm import known_releases, load_release, newest_release, option_of, version_key

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
STACKS = ROOT / "stacks"
RAW: dict[str, Any] = {
    "hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2},
    "models": [{"role": "coder", "model": "Qwen/Qwen3.6-27B-FP8", "context": 65536}],
    "access": {"host": "agents.example.internal", "tls": {"issuer": "ca"}, "developers": {"alice": {}}},
}
# Options of the shipped stacks that are younger than the oldest folder, with the first folder that has them.
YOUNGER = {
    "--language-model-only": "0.17.1",
    "--shutdown-timeout": "0.18.1",
    "--reasoning-config": "0.19.1",
}


def _on(vllm: str) -> Any:
    return plan_stack({**RAW, "serving": {"vllm": vllm}}, stack="test")


@pytest.mark.parametrize("release", known_releases())
def test_every_release_knows_all_that_the_shipped_stacks_render_but_what_came_later(release: str) -> None:
    given = {
        option_of(name)
        for stack in stack_names(STACKS)
        for serving in plan_stack_file(STACKS, stack).serving
        for name in serving.flags.given()
        if name != "model"
    }
    later = {option for option, first in YOUNGER.items() if version_key(release) < version_key(first)}

    assert given - load_release(release).options() == later


def test_a_release_without_a_folder_is_planned_by_the_nearest_and_the_plan_says_so() -> None:
    plan = _on("0.33.7")

    assert plan.main.image == "docker.io/vllm/vllm-openai:v0.33.7"
    assert plan.main.flags == _on("0.33.0").main.flags
    (note,) = report(plan)["models"][0]["notes"]
    assert note.startswith("vLLM 0.33.7 is not in the catalogue")
    assert "those of 0.33.0" in note


def test_a_release_of_tomorrow_is_planned_by_the_newest() -> None:
    plan = _on("9.0.0")

    assert plan.main.image.endswith(":v9.0.0")
    assert newest_release() in report(plan)["models"][0]["notes"][0]


def test_the_default_release_needs_no_note() -> None:
    plan = plan_stack(RAW, stack="test")

    assert plan.main.image == load_release(newest_release()).image.reference()
    assert release_notes(newest_release()) == ()


def test_a_release_that_lacks_an_endpoint_of_the_agents_is_noted() -> None:
    assert release_notes("0.16.0") == (
        "vLLM 0.16.0 does not serve /v1/messages/count_tokens: Claude Code guesses how full its context is",
    )


def test_the_plan_command_shows_the_note(tmp_path: Path) -> None:
    text = (STACKS / "Pulumi.48gb.yaml").read_text(encoding="utf-8")
    pinned = text.replace(
        "onprem-coding-agents:platform:\n", "onprem-coding-agents:platform:\n    serving: {vllm: 0.33.7}\n"
    )
    assert pinned != text
    (tmp_path / "Pulumi.48gb.yaml").write_text(pinned, encoding="utf-8")

    result = CliRunner().invoke(main, ["plan", "48gb", "--stacks", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert "note: vLLM 0.33.7 is not in the catalogue" in " ".join(result.output.split())


def test_the_catalog_command_lists_every_release_with_its_sources() -> None:
    listed = json.loads(CliRunner().invoke(main, ["catalog", "--json"]).output)

    assert [release["release"] for release in listed["vllm"]] == list(known_releases())
    assert set(listed["vllm"][-1]["sources"]) == {"options", "image", "memory"}
    assert "use --runner and --convert" in listed["vllm_removed"]["options"].values()


# What a scratch copy says of itself; it runs with nothing of this checkout on its path.
_ASKED = """
import json, sys
from pathlib import Path
from onprem_agents import vllm
from onprem_agents.plan import plan_stack
from onprem_agents.sizing import release_rules
from policy.containers import release_of
raw = json.loads(sys.argv[1])
plan = plan_stack(raw, stack="test")
told = {
    "package": str(Path(vllm.__file__).parent),
    "known": vllm.known_releases()[-1],
    "image": plan.main.image,
    "parser": plan.main.flags.tool_call_parser,
    "args": list(vllm.to_argv(plan.main.flags, vllm.newest_release())),
    "judged_by": vllm.parse_argv(["vllm", "serve", "--new-option", "1"], release="0.98.2").judged_by,
    "unknown": [u.name for u in vllm.parse_argv(["vllm", "serve", "--new-option", "1"], release="0.98.2").unknown],
    "hint": vllm.unknown_option_hint("--new-option", vllm.known_releases()[0], ()),
    "in_flight": release_rules("0.98.0").memory.batches_in_flight,
    "number": release_rules(None).number,
}
print(json.dumps(told))
"""


def test_a_new_release_is_one_folder_and_no_other_file(tmp_path: Path) -> None:
    """Options, plan, image, policies and sizing of a copy of the package take it up by themselves."""
    for package in ("onprem_agents", "policy"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    releases = tmp_path / "onprem_agents" / "vllm" / "releases"
    added = releases / "0.98.0"
    shutil.copytree(releases / "0.33.0", added)
    _change(added / "options.json", release="0.98.0")
    _change(added / "options.json", lists=["--new-option"], part=True)
    _change(added / "image.json", tag="v0.98.0")
    _change(added / "memory.json", batches_in_flight=3)

    result = subprocess.run(
        [sys.executable, "-c", _ASKED, json.dumps({**RAW, "serving": {"vllm": "0.98.0"}})],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["package"] == str(tmp_path / "onprem_agents" / "vllm")
    assert told["known"] == "0.98.0"
    assert told["image"] == "docker.io/vllm/vllm-openai:v0.98.0"
    assert told["args"][0] == "/mnt/models"
    assert (told["judged_by"], told["unknown"]) == ("0.98.0", [])
    assert told["hint"].startswith("it exists since vLLM 0.98")
    assert (told["in_flight"], told["number"]) == (3, [0, 98])


def _change(file: Path, *, part: bool = False, **values: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    for key, value in values.items():
        content[key] = [*content[key], *value] if part else value
    file.write_text(json.dumps(content), encoding="utf-8")
