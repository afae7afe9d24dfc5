"""One copy of the checkout for this folder, with the stack `local` up on a cluster of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from embedded.layout import Layout
from embedded.toolchain import NAMES, present
from tests.cluster.end_to_end.checkout import Checkout, Outcome
from tests.cluster.end_to_end.sampling import Sampler

CANARY = "canary-4f1d9b7c2e8a6053-0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class FirstUp:
    """The first `./dev up` of the copy, what all processes showed of themselves meanwhile, and alice's key."""

    outcome: Outcome
    sampler: Sampler
    canary: str


@pytest.fixture(scope="package")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    missing = sorted(set(NAMES) - set(present(Layout.default())))
    if missing:
        pytest.skip(f"not built yet: {', '.join(missing)}; `./dev test cluster` brings them")
    checkout = Checkout.copy(tmp_path_factory.mktemp("end-to-end"))
    yield checkout
    done = checkout.dev("down")
    assert done.code == 0, done.text
    assert checkout.processes() == {}, "`./dev down` ends everything"


@pytest.fixture(scope="package")
def first_up(checkout: Checkout) -> FirstUp:
    """`./dev up` from nothing, with a key of alice that the engineer set."""
    done = checkout.pulumi("stack", "init", "local", "--secrets-provider", "passphrase")
    assert done.code == 0, done.text
    checkout.set_secret("local", "developerKeys.alice", CANARY)
    with Sampler(CANARY) as sampler:
        outcome = checkout.dev("up")
    return FirstUp(outcome=outcome, sampler=sampler, canary=CANARY)


@pytest.fixture
def local(checkout: Checkout, first_up: FirstUp) -> Checkout:
    """The copy with the stack `local` up, whatever an earlier test left."""
    assert first_up.outcome.code == 0, first_up.outcome.text
    if not checkout.is_up():
        checkout.up()
    return checkout
