"""The script that tells roles apart: its form here; what it does is tried in the real Envoy elsewhere."""

from __future__ import annotations

from onprem_agents.manifests.model_routing import lua_script


def test_only_served_models_reach_the_header() -> None:
    script = lua_script(("coder", "fast"), "coder")

    assert 'local SERVED = { ["coder"] = true, ["fast"] = true }' in script
    assert 'local HEADER = "x-onprem-model"' in script


def test_the_beginnings_of_other_names_lead_to_the_main_role() -> None:
    script = lua_script((), "coder", ("claude-*", "gpt-*"))

    assert 'local ALIASES = { "claude-", "gpt-" }' in script
    assert 'local MAIN = "coder"' in script
    assert "local SERVED = {  }" in script, "one role alone needs no header"


def test_no_hole_of_the_template_is_left() -> None:
    assert "@" not in lua_script(("coder",), "coder", ("claude-*",))


def test_the_script_uses_nothing_that_envoy_gateways_strict_validation_blocks() -> None:
    script = lua_script(("coder",), "coder", ("claude-*",))

    for blocked in ("require", "loadstring", "setmetatable", "clearRouteCache", "os.", "io."):
        assert blocked not in script, "Envoy Gateway 1.9 runs the script against mocks without it"
