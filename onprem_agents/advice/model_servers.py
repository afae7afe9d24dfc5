"""Which servers of a model start on a GPU, and how many sessions each of them holds.

Over all accelerators of the catalogue the same terms of the sizing engine come up again and again: weights depend on
no GPU, activations and the layout of the KV cache on no checkpoint. `ModelServers` asks for each of them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from onprem_agents.advice.gpu import Gpu, GpuClass
from onprem_agents.catalog import Accelerator, GatedDeltaNet, Model, Variant
from onprem_agents.plan.choice import (
    kv_cache_dtypes,
    noticeable_loss,
    request_of,
)
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.sizing import FitRequest, tensor_parallel_problems
from onprem_agents.sizing.divisibility import attention_sizes, most_gpus_together
from onprem_agents.sizing.kv_cache import CacheLayout
from onprem_agents.sizing.memory import Load, Room, layout_of, load_from
from onprem_agents.sizing.overhead import Overhead, overhead
from onprem_agents.sizing.refusals import refused_by_settings
from onprem_agents.sizing.weights import Weights, depends_on_gpu, weights_of
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import load_release, newest_release

# The least that agents work with: their start prompt and the reserve for compaction (see the agents' facts).
_LEAST_CONTEXT_TOKENS = 32_768
# A context that was cut down to what fits is a multiple of this.
_CONTEXT_STEP_TOKENS = 1024

_ANY_ROLE = ModelRole(role="coder", model="any")


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


@dataclass(frozen=True, kw_only=True)
class _Cache:
    """A layout of the KV cache, and the blocks of a session: of a wanted one, and of the shortest of use."""

    layout: CacheLayout
    session_blocks: int
    least_blocks: int
    has_states: bool


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """What the servers of one model on one class of GPUs have in common: all but their weights.

    `state_blocks` are the blocks without which it does not start whatever the context.
    """

    request: FitRequest
    rest: Overhead
    cache: _Cache
    is_refused: bool
    state_blocks: int


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server of which all is known but how large its GPU is."""

    recipe: Recipe
    load: Load
    frame: _Frame

    def sessions_in(self, room: Room) -> tuple[int, int, int]:
        """Return its context in that room, the sessions of it that it holds, and its blocks; zeros: it does not start.

        The context is shorter than wanted where that is needed and what is left is enough for agents.
        """
        load, frame = self.load, self.frame
        if frame.is_refused or not load.starts_outside(room):
            return _NOTHING
        cache = frame.cache
        blocks = cache.layout.blocks_in(load.careful_pool_gib(room))
        context_tokens, each = frame.request.context_tokens, cache.session_blocks
        if blocks < frame.state_blocks:
            return _NOTHING
        if blocks < each:
            if blocks < cache.least_blocks:
                return _NOTHING
            context_tokens = cache.layout.longest_in(blocks, context_tokens, _CONTEXT_STEP_TOKENS)
            each = cache.layout.blocks_per_request(context_tokens)
        return context_tokens, min(blocks // each, frame.request.max_num_seqs), blocks


_NOTHING = (0, 0, 0)


class Held(NamedTuple):
    """A server on a GPU, its context, sessions and blocks; a tuple, as a search makes very many."""

    server: Server
    context_tokens: int
    sessions: int
    blocks: int


@cache
def _divisors(counts: tuple[int, ...]) -> frozenset[int]:
    """Return the sizes of servers of which a whole number fills one of these numbers of GPUs."""
    return frozenset(size for count in counts for size in range(1, count + 1) if count % size == 0)


_Order = Sequence[Sequence[Recipe]]
_Ability = tuple[int, tuple[str, ...], tuple[tuple[bool, bool], ...]]
"""How many GPUs may share a model, the KV caches to try, and which checkpoints it runs and computes in."""


class _Slot:
    """A recipe, what of its weights lies on each GPU, and its server on one class of GPUs once one is asked for."""

    __slots__ = ("recipe", "server", "size", "weights_gib")

    def __init__(self, recipe: Recipe, weights_gib: float) -> None:
        self.recipe, self.size, self.weights_gib = recipe, recipe.tensor_parallel, weights_gib
        self.server: Server | None = None


_Kind = tuple[GpuClass, bool, bool]
"""All of a GPU on which the servers of one model depend: its class, and what only some models notice."""


class ModelServers:
    """The servers of one model with a context of up to `context_tokens` on up to `gpus` GPUs of one node."""

    def __init__(self, model: Model, *, context_tokens: int, gpus: int) -> None:
        """Start with no term computed."""
        self._model = model
        self._context_tokens = min(context_tokens, model.architecture.max_context_tokens)
        self._gpus = gpus
        self._sizes = attention_sizes(model, gpus)
        self._notices_checkpoints = any(
            isinstance(group, GatedDeltaNet) for group in model.architecture.attention
        )
        self._notices_padding = any(depends_on_gpu(variant) for variant in model.variants)
        self._needed: dict[str, str | None] = {}
        self._recipes: dict[tuple[str, str], Sequence[Recipe]] = {}
        self._splits: dict[str, Sequence[int]] = {}
        self._weights: dict[tuple[str, int, bool], Weights] = {}
        # A recipe is known by its identity: to hash the facts of a checkpoint costs more than to size it.
        self._slots: dict[_Kind, dict[int, _Slot]] = {}
        self._orders: dict[_Ability, _Order] = {}
        self._line_ups: dict[tuple[Any, ...], Sequence[Sequence[_Slot]]] = {}
        self._overheads: dict[tuple[int, GpuClass], Overhead] = {}
        self._caches: dict[tuple[int, str, int, bool | None, bool], _Cache] = {}
        self._frames: dict[tuple[int, str, str | None, _Kind], _Frame] = {}

    def on(self, gpu: Gpu, counts: Sequence[int]) -> Iterator[Sequence[Held]]:
        """Yield the servers that start, those of equal quality together, the best quality first.

        `counts` are the numbers of GPUs that whole servers shall fill; the caller may take from it what it is done
        with. Quality is the precision: one the GPU computes in, then the one that loses least, then a KV cache in the
        model's own. Those of equal quality come with the fewest GPUs first.
        """
        room = gpu.room
        for slots in self._line_up(gpu):
            sizes = _divisors(tuple(counts))
            held = []
            for slot in slots:
                if slot.weights_gib >= room.budget_gib or slot.size not in sizes:
                    continue
                server = slot.server
                if server is None:
                    server = slot.server = self._server(slot.recipe, gpu)
                context_tokens, sessions, blocks = server.sessions_in(room)
                if sessions:
                    held.append(Held(server, context_tokens, sessions, blocks))
            if held:
                yield held

    def _kind_of(self, gpu: Gpu) -> _Kind:
        return (
            gpu.kind,
            self._notices_checkpoints and gpu.writes_checkpoints,
            self._notices_padding and gpu.pads_wide,
        )

    def _line_up(self, gpu: Gpu) -> Sequence[Sequence[_Slot]]:
        """Return the recipes that such a GPU computes, in the order of `on`."""
        kind = self._kind_of(gpu)
        line_up = self._line_ups.get((gpu.computes, kind))
        if line_up is None:
            ability = self._ability_of(gpu.accelerator)
            order = self._orders.get(ability)
            if order is None:
                order = self._orders[ability] = self._order(gpu.accelerator)
            slots = self._slots.setdefault(kind, {})
            for recipe in (recipe for recipes in order for recipe in recipes if id(recipe) not in slots):
                slots[id(recipe)] = _Slot(recipe, self._weights_of(recipe, gpu).gib)
            line_up = [[slots[id(recipe)] for recipe in recipes] for recipes in order]
            self._line_ups[gpu.computes, kind] = line_up
        return line_up

    def _ability_of(self, gpu: Accelerator) -> _Ability:
        dtypes = kv_cache_dtypes(_ANY_ROLE, gpu, needed=None)
        variants = tuple((gpu.runs(variant), gpu.computes_in(variant)) for variant in self._model.variants)
        return most_gpus_together(gpu, self._gpus), dtypes, variants

    def _order(self, gpu: Accelerator) -> _Order:
        found = sorted(self._usable(gpu), key=lambda one: one[1].tensor_parallel)
        found.sort(key=itemgetter(0), reverse=True)
        return [[recipe for _, recipe in alike] for _, alike in groupby(found, key=itemgetter(0))]

    def _usable(self, gpu: Accelerator) -> Iterator[tuple[tuple[bool, int, bool], Recipe]]:
        """Yield quality and recipe of all that the GPU computes."""
        most_gpus = most_gpus_together(gpu, self._gpus)
        for variant in self._model.variants:
            if not gpu.runs(variant):
                continue
            native = gpu.computes_in(variant)
            for dtype in kv_cache_dtypes(_ANY_ROLE, gpu, needed=self._needed_cache(variant)):
                own = dtype == "auto" and variant.kv_cache_dtype is None
                for recipe in self._recipes_of(variant, dtype):
                    if recipe.tensor_parallel <= most_gpus:
                        yield (native, -noticeable_loss(variant), own), recipe

    def _needed_cache(self, variant: Variant) -> str | None:
        """Return the type of the KV cache that the checkpoint works with alone, None where it takes any."""
        if variant.hf_id not in self._needed:
            newest = load_release(newest_release())
            self._needed[variant.hf_id] = own_flags(self._model, variant, newest).kv_cache_dtype
        return self._needed[variant.hf_id]

    def _recipes_of(self, variant: Variant, dtype: str) -> Sequence[Recipe]:
        """Return that checkpoint in all sizes in which it can be spread, always the same objects."""
        if variant.hf_id not in self._splits:
            self._splits[variant.hf_id] = [
                size for size in self._sizes if not tensor_parallel_problems(self._model, variant, size)
            ]
        key = variant.hf_id, dtype
        if key not in self._recipes:
            self._recipes[key] = [
                Recipe(model=self._model, variant=variant, tensor_parallel=size, kv_cache_dtype=dtype)
                for size in self._splits[variant.hf_id]
            ]
        return self._recipes[key]

    def _weights_of(self, recipe: Recipe, gpu: Gpu) -> Weights:
        variant = recipe.variant
        key = variant.hf_id, recipe.tensor_parallel, gpu.pads_wide and depends_on_gpu(variant)
        weights = self._weights.get(key)
        if weights is None:
            weights = self._weights[key] = weights_of(recipe.request(gpu.accelerator, self._context_tokens))
        return weights

    def _server(self, recipe: Recipe, gpu: Gpu) -> Server:
        frame = self._frame(recipe, gpu)
        load = load_from(frame.request, self._weights_of(recipe, gpu), frame.rest, frame.cache.layout)
        return Server(recipe=recipe, load=load, frame=frame)

    def _frame(self, recipe: Recipe, gpu: Gpu) -> _Frame:
        kind = self._kind_of(gpu)
        key = recipe.tensor_parallel, recipe.kv_cache_dtype, recipe.variant.kv_cache_dtype, kind
        frame = self._frames.get(key)
        if frame is None:
            request = recipe.request(gpu.accelerator, self._context_tokens)
            cache = self._cache_of(request, writes_checkpoints=kind[1])
            frame = self._frames[key] = _Frame(
                request=request,
                rest=self._overhead_of(request, gpu.kind),
                cache=cache,
                is_refused=bool(refused_by_settings(request, cache.layout)),
                state_blocks=request.max_num_seqs if cache.has_states else 0,
            )
        return frame

    def _overhead_of(self, request: FitRequest, kind: GpuClass) -> Overhead:
        key = request.tensor_parallel, kind
        if key not in self._overheads:
            self._overheads[key] = overhead(request)
        return self._overheads[key]

    def _cache_of(self, request: FitRequest, *, writes_checkpoints: bool) -> _Cache:
        key = (
            *(request.tensor_parallel, request.cache_dtype, request.batch_tokens),
            *(request.prefix_caching, writes_checkpoints),
        )
        if key not in self._caches:
            layout = layout_of(request)
            self._caches[key] = _Cache(
                layout=layout,
                session_blocks=layout.blocks_per_request(request.context_tokens),
                least_blocks=layout.blocks_per_request(_LEAST_CONTEXT_TOKENS),
                has_states=layout.has_states,
            )
        return self._caches[key]
