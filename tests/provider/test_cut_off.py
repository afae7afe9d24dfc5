"""An object whose create was cut off before the state knew of it: its fields are a manager's that no state names."""

from __future__ import annotations

import copy
import json

from tests.provider.stack import Stack

_WIDGET = "Object('test.example/v1:Widget', 'one', {'metadata': meta('one'), 'spec': {'size': %d}})"


def _cut_off(stack: Stack) -> None:
    """Create the object and make the state that of an engine killed before it heard of it."""
    stack.program(_WIDGET % 1)
    stack.up()
    exported = json.loads(stack.run("stack", "export").text)
    deployment = exported["deployment"]
    (widget,) = [entry for entry in deployment["resources"] if entry["urn"].endswith("::one")]
    deployment["resources"].remove(widget)
    begun = {key: copy.deepcopy(value) for key, value in widget.items() if key not in {"id", "outputs"}}
    deployment["pending_operations"] = [{"type": "creating", "resource": begun}]
    file = stack.folder / "killed.json"
    file.write_text(json.dumps(exported))
    stack.run("stack", "import", "--file", str(file))


def test_its_first_change_is_a_conflict_which_the_variable_of_the_provider_overrides(stack: Stack) -> None:
    _cut_off(stack)
    stack.refresh("--clear-pending-creates")
    assert stack.up().changes == {"create": 1}, "the provider takes over what is there"

    stack.program(_WIDGET % 2)
    assert "field conflict detected" in stack.up(fails=True).text
    stack.environment = {**stack.environment, "PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
    assert stack.up().changes == {"update": 1}
    assert stack.get("Widget", "one", "test.example/v1")["spec"]["size"] == 2
