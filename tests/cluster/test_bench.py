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
    sizes = (figures.growth.small, figures.growth.middle, figures.growth.large)
    assert sizes[1].resources - sizes[0].resources == 48, "one Secret a developer, 2 and 50 of them"
    assert sizes[2].resources - sizes[1].resources == 100
    assert Cluster(dataclasses.replace(own, state=own.state / "bench")).parts() == []
    assert [path.name for path in own.state.iterdir()] == ["logs"]
    assert (layout.checkout / "stacks" / "Pulumi.local.yaml").read_bytes() == before, "the user's stack"
