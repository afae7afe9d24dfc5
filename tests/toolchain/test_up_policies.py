"""`./dev up` takes what a file beside the stack's says of the policies, before it starts anything and in the engine."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from embedded.layout import Layout
from embedded.plan_view import PolicyRefusal, show_plan
from embedded.up import _for_the_engine
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from policy.configuration import Configuration, read_configuration
from tests.policy.programs import bent, without
from tests.toolchain.previewed import Program

pytestmark = pytest.mark.toolchain

CHECKOUT = Path(__file__).parents[2]
STRICT = Configuration(
    levels={"images-are-pinned": "mandatory"}, settings={"images-are-pinned": {"requireDigest": True}}
)


@pytest.mark.parametrize(("said", "refused"), [(None, False), (Configuration(), False), (STRICT, True)])
def test_the_plan_is_judged_as_configured(said: Configuration | None, refused: bool) -> None:
    plan = plan_stack_file(CHECKOUT / "stacks", "local")
    told = Console(file=io.StringIO())

    if refused:
        with pytest.raises(PolicyRefusal, match="images-are-pinned"):
            show_plan(plan, render(plan), told, said)
    else:
        show_plan(plan, render(plan), told, said)


def test_the_engine_gets_a_file_of_its_own(tmp_path: Path) -> None:
    layout = Layout(checkout=CHECKOUT, state=tmp_path / "state", cache=tmp_path / "cache")
    file = _for_the_engine(layout, STRICT)

    assert file is not None
    assert json.loads(file.read_text()) == {
        "images-are-pinned": {"enforcementLevel": "mandatory", "requireDigest": True}
    }
    assert _for_the_engine(layout, None) is None


def test_the_engine_passes_over_the_name_of_a_pack_and_takes_it_written_out(
    program: Program, tmp_path: Path
) -> None:
    program.declare({str(number): one for number, one in enumerate(bent(without("--tool-call-parser")))})
    said = tmp_path / "said.json"
    said.write_text(json.dumps({"serving": "disabled"}))
    written_out = tmp_path / "engine.json"
    written_out.write_text(json.dumps(read_configuration(said).for_the_engine()))
    found = {file: program.preview(CHECKOUT / "policy", file)[2] for file in (said, written_out)}

    assert [event["policyName"] for event in found[said]] == ["tool-calling-is-on"]
    assert found[written_out] == []
