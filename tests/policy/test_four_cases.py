"""Every policy has four cases: what is fine, what is not, what is known only at run time, and other people's styles.

They are found in the tables of mutations, whichever module holds them: what a change starts from is fine, what it ends
in is not, and both are said again in other styles, and with what was changed known only at run time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN
from policy.packs import serving_operation
from policy.table import POLICIES, Policy
from tests.policy.option_changes import BESIDE_ANOTHER
from tests.policy.programs import Manifest, compliant
from tests.policy.rendered import objects_of
from tests.policy.rows import Row, rows
from tests.policy.styles import STYLES, Style, as_deployments, later, without_our_labels
from tests.policy.test_supply_chain import REGISTRIES

pytestmark = pytest.mark.policy

ROWS = list(rows())
STACKS = sorted({row.stack for row in ROWS}, key=str)
# One says nothing before its configuration lists registries, the others never fire alone: test_supply_chain and
# test_arguments have their cases.
CASELESS = {REGISTRIES, *BESIDE_ANOTHER}

# The fields are KServe's: in this style nobody reads them, so nothing is said.
NOT_SAID = {
    ("as a Deployment", "server longer than its route"),
    ("as a Deployment", "server shorter than a turn"),
    ("as a Deployment", "server without a timeout"),
}
# How KServe and Knative run a server is nothing that a Deployment says.
HOW_IT_RUNS = {policy.name for policy in serving_operation.POLICIES}
# No contract of the product's stands beside somebody else's server, so its model is judged for every agent.
BESIDE = {"half, where the kernels have BF16 alone", "n-grams with asynchronous scheduling"}
SUITS = "model-suits-the-agents"

# Mandatory, and what is only known at run time proves nothing against them: keys and hosts that most programs have
# from elsewhere, the name of an entry, which is there whatever it holds, releases, which images-are-pinned asks for.
# The others tell that nothing proves the contrary.
SILENT_LATER: set[str] = {
    *("keys-are-bare", "backend-keys-have-their-name", "no-hosted-fallback", "releases-are-not-denied"),
    # An option, a file or a name stops a server by what it says, and one that is not known may be right. Where the
    # verdict hangs on it, tool-calling-is-on, parser-fits-the-model and memory-headroom-is-left refuse it.
    *("options-start-together", "dtype-is-accepted", "arguments-are-taken", "arguments-reach-vllm"),
    *(
        "checkpoints-can-be-loaded",
        "speculation-can-start",
        "release-loads-the-model",
        "chat-template-exists",
    ),
    *("context-holds-an-agent", "promised-agents-are-served", "routes-ask-for-served-names"),
    "proxies-ask-for-served-names",
    *("weights-are-where-kserve-looks", "keys-are-ones-own", "shells-do-not-trace-keys"),
}


def _base(stack: str | None) -> list[Manifest]:
    return list((compliant() if stack is None else objects_of(stack)).values())


@cache
def _fired(row: Row, style: Style) -> frozenset[str] | None:
    """Return the policies that fire on a row in a style, None where the style cannot say it."""
    said = style(row.manifests)
    return None if said is None else _policies(said)


@cache
def _fired_later(row: Row) -> frozenset[str] | None:
    """Return the policies that fire where what a row changes is known later, None where it takes an object away."""
    said = later(_base(row.stack), row.manifests)
    return _policies(said) if _has_unknown(said) else None


def _policies(manifests: list[Manifest]) -> frozenset[str]:
    return frozenset(finding.policy for finding in check_manifests(manifests))


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(each) for each in value.values())
    return value is UNKNOWN or (isinstance(value, list) and any(_has_unknown(each) for each in value))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("stack", STACKS)
def test_what_is_fine_is_fine_in_every_style(stack: str | None, style: str) -> None:
    said = STYLES[style](_base(stack))
    assert said is None or [finding.told for finding in check_manifests(said)] == []


@pytest.mark.parametrize("style", STYLES)
def test_a_change_makes_the_same_policy_fire_in_every_style(style: str) -> None:
    said = {row: fired for row in ROWS if (fired := _fired(row, STYLES[style])) is not None}
    if style == "as a Deployment":
        said = {row: fired for row, fired in said.items() if row.policy not in HOW_IT_RUNS}
        said = {row: fired - ({SUITS} if row.name in BESIDE else set()) for row, fired in said.items()}

    wrong = [
        (str(row), fired)
        for row, fired in said.items()
        if fired != (set() if (style, row.name) in NOT_SAID else {row.policy})
    ]
    assert wrong == []
    assert len(said) > 40, "the style says it of many rows"


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_policy_has_its_four_cases(policy: Policy) -> None:
    if policy.name in CASELESS:
        return
    mine = [row for row in ROWS if row.policy == policy.name]
    assert mine, "no row of any table of mutations fires it"
    # What only KServe has is somebody else's where nothing bears a label of ours.
    styles = (as_deployments, without_our_labels)
    assert any(policy.name in (_fired(row, style) or ()) for style in styles for row in mine), (
        "no row fires it on a server of somebody else's"
    )
    unknown = {row: fired for row in mine if (fired := _fired_later(row)) is not None}
    assert unknown, "no row sets a value that could be known only at run time"
    told = [row.name for row in mine if _has_unknown(row.manifests)] + [
        row.name for row, fired in unknown.items() if policy.name in fired
    ]
    if policy.name in SILENT_LATER:
        assert told == [], "it tells what is only known at run time"
    elif policy.level == "mandatory":
        assert told, (
            "no row fires it with what was changed known only at run time, and it is not said to be silent"
        )


def test_each_of_many_mutations_fires_exactly_its_policy() -> None:
    exactly = sum(_fired(row, style) == frozenset({row.policy}) for row in ROWS for style in STYLES.values())
    assert len({(row.module, row.name) for row in ROWS}) == len(ROWS)
    assert len(ROWS) + exactly >= 250
