"""Which servers of a model start on a GPU, and how many sessions each of them holds.

Over all accelerators of the catalogue the same terms of the sizing engine come up again and again: weights depend on
no GPU, activations and the layout of the KV cache on no checkpoint. `ModelServers` asks for each of them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from onprem.catalog import Accelerator, Model, Variant
from onprem.plan.choice import UTILIZATION, kv_cache_dtypes, request_of, settings_class
from onprem.settings import ModelRole
from onprem.sizing import FitRequest, candidate_tensor_parallel, tensor_parallel_problems
from onprem.sizing.kv_cache import CacheLayout
from onprem.sizing.memory import Load, layout_of, load_from
from onprem.sizing.overhead import Overhead, overhead, traits_of
from onprem.sizing.refusals import refused_by_settings
from onprem.sizing.weights import Weights, weights_of

# The least that agents work with: their start prompt and the reserve for compaction (see the agents' facts).
_LEAST_CONTEXT_TOKENS = 32_768
# A context that was cut down to what fits is a multiple of this.
_CONTEXT_STEP_TOKENS = 1024

_ANY_ROLE = ModelRole(role="coder", model="any")

GpuClass = tuple[tuple[int, bool], tuple[bool, bool]]


def class_of(gpu: Accelerator) -> GpuClass:
    """Return all of a GPU on which the settings of a server and its load depend: nothing of its exact memory."""
    return settings_class(gpu), traits_of(gpu)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A checkpoint, over how many GPUs a server spreads it, and vLLM's flag for its KV cache."""

    model: Model
    variant: Variant
    tensor_parallel: int
    kv_cache_dtype: str

    def request(self, gpu: Accelerator, context_tokens: int) -> FitRequest:
        """Return the sizing request of a server on that GPU."""
        return request_of(
            _ANY_ROLE,
            self.model,
            self.variant,
            gpu,
            tensor_parallel=self.tensor_parallel,
            context_tokens=context_tokens,
            kv_cache_dtype=self.kv_cache_dtype,
        )


