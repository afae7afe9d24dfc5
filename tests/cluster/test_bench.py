"""`./dev bench program` end to end, one round: it measures, and leaves neither process nor file behind."""

from __future__ import annotations

import dataclasses

import pytest

from embedded.cluster import Cluster
from embedded.layout import Layout
from embedded.progress import Progress
from tools.bench.program import measure_program


def test_the_program_is_measured_beside_an_empty_one(
    layout: Layout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = dataclasses.replace(layout, state=tmp_path_factory.mktemp("bench"))
    before = (layout.checkout / "stacks" / "Pulumi.local.yaml").read_bytes()

    figures = measure_program(own, Progress(), rounds=1)

    assert [one.series.what for one in figures.comparisons] == [
        "import + evaluation",
        "preview",
        "preview with policies",
        "up from nothing, with policies",
        "up without a change, with policies",
    ]
    for one in figures.comparisons:
        assert one.series.resources > 20, "namespace, walls, nodes, keys, server, gateway, routes"
        assert one.base.seconds < one.series.seconds, "the empty program does less"
        assert 20 < one.base.peak_mib < one.series.peak_mib < 2000, "MiB: an interpreter weighs 40"
    assert len(figures.growth) == 2, "evaluation and preview"
    for growth in figures.growth:
        lower = growth.middle.resources - growth.small.resources
        upper = growth.large.resources - growth.middle.resources
        assert lower > 94, "a Secret for each of 94 developers more, and a server for each of 3 roles"
        assert upper > 375, "a Secret for each of 375 developers more, and a server for each of 12 roles"
    assert Cluster(dataclasses.replace(own, state=own.state / "bench")).parts() == []
    assert [path.name for path in own.state.iterdir()] == ["logs"]
    assert (layout.checkout / "stacks" / "Pulumi.local.yaml").read_bytes() == before, "the user's stack"
