"""ServingRuntimes of the program that none of its services uses: judged by what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import load_catalog

from ..containers import KSERVE, environment_in, named_container, release_of
from ..graph import Graph, dig
from .commands import argv_of, hints_at_vllm, serves
from .declared import Declared
from .runtimes import runtime_of

_UNSEEN = "no InferenceService of the program uses it, so what services add to its arguments is out of sight"


def unused_runtimes(graph: Graph) -> Iterator[Declared]:
    """Yield the runtimes of vLLM that no service of the graph uses, but for those that KServe itself brings."""
    runtimes = list(graph.of_kind(KSERVE, "ServingRuntime", "ClusterServingRuntime"))
    if not runtimes:
        return
    used = {runtime.name for runtime in load_catalog().serving_runtimes}
    for service in graph.of_kind(KSERVE, "InferenceService"):
        found = runtime_of(graph, service, dig(service.props, "spec", "predictor"))
        used |= {found.name} if found is not None else set()
    for runtime in runtimes:
        spec = dig(runtime.props, "spec")
        container = named_container(dig(spec, "containers"), "kserve-container")
        if container is None or runtime.object_name in used:
            continue
        argv, env = argv_of(container), environment_in(graph, runtime, container)
        if hints_at_vllm(container, argv) and serves(container, argv, env):
            yield Declared(
                resource=runtime,
                pod=spec,
                container=container,
                env=env,
                release=release_of(spec, container),
                named=True,
                unseen=_UNSEEN,
                multi_node=dig(spec, "workerSpec") is not None,
            )
