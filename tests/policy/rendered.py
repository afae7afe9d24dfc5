"""The manifests of the product's own stacks, and the tools to bend them: an object goes by `Kind/name`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policy.checks import Finding, check_manifests
from policy.table import POLICIES

GOLDEN = Path(__file__).parents[1] / "golden" / "manifests"
Objects = dict[str, dict[str, Any]]
Change = Callable[[Objects], None]


@cache
def _read(stack: str) -> Objects:
    text = (GOLDEN / f"{stack}.yaml").read_text(encoding="utf-8")
    documents = (document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document)
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in documents}


def objects_of(stack: str) -> Objects:
    """Return a fresh copy of the objects that a stack is rendered to."""
    return copy.deepcopy(_read(stack))


def found_in(stack: str, change: Change) -> list[Finding]:
    """Return what the policies find in a stack after a change."""
    objects = objects_of(stack)
    change(objects)
    return check_manifests(objects.values())


def policies_in(findings: list[Finding]) -> set[str]:
    """Return the names of the policies that fired."""
    return {finding.policy for finding in findings}


def assert_only(policy: str, findings: list[Finding], part: str) -> None:
    """Assert that one policy alone was broken, that a finding tells `part`, and that each has the table's level."""
    assert policies_in(findings) == {policy}, "\n".join(f"{f.policy}: {f.told}" for f in findings)
    assert any(part in finding.told for finding in findings), findings[0].told
    assert {f.level for f in findings} == {next(row.level for row in POLICIES if row.name == policy)}
