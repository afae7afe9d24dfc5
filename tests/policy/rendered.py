"""The manifests of the product's own stacks, and the tools to bend them: an object goes by `Kind/name`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policy.checks import Finding, check_manifests

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
