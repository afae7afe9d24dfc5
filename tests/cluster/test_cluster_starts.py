"""Starts of the bare cluster that go wrong: interrupted, killed, without room, without a working part."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded.cluster import Cluster, ClusterNeeds
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import Binary
from onprem_agents.errors import EnvironmentProblem
from tests.cluster.looking import eventually, pids

if TYPE_CHECKING:
    from tests.cluster.conftest import Notes


pytestmark = pytest.mark.cluster

_INTERRUPTED = """
import sys
from pathlib import Path
from embedded.cluster import Cluster, BINARIES
from embedded.cluster.cluster import ClusterNeeds
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import provision
layout = Layout(checkout=Path.cwd(), state=Path(sys.argv[1]), cache=Path(sys.argv[2]))
needs = ClusterNeeds(crds=frozenset({"kserve", "gateway-api", "envoy-gateway"}))
Cluster(layout, provision(layout, BINARIES, Progress())).start(needs, Progress())
"""


def test_ctrl_c_during_the_start_leaves_nothing_running(layout: Layout, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path), str(layout.cache)], cwd=layout.checkout
    )
    interrupted = Cluster(Layout(checkout=layout.checkout, state=tmp_path, cache=layout.cache))
    try:
        eventually(lambda: "kwok" in pids(interrupted), "the start is under way")
        child.send_signal(signal.SIGINT)
        child.wait(timeout=20)
        assert interrupted.parts() == []
        assert interrupted.dead() == []
    finally:
        child.kill()
        child.wait()
        interrupted.stop(Progress())


def test_a_start_killed_midway_is_taken_over_by_the_next(
    layout: Layout, binaries: Mapping[str, Binary], tmp_path: Path, notes: Notes
) -> None:
    cluster = Cluster(Layout(checkout=layout.checkout, state=tmp_path, cache=layout.cache), binaries)
    child = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path), str(layout.cache)], cwd=layout.checkout
    )
    try:
        eventually(lambda: "kube-apiserver" in pids(cluster), "the start is under way")
        child.kill()
        child.wait()
        survivors = pids(cluster)

        cluster.start(ClusterNeeds(crds=frozenset({"gateway-api"})), notes)

        assert pids(cluster)["etcd"] == survivors["etcd"]
        assert pids(cluster)["kube-apiserver"] == survivors["kube-apiserver"]
    finally:
        child.kill()
        child.wait()
        cluster.stop(notes)
    assert cluster.parts() == []


def test_a_state_folder_that_cannot_be_written_is_one_sentence(
    layout: Layout, binaries: Mapping[str, Binary], tmp_path: Path, notes: Notes
) -> None:
    (tmp_path / "cluster").write_text("a file where a folder should be")
    cluster = Cluster(Layout(checkout=layout.checkout, state=tmp_path, cache=layout.cache), binaries)

    with pytest.raises(EnvironmentProblem, match=f"the cluster's files in {tmp_path} cannot be written"):
        cluster.start(ClusterNeeds(crds=frozenset()), notes)


def test_a_failed_start_names_the_log_and_leaves_nothing_running(
    layout: Layout, binaries: Mapping[str, Binary], tmp_path: Path, notes: Notes
) -> None:
    broken = Binary(name="etcd", version="0", origin="path", path=Path("/bin/false"))
    here = Layout(checkout=layout.checkout, state=tmp_path, cache=layout.cache)
    cluster = Cluster(here, {**binaries, "etcd": broken})

    with pytest.raises(EnvironmentProblem, match="etcd ended before it was ready") as caught:
        cluster.start(ClusterNeeds(crds=frozenset()), notes)

    assert str(here.logs / "etcd.log") in str(caught.value)
    assert cluster.parts() == []