class Server(NamedTuple):
    """A server that starts, and the sessions of that context that it holds. A tuple: a search makes very many."""

    recipe: Recipe
    gpu: Accelerator
    context_tokens: int
    sessions: int

    def request(self) -> FitRequest:
        """Return its sizing request."""
        return self.recipe.request(self.gpu, self.context_tokens)


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What servers of one model on one class of GPUs have in common: all but their weights.

    In blocks of the KV cache: what one session of the wanted context takes, without how many a server does not
    start with it, and without how many agents cannot work with the server at all.
    """

    rest: Overhead
    layout: CacheLayout
    is_refused: bool
    session_blocks: int
    wanted_blocks: int
    least_blocks: int


@dataclass(frozen=True, kw_only=True)
class _Blueprint:
    """A server of which all is known but how large its GPU is."""

    recipe: Recipe
    context_tokens: int
    max_num_seqs: int
    load: Load
    frame: _Frame

    def on(self, gpu: Accelerator, budget_gib: float) -> Server | None:
        """Return the server on that GPU, with a shorter context where that is needed and still enough for agents."""
        load, frame = self.load, self.frame
        if frame.is_refused or not load.starts_outside(gpu.total_gib, budget_gib):
            return None
        blocks = frame.layout.blocks_in(load.careful_pool_gib(gpu.total_gib, budget_gib))
        context_tokens, each = self.context_tokens, frame.session_blocks
        if blocks < frame.wanted_blocks:
            if blocks < frame.least_blocks or blocks >= each:
                return None
            context_tokens = frame.layout.longest_in(blocks, context_tokens, _CONTEXT_STEP_TOKENS)
            each = frame.layout.blocks_per_request(context_tokens)
        return Server(self.recipe, gpu, context_tokens, min(blocks // each, self.max_num_seqs))


_Order = Sequence[Sequence[tuple[Recipe, Weights]]]


class ModelServers:
    """The servers of one model with a context of up to `context_tokens` on up to `gpus` GPUs of one node."""

    def __init__(self, model: Model, *, context_tokens: int, gpus: int) -> None:
        """Start with no term computed."""
        self._model = model
        self._context_tokens = min(context_tokens, model.architecture.max_context_tokens)
        self._gpus = gpus
        self._recipes: dict[tuple[str, int, str], Recipe | None] = {}
        self._weights: dict[tuple[str, int], Weights] = {}
        self._orders: dict[float, _Order] = {}
        self._frames: dict[tuple[int, str, GpuClass], _Frame] = {}
        # A recipe is known by its identity: to hash the facts of a checkpoint costs more than to size it.
        self._blueprints: dict[GpuClass, dict[int, _Blueprint]] = {}

    def on(self, gpu: Accelerator, gpu_class: GpuClass) -> Iterator[Sequence[Server]]:
        """Yield the servers that start, those of equal quality together, the best quality first.

        Quality is the precision: one the GPU computes in, then the one that keeps most bytes, then a KV cache in
        the model's own. Those of equal quality come with the fewest GPUs first.
        """
        budget_gib = gpu.total_gib * UTILIZATION
        known = self._blueprints.setdefault(gpu_class, {})
        for recipes in self._order(gpu):
            servers = []
            for recipe, weights in recipes:
                if weights.gib >= budget_gib:
                    continue
                blueprint = known.get(id(recipe))
                if blueprint is None:
                    blueprint = known[id(recipe)] = self._blueprint(recipe, weights, gpu, gpu_class)
                server = blueprint.on(gpu, budget_gib)
                if server is not None:
                    servers.append(server)
            if servers:
                yield servers

    def _order(self, gpu: Accelerator) -> _Order:
        """Return the recipes that such a GPU computes, in the order of `on`, with the weights on each GPU."""
        order = self._orders.get(gpu.compute_capability)
        if order is None:
            found = sorted(self._usable(gpu), key=lambda one: one[1].tensor_parallel)
            found.sort(key=itemgetter(0), reverse=True)
            order = self._orders[gpu.compute_capability] = [
                [(recipe, self._weights_of(recipe, gpu)) for _, recipe in alike]
                for _, alike in groupby(found, key=itemgetter(0))
            ]
        return order

    def _usable(self, gpu: Accelerator) -> Iterator[tuple[tuple[bool, float, bool], Recipe]]:
        """Yield quality and recipe of all that the GPU computes."""
        sizes = candidate_tensor_parallel(self._model, gpu, self._gpus)
        for variant in self._model.variants:
            if gpu.compute_capability < variant.min_compute_capability:
                continue
            native = variant.runs_natively_on(gpu.compute_capability)
            for size in sizes:
                for dtype in kv_cache_dtypes(_ANY_ROLE, gpu):
                    recipe = self._recipe(variant, size, dtype)
                    if recipe is not None:
                        own = dtype == "auto" and variant.kv_cache_dtype is None
                        yield (native, variant.weights_gib, own), recipe

    def _recipe(self, variant: Variant, tensor_parallel: int, dtype: str) -> Recipe | None:
        """Return that recipe, None where the checkpoint cannot be spread over so many GPUs."""
        key = variant.hf_id, tensor_parallel, dtype
        if key not in self._recipes:
            recipe = Recipe(
                model=self._model, variant=variant, tensor_parallel=tensor_parallel, kv_cache_dtype=dtype
            )
            uneven = tensor_parallel_problems(self._model, variant, tensor_parallel)
            self._recipes[key] = None if uneven else recipe
        return self._recipes[key]

    def _weights_of(self, recipe: Recipe, gpu: Accelerator) -> Weights:
        key = recipe.variant.hf_id, recipe.tensor_parallel
        if key not in self._weights:
            self._weights[key] = weights_of(recipe.request(gpu, self._context_tokens))
        return self._weights[key]

    def _blueprint(
        self, recipe: Recipe, weights: Weights, gpu: Accelerator, gpu_class: GpuClass
    ) -> _Blueprint:
        request = recipe.request(gpu, self._context_tokens)
        key = recipe.tensor_parallel, request.cache_dtype, gpu_class
        if key not in self._frames:
            self._frames[key] = _frame(request)
        frame = self._frames[key]
        return _Blueprint(
            recipe=recipe,
            context_tokens=request.context_tokens,
            max_num_seqs=request.max_num_seqs,
            load=load_from(request, weights, frame.rest, frame.layout),
            frame=frame,
        )


def _frame(request: FitRequest) -> _Frame:
    layout = layout_of(request)
    return _Frame(
        rest=overhead(request),
        layout=layout,
        is_refused=bool(refused_by_settings(request, layout)),
        session_blocks=layout.blocks_per_request(request.context_tokens),
        wanted_blocks=layout.least_blocks(request.context_tokens, request.max_num_seqs),
        least_blocks=layout.least_blocks(_LEAST_CONTEXT_TOKENS, request.max_num_seqs),
    )
