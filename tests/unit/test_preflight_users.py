"""Preflight tells where stack and platform would both say the pods' user, or neither."""

from __future__ import annotations

import pytest

from tests.unit.manifest_samples import planned
from tests.unit.preflight_samples import PretendedCluster, missing

NAME = "users of the pods"


def cluster(*, openshift: bool) -> PretendedCluster:
    found = PretendedCluster()
    if openshift:
        found.served.append(("security.openshift.io", "v1", "SecurityContextConstraints"))
    return found


@pytest.mark.parametrize(
    ("openshift", "pod_ids", "told"),
    [
        (True, "fixed", ("refuses the stack's user 1000", "platform.podIds to platform")),
        (False, "platform", ("nothing is there that is known to assign users", "platform.podIds to fixed")),
    ],
)
def test_one_of_them_says_the_user(openshift: bool, pod_ids: str, told: tuple[str, str]) -> None:
    check = missing(cluster(openshift=openshift), planned(podIds=pod_ids))[NAME]

    assert check.verdict == "doubtful", "a right or a policy of somebody else may allow it"
    assert told[0] in check.found
    assert told[1] in check.fix
    assert NAME not in missing(cluster(openshift=not openshift), planned(podIds=pod_ids))
