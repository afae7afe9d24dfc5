"""The search of the ranking, which computes shared terms once, finds what asking `fit` for every server finds."""

from __future__ import annotations

import pytest

from onprem_agents.advice.advise import Asked, advise, rankings
from onprem_agents.advice.gpu import Gpu
from onprem_agents.advice.model_servers import ModelServers, Recipe
from onprem_agents.advice.server_speeds import ServerSpeeds
from onprem_agents.catalog import Accelerator, Model, load_catalog
from onprem_agents.sizing import Fit, FitRequest, memory_of, speed_of
from onprem_agents.sizing.floors import Floors
from onprem_agents.sizing.speed import turns_on
from onprem_agents.sizing.weights import depends_on_gpu
from tools.bench.one_by_one import one_by_one, servers_that_start

pytestmark = pytest.mark.unit

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("gpu", "gpus", "developers", "context_tokens"),
    [
        ("L40S", 4, 20, 131_072),
        ("RTX-3060", 1, 1, 131_072),
        ("A100-80", 6, 45, 200_000),
        ("H100-MIG-3g.40gb", 2, 7, 65_536),
        ("H200-MIG-1g.18gb", 1, 3, 33_000),
        ("T4", 3, 5, 49_152),
        ("GB10", 1, 2, 131_072),
        ("B300", 8, 300, 1_048_576),
    ],
)
def test_the_ranking_is_that_of_sizing_every_server_on_its_own(
    gpu: str, gpus: int, developers: int, context_tokens: int
) -> None:
    accelerator = CATALOG.accelerator(gpu)
    found = advise(CATALOG, accelerator, gpus, Asked(developers=developers, context_tokens=context_tokens))
    expected = one_by_one(CATALOG, accelerator, gpus, developers, context_tokens)
    assert [(one.request, one.memory, one.sessions, one.largest_context_tokens) for one in found] == expected
    assert expected, "a sample in which nothing fits would prove nothing"


def test_a_ranking_among_many_is_the_one_that_is_asked_for_alone() -> None:
    names = ["RTX-4090", "L40", "L40S", "H100", "H100-PCIe", "H100-MIG-1g.20gb"]
    gpus = [CATALOG.accelerator(name) for name in names]
    for ranking in rankings(CATALOG, gpus, (1, 2, 3, 8), Asked(developers=12, context_tokens=98_304)):
        alone = advise(
            CATALOG, ranking.accelerator, ranking.gpus, Asked(developers=12, context_tokens=98_304)
        )
        assert [(one.request, one.sessions, one.reasons) for one in ranking.choices] == [
            (one.request, one.sessions, one.reasons) for one in alone
        ]


def _one_of_each_class() -> list[Accelerator]:
    """Return one accelerator of each class that a search tells apart by anything but its exact memory and speed."""
    classes: dict[object, Accelerator] = {}
    for accelerator in CATALOG.accelerators:
        gpu = Gpu.of(accelerator)
        classes.setdefault((gpu.kind, gpu.computes, gpu.writes_checkpoints, gpu.pads_wide), accelerator)
    return list(classes.values())


def _one_of_each_cache() -> list[Model]:
    """Return one model of each mixture of attention layers, and of those whose weights depend on the GPU."""
    mixtures: dict[object, Model] = {}
    for model in CATALOG.models:
        kinds = frozenset(group.kind for group in model.architecture.attention)
        mixtures.setdefault((kinds, any(depends_on_gpu(variant) for variant in model.variants)), model)
    return list(mixtures.values())


@pytest.mark.parametrize(("gpus", "context_tokens"), [(8, 131_072), (6, 1_048_576), (1, 40_000)])
def test_a_search_finds_the_servers_sessions_and_blocks_that_fit_finds(
    gpus: int, context_tokens: int
) -> None:
    accelerators, started = _one_of_each_class(), set[bool]()
    for model in _one_of_each_cache():
        servers = ModelServers(model, context_tokens=context_tokens, gpus=gpus)
        for accelerator in accelerators:  # one after another, as terms are shared between them
            found = {
                (*_named(held.server.recipe, held.context_tokens), held.sessions, held.blocks)
                for alike in servers.on(Gpu.of(accelerator), (gpus,))
                for held in alike
            }
            expected = {
                (*_named(asked, asked.context_tokens), one.sessions, _blocks(one))
                for asked, one in servers_that_start(model, accelerator, gpus, context_tokens)
            }
            assert found == expected, accelerator.name
            started.add(bool(expected))
    assert started == {True, False}, "a sample of one answer would prove little"


def _named(one: Recipe | FitRequest, context_tokens: int) -> tuple[str, int, str, int]:
    return one.variant.hf_id, one.tensor_parallel, one.kv_cache_dtype, context_tokens


def _blocks(found: Fit) -> int:
    assert found.memory is not None
    return found.memory.layout.blocks_in(found.kv_pool_gib)


@pytest.mark.parametrize("gpu", ["L40S", "H100", "GB10", "B300", "RTX-3060"])
def test_the_speed_that_a_search_puts_together_is_the_one_of_the_whole_account(gpu: str) -> None:
    known = Gpu.of(CATALOG.accelerator(gpu))
    compared = 0
    for model in CATALOG.models[::5]:
        servers, speeds = ModelServers(model, context_tokens=131_072, gpus=8), ServerSpeeds(model)
        for held in (held for alike in servers.on(known, range(1, 9)) for held in alike):
            memory = memory_of(held.server.recipe.request(known.accelerator, held.context_tokens))
            assert speeds.turns(held, known, 3) == turns_on(memory, 3, 1), held.server.recipe.variant.hf_id
            compared += 1
    assert compared, "a sample in which nothing fits would prove nothing"


@pytest.mark.parametrize("gpu", ["L40S", "H100", "GB10"])
def test_a_search_finds_the_floors_reached_where_the_expected_speed_misses_none(gpu: str) -> None:
    known, floors, found = Gpu.of(CATALOG.accelerator(gpu)), Floors(), set()
    for model in CATALOG.models[::9]:
        servers, speeds = ModelServers(model, context_tokens=131_072, gpus=2), ServerSpeeds(model)
        for held in (held for alike in servers.on(known, (1, 2)) for held in alike):
            memory = memory_of(held.server.recipe.request(known.accelerator, held.context_tokens))
            for agents in (1, 2, 5, 12, 40, 300):
                reached = floors.reached_by(speeds.turns(held, known, agents))
                assert reached == (floors.misses(speed_of(memory, agents)) is None), (model.name, agents)
                found.add(reached)
    assert found == {True, False}, "a sample of one answer would prove little"
