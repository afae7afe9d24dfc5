"""The workflows of `onprem-agents ci init` are valid by the schemas that their forges' editors use."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for

from onprem_agents.advice.workflows import Forge, workflow

pytestmark = pytest.mark.unit

# As check-jsonschema brings them from SchemaStore and from GitLab.
SCHEMAS: dict[Forge, str] = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as forges read it: `on` is a name, and no switch."""


_Loader.yaml_implicit_resolvers = {
    sign: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:bool" or sign in "tfTF"]
    for sign, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def problems(forge: Forge, document: object) -> list[str]:
    schema = get_builtin_schema(SCHEMAS[forge])
    return [error.message for error in validator_for(schema)(schema).iter_errors(document)]


def read(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader


@pytest.mark.parametrize("stacks", [".", "stacks", "platform/stacks"])
@pytest.mark.parametrize("forge", SCHEMAS)
def test_a_workflow_is_valid(forge: Forge, stacks: str) -> None:
    assert problems(forge, read(workflow(forge, stacks).text)) == []


@pytest.mark.parametrize(
    ("forge", "old", "new"),
    [
        ("github", "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"),
        ("github", "contents: read", "contents: all"),
        ("github", "fetch-depth", "fetch-depth: {}, x"),
        ("gitlab", "script:", "scripts:"),
        ("gitlab", "when: always", "when: ever"),
    ],
)
def test_the_schema_would_see_a_mistake(forge: Forge, old: str, new: str) -> None:
    text = workflow(forge, "stacks").text
    assert text.count(old) == 1
    assert problems(forge, read(text.replace(old, new))) != []
