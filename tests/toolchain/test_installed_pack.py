"""The installed policy pack, started by the real engine for a program of somebody else's."""

from __future__ import annotations

from pathlib import Path

from tests.policy.programs import compliant, without
from tests.toolchain.installed import Environment, build_wheel, copy_sources
from tests.toolchain.previewed import Program


def test_it_refuses_a_server_without_tool_calling_and_passes_a_compliant_one(
    program: Program, tmp_path: Path
) -> None:
    environment = Environment.make(tmp_path / "venv")
    environment.install(build_wheel(copy_sources(tmp_path / "source")))
    pack = environment.run("onprem-agents", "policy-pack").strip()
    manifests = compliant()

    program.declare(manifests)
    code, told = program.run("preview", "--policy-pack", pack)
    assert code == 0, told

    without("--enable-auto-tool-choice")(manifests)
    program.declare(manifests)
    code, told = program.run("preview", "--policy-pack", pack)
    assert code != 0
    assert "[mandatory]" in told
    assert "tool-calling-is-on" in told
    assert "parser-fits-the-model" not in told, "one change, one policy"
