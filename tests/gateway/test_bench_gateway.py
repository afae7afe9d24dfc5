"""`./dev bench gateway` end to end, one short round: it measures all targets and leaves nothing behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from embedded.cluster import Cluster
from embedded.gateway import litellm
from embedded.layout import Layout
from embedded.progress import Progress
from embedded.toolchain import NAMES, present
from tools.bench.gateway import measure_gateway


def test_envoy_and_litellm_are_measured_beside_the_direct_way(tmp_path: Path) -> None:
    if missing := sorted(set(NAMES) - set(present(Layout.default()))):
        pytest.skip(f"not built yet: {', '.join(missing)}; `./dev test agents` brings them")
    own = dataclasses.replace(Layout.default(), state=tmp_path)

    figures = measure_gateway(own, Progress(), rounds=1, seconds=0.5, developers=5)

    assert [(way.target, way.streams) for way in figures.ways] == [
        ("Envoy, 5 keys", 1),
        ("Envoy, 5 keys", 16),
        ("Envoy + LiteLLM", 1),
        ("Envoy + LiteLLM", 16),
    ]
    assert figures.left_out is None
    for way in figures.ways:
        assert 0 < way.direct.p50_ms < way.through.p50_ms, "a hop more takes longer"
        assert way.direct.requests_per_second[0] > way.through.requests_per_second[0] > 1
        assert len(way.direct.paced) == len(way.through.paced) == way.streams
        assert all(90 < each < 110 for each in way.direct.paced), "the server keeps to 100 tokens a second"
    measured = dataclasses.replace(own, state=own.state / "bench")
    assert Cluster(measured).parts() == []
    assert not litellm.process(measured).alive()
    assert [path.name for path in own.state.iterdir()] == ["logs"]
