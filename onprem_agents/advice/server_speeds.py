"""How fast the servers of one model are; what several of them share is asked for once."""

from __future__ import annotations

from typing import NamedTuple

from onprem_agents.advice.gpu import Gpu
from onprem_agents.advice.model_servers import Held, Server
from onprem_agents.catalog import Model
from onprem_agents.sizing import FitRequest
from onprem_agents.sizing.demand import Demand, demand_from, kernels_seconds
from onprem_agents.sizing.links import Links, tensor_links
from onprem_agents.sizing.load_profile import mean_context_tokens
from onprem_agents.sizing.pace import Rates, pace_from, rates_of
from onprem_agents.sizing.speed import Turns, keeps_prefixes
from onprem_agents.sizing.work import Attention, Shares, attention_of, session_bytes, shares_of


class _Terms(NamedTuple):
    """What a server's speed depends on besides its GPU; `blocks` are those of a session of the mean length."""

    server: Server
    demand: Demand
    blocks: int
    sequences: int
    batch_tokens: int


class ServerSpeeds:
    """The speeds of one model's servers. A search goes GPU by GPU: the rates of one are forgotten at the next."""

    def __init__(self, model: Model) -> None:
        """Start with no term computed."""
        self._model = model
        self._kept: bool | None = None
        self._gpu: Gpu | None = None
        self._rates: dict[str, Rates] = {}
        # A server is known by its identity; its terms keep it, so that no other gets the same one.
        self._terms: dict[tuple[int, int], _Terms] = {}
        self._shares: dict[str, Shares] = {}
        self._attention: dict[int, Attention] = {}
        self._session_bytes: dict[tuple[int, str, int], float] = {}
        self._demands: dict[tuple[int, bool, int], Demand] = {}
        self._links: dict[tuple[int, bool, int], Links] = {}
        self._kernels_seconds = kernels_seconds(model.architecture)

    def turns(self, held: Held, gpu: Gpu, agents: int) -> Turns:
        """Return the turns of that many agents on such a server."""
        if gpu is not self._gpu:
            self._gpu, self._rates = gpu, {}
        server = held.server
        terms = self._terms.get((id(server), held.context_tokens))
        if terms is None:
            terms = self._terms[id(server), held.context_tokens] = self._terms_of(held, gpu)
        _, demand, blocks, sequences, batch_tokens = terms
        rates = self._rates.get(server.recipe.variant.hf_id)
        if rates is None:
            rates = rates_of(gpu.accelerator, self._model, server.recipe.variant)
            self._rates[server.recipe.variant.hf_id] = rates
        links = self._links_of(server.recipe.tensor_parallel, gpu)
        kept = max(1, held.blocks // blocks)
        return Turns(
            pace_from(demand, links, rates, batch_tokens=batch_tokens),
            agents,
            kept if self._keeps_prefixes(server.frame.request) else 0,
            min(kept, sequences),
        )

    def _terms_of(self, held: Held, gpu: Gpu) -> _Terms:
        server, tokens = held.server, mean_context_tokens(held.context_tokens)
        request = server.frame.request
        return _Terms(
            server,
            self._demand_of(server, gpu, tokens),
            server.load.layout.blocks_per_request(tokens),
            request.max_num_seqs,
            request.batch_tokens,
        )

    def _keeps_prefixes(self, request: FitRequest) -> bool:
        if self._kept is None:
            self._kept = keeps_prefixes(request)
        return self._kept

    def _demand_of(self, server: Server, gpu: Gpu, tokens: int) -> Demand:
        recipe, architecture = server.recipe, self._model.architecture
        key = id(recipe), gpu.pads_wide, tokens
        demand = self._demands.get(key)
        if demand is not None:
            return demand
        shares = self._shares.get(recipe.variant.hf_id)
        if shares is None:
            shares = self._shares[recipe.variant.hf_id] = shares_of(recipe.request(gpu.accelerator, tokens))
        attention = self._attention.get(tokens)
        if attention is None:
            attention = self._attention[tokens] = attention_of(architecture, tokens)
        dtype = server.frame.request.cache_dtype
        read_key = recipe.tensor_parallel, dtype, tokens
        read = self._session_bytes.get(read_key)
        if read is None:
            read = session_bytes(architecture, recipe.tensor_parallel, dtype, tokens)
            self._session_bytes[read_key] = read
        demand = self._demands[key] = demand_from(
            shares,
            attention,
            context_tokens=tokens,
            weights_gib=server.load.weights.gib,
            read_bytes=read,
            gpus=recipe.tensor_parallel,
            kernels_seconds=self._kernels_seconds,
        )
        return demand

    def _links_of(self, ranks: int, gpu: Gpu) -> Links:
        key = ranks, gpu.accelerator.nvlink, gpu.accelerator.interconnect_gb_per_second
        links = self._links.get(key)
        if links is None:
            links = self._links[key] = tensor_links(self._model.architecture, gpu.accelerator, ranks)
        return links
