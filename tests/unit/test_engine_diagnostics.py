"""What of the engine's display an error tells."""

from __future__ import annotations

from embedded.engine import diagnostics

_DISPLAY = """\
Updating (local):
@ updating...
 ~  pulumi:pulumi:Stack onprem-coding-agents-local updating
Diagnostics:
  kubernetes:serving.kserve.io/v1beta1:InferenceService (coder):
    error: update failed: the webhook said no

Policies:
    onprem v0.1.0
Outputs:
  ~ connection: {
      ~ clientSeconds: 780 => 840
    }

Resources:
    ~ 5 updated
    1 errored

Duration: 4s
"""


def test_an_error_tells_the_diagnostics_and_policies_and_none_of_the_outputs() -> None:
    assert diagnostics(_DISPLAY.splitlines()).splitlines() == [
        "Diagnostics:",
        "  kubernetes:serving.kserve.io/v1beta1:InferenceService (coder):",
        "    error: update failed: the webhook said no",
        "Policies:",
        "    onprem v0.1.0",
    ]


def test_where_the_engine_names_no_fault_its_last_lines_are_told() -> None:
    lines = [f"line {number}" for number in range(40)]

    assert diagnostics(lines).splitlines() == lines[-30:]
