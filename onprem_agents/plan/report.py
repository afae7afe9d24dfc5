"""The sizing report: what fits where, how many sessions, which parser; plain values, no secret.

It is a stack output, what `onprem-agents plan` prints, and what `./dev up` shows before anything is built.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from pydantic.alias_generators import to_camel

from onprem_agents.plan import Placement, PlatformPlan, Pool, ServingPlan
from onprem_agents.plan.agents_served import agents_served
from onprem_agents.plan.agents_used import agents_used
from onprem_agents.plan.cache import Cache, ClaimCache, FolderCache, KServeCache
from onprem_agents.plan.costs import cost_of
from onprem_agents.sizing import speed_of
from onprem_agents.sizing.shown import GIB_DIGITS

REPORT_VERSION = 1


def report(plan: PlatformPlan) -> dict[str, Any]:
    """Return the report as JSON values; sizes in GiB a GPU, lengths in tokens, times in seconds."""
    pools = [
        _pool_report(pool, placement) for pool, placement in zip(plan.pools, plan.placements, strict=True)
    ]
    cost = cost_of(plan)
    return {
        "version": REPORT_VERSION,
        "stack": plan.stack,
        "pool": pools[0],
        "pools": pools,
        "models": [
            role_report(serving, len(plan.developers) or None) | {"agents": _agents(plan, serving)}
            for serving in plan.serving
        ],
        "developers": len(plan.developers),
        "developersByTeam": _teams(plan),
        "cost": None if cost is None else cost.to_wire(),
        "sessions": sum(serving.sessions for serving in plan.serving),
        "timeouts": {
            "longestTurnSeconds": plan.timeouts.longest_turn_seconds,
            "serverSeconds": plan.timeouts.server_seconds,
            "predictorSeconds": plan.timeouts.predictor_seconds,
            "routeSeconds": plan.timeouts.route_seconds,
            "gatewaySeconds": plan.timeouts.gateway_seconds,
            "clientSeconds": plan.timeouts.client_seconds,
            "loadBudgetSeconds": plan.timeouts.load_budget_seconds,
        },
        "requestBodyMib": plan.request_body_mib,
        "site": list(plan.site),
        "images": [
            {"name": use.name, "reference": use.reference, "purpose": use.purpose} for use in plan.images
        ],
        "check": None if plan.settings.check is None else plan.settings.check.model_dump(by_alias=True),
    }


def _agents(plan: PlatformPlan, serving: ServingPlan) -> list[dict[str, Any]]:
    """Return each agent that developers use as the role serves it behind the platform's gateway."""
    used = agents_used(plan.settings)
    served = agents_served(serving, plan.settings.translation)
    return [each.as_json() for each in served if each.agent in used]


def _pool_report(pool: Pool, placement: Placement) -> dict[str, Any]:
    return {
        "name": pool.name,
        "accelerator": pool.accelerator.name,
        "nodes": pool.nodes,
        "gpusPerNode": pool.gpus_per_node,
        "gpus": pool.gpus,
        "freeGpus": placement.free,
    }


def _teams(plan: PlatformPlan) -> dict[str, int]:
    teams = (developer.team for developer in plan.access.developers.values())
    return dict(sorted(Counter(team for team in teams if team is not None).items()))


def kept_in(cache: Cache | None) -> str | None:
    """Return in words where weights are kept between starts; None where they are not."""
    if isinstance(cache, ClaimCache):
        return f"claim {cache.name} ({cache.size_gib} GiB, {cache.access_mode})"
    if isinstance(cache, FolderCache):
        return f"{cache.path}/{cache.folder} of each node"
    if isinstance(cache, KServeCache):
        return f"KServe's cache {cache.name} on {cache.node_group}"
    return None


def role_report(serving: ServingPlan, developers: int | None = None) -> dict[str, Any]:
    """Return the report of one role; its speed is that for so many developers, None: as many as sessions fit."""
    fit, loading = serving.fit, serving.loading
    return {
        "role": serving.role,
        "pool": serving.pool.name,
        "asked": serving.asked,
        "model": serving.variant.hf_id,
        "because": serving.because,
        "precision": serving.variant.precision,
        "source": serving.source.uri,
        "image": serving.image,
        "replicas": serving.replicas,
        "gpusPerReplica": serving.resources.gpus,
        "contextTokens": serving.context_tokens,
        "maxOutputTokens": serving.max_output_tokens,
        "sessions": serving.sessions,
        "sessionsPerReplica": fit.sessions,
        "largestContextTokens": fit.largest_context_tokens,
        "toolCallParser": serving.flags.tool_call_parser,
        "reasoningParser": serving.flags.reasoning_parser,
        "chatTemplate": serving.flags.chat_template,
        "prefixCaching": bool(serving.flags.enable_prefix_caching),
        "speculativeTokens": (serving.flags.speculative_config or {}).get("num_speculative_tokens", 0),
        "vision": serving.vision,
        "thinking": _thinking(serving),
        "sampling": _sampling(serving),
        "kvCacheDtype": serving.flags.kv_cache_dtype or "auto",
        "license": serving.model.license,
        "licenceToAccept": serving.licence_to_accept,
        "remarks": list(serving.remarks),
        "memory": {
            "gpuTotalGib": round(fit.gpu_total_gib, GIB_DIGITS),
            "terms": [
                {"name": term.name, "gib": round(term.gib, GIB_DIGITS), "explanation": term.explanation}
                for term in fit.terms
            ],
            "kvPoolGib": round(fit.kv_pool_gib, GIB_DIGITS),
            "kvPerSessionGib": round(fit.kv_per_session_gib, GIB_DIGITS),
        },
        "loading": {
            "weightsGib": round(loading.weights_gib, 1),
            "downloadMibPerSecond": loading.mib_per_second,
            "downloadSeconds": loading.download_seconds,
            "startSeconds": loading.start_seconds,
            "restartSeconds": loading.restart_seconds,
            "restartKind": loading.restart_kind,
            "budgetSeconds": loading.budget_seconds,
            "keptIn": kept_in(serving.cache),
            "start": serving.start.kind,
            "startBecause": serving.start.because,
        },
        "rollout": {
            "kind": serving.rollout.kind,
            "downtime": serving.rollout.downtime,
            "reason": serving.rollout.reason,
            "onModeChange": _on_mode_change(serving),
        },
        "speed": _speed(serving, developers),
        "notes": list(serving.notes),
    }


def _speed(serving: ServingPlan, developers: int | None) -> dict[str, Any] | None:
    if serving.fit.memory is None:
        return None
    return speed_of(serving.fit.memory, developers or serving.sessions, serving.replicas).to_wire()


def _on_mode_change(serving: ServingPlan) -> str:
    """Say what a new `serving.mode` would do: KServe takes none on a server that is there."""
    minutes = math.ceil(serving.timeouts.load_budget_seconds / 60)
    return f"another serving.mode replaces it: away while it loads, up to {minutes} minutes"


def _thinking(serving: ServingPlan) -> dict[str, Any] | None:
    thinking = serving.thinking
    if thinking is None:
        return None
    return {
        "default": thinking.default,
        "budgetTokens": thinking.budget_tokens,
        "effort": thinking.effort,
        "said": thinking.said(),
        "because": thinking.because,
    }


def _sampling(serving: ServingPlan) -> dict[str, Any]:
    """Return the server's defaults as far as they are not the checkpoint's own."""
    sampling = serving.sampling
    values = {to_camel(name): value for name, value in (sampling.overrides() or {}).items()}
    return {"values": values, "because": sampling.because()}
