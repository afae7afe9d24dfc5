"""Every value of a stack's report, for the page, the terminal and JSON alike; no secret."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.advice.quality import quality_of
from onprem_agents.plan import PlatformPlan, ServingPlan
from onprem_agents.plan.agents_served import agents_served
from onprem_agents.plan.agents_used import agents_used
from onprem_agents.plan.costs import PlatformCost, cost_of
from onprem_agents.plan.curves import ContextPoint, by_context, by_developers, speed_for
from onprem_agents.plan.loading import RestartKind
from onprem_agents.plan.report import kept_in
from onprem_agents.sizing import Speed
from onprem_agents.sizing.fit import Term

# So many times today's developers: whether a team may grow is asked of every platform.
_GROWTH = 2


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team of developers, as their keys name it."""

    name: str
    developers: int


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The GPUs; their memory as the driver reports it."""

    nodes: int
    gpus_per_node: int
    gpus: int
    free_gpus: int
    accelerator: str
    gpu_memory_gib: float


@dataclass(frozen=True, kw_only=True)
class ServedAgent:
    """Whether an agent works with a role; `brief` and `obstacle` are why not, in a few words and in full."""

    name: str
    title: str
    brief: str | None
    obstacle: str | None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One GPU of a model server, GiB; the terms add up to the total. The figures are the careful end of the band."""

    total_gib: float
    terms: tuple[Term, ...]
    kv_pool_gib: float
    kv_per_session_gib: float
    kv_cache_dtype: str


@dataclass(frozen=True, kw_only=True)
class Loading:
    """From a pod's start until it serves, seconds, about; `kept_in` says where weights survive a restart.

    `start_seconds` are those of a cold start with the weights on a disk, `restart_seconds` of a later one, whose kind
    `restart_kind` tells.
    """

    weights_gib: float
    download_mib_per_second: int
    download_seconds: int
    start_seconds: int
    restart_seconds: int
    restart_kind: RestartKind
    budget_seconds: int
    kept_in: str | None


@dataclass(frozen=True, kw_only=True)
class Server:
    """One role. `sessions` are full-context ones that all replicas hold at once."""

    role: str
    model: str
    precision: str
    vllm: str
    replicas: int
    gpus_per_replica: int
    context_tokens: int
    max_output_tokens: int
    sessions: int
    images: bool
    thinking: str | None
    licence: str
    quality: str | None
    """What the public benchmark says that says most of it, None where none was found."""
    memory: Memory
    alone: Speed
    together: Speed
    """With all developers of the stack at work on this role."""
    by_context: tuple[ContextPoint, ...]
    by_developers: tuple[Speed, ...]
    agents: tuple[ServedAgent, ...]
    """Those that developers use."""
    loading: Loading
    rollout: str
    downtime: bool
    notes: tuple[str, ...]

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return self.replicas * self.gpus_per_replica


@dataclass(frozen=True, kw_only=True)
class Hop:
    """How long one hop waits, from the model server outwards."""

    name: str
    seconds: int
    what: str


@dataclass(frozen=True, kw_only=True)
class StackValues:
    """What a stack leads to."""

    stack: str
    address: str
    developers: int
    teams: tuple[Team, ...]
    hardware: tuple[Hardware, ...]
    """The GPUs of each pool."""
    servers: tuple[Server, ...]
    longest_turn_seconds: int
    hops: tuple[Hop, ...]
    site: tuple[str, ...]
    cost: PlatformCost | None

    @property
    def main(self) -> Server:
        """The role that an agent uses unless told otherwise."""
        return self.servers[0]


def values_of(plan: PlatformPlan) -> StackValues:
    """Return the values of that plan."""
    teams = [developer.team for developer in plan.access.developers.values() if developer.team is not None]
    return StackValues(
        stack=plan.stack,
        address=plan.connection.base_url,
        developers=len(plan.developers),
        teams=tuple(Team(name=team, developers=teams.count(team)) for team in sorted(set(teams))),
        hardware=tuple(
            Hardware(
                nodes=pool.nodes,
                gpus_per_node=pool.gpus_per_node,
                gpus=pool.gpus,
                free_gpus=placement.free,
                accelerator=pool.accelerator.name,
                gpu_memory_gib=pool.accelerator.total_gib,
            )
            for pool, placement in zip(plan.pools, plan.placements, strict=True)
        ),
        servers=tuple(_server(serving, plan) for serving in plan.serving),
        longest_turn_seconds=plan.timeouts.longest_turn_seconds,
        hops=_hops(plan),
        site=plan.site,
        cost=cost_of(plan),
    )


def _server(serving: ServingPlan, plan: PlatformPlan) -> Server:
    fit, loading, developers = serving.fit, serving.loading, max(1, len(plan.developers))
    return Server(
        role=serving.role,
        model=serving.variant.hf_id,
        precision=serving.variant.precision,
        vllm=serving.vllm_release,
        replicas=serving.replicas,
        gpus_per_replica=serving.resources.gpus,
        context_tokens=serving.context_tokens,
        max_output_tokens=serving.max_output_tokens,
        sessions=serving.sessions,
        images=serving.vision,
        thinking=None if serving.thinking is None else serving.thinking.said(),
        licence=serving.model.license,
        quality=None if (figure := quality_of(serving.model)) is None else figure.said,
        memory=Memory(
            total_gib=fit.gpu_total_gib,
            terms=fit.terms,
            kv_pool_gib=fit.kv_pool_gib,
            kv_per_session_gib=fit.kv_per_session_gib,
            kv_cache_dtype=serving.flags.kv_cache_dtype or "auto",
        ),
        alone=speed_for(serving, 1),
        together=speed_for(serving, developers),
        by_context=by_context(serving, developers),
        by_developers=by_developers(serving, _GROWTH * developers),
        agents=tuple(
            ServedAgent(
                name=each.agent.name,
                title=each.agent.title,
                brief=None if each.obstacle is None else each.obstacle.brief,
                obstacle=None if each.obstacle is None else each.obstacle.reason,
            )
            for each in agents_served(serving, plan.settings.translation)
            if each.agent in agents_used(plan.settings)
        ),
        loading=Loading(
            weights_gib=loading.weights_gib,
            download_mib_per_second=loading.mib_per_second,
            download_seconds=loading.download_seconds,
            start_seconds=loading.start_seconds,
            restart_seconds=loading.restart_seconds,
            restart_kind=loading.restart_kind,
            budget_seconds=loading.budget_seconds,
            kept_in=kept_in(serving.cache),
        ),
        rollout=serving.rollout.reason,
        downtime=serving.rollout.downtime,
        notes=(*serving.notes, *serving.remarks),
    )


def _hops(plan: PlatformPlan) -> tuple[Hop, ...]:
    limits = plan.timeouts
    return (
        Hop(
            name="model server",
            seconds=limits.server_seconds,
            what="finishes a running turn when it must stop",
        ),
        Hop(name="KServe", seconds=limits.predictor_seconds, what="waits for the model server"),
        Hop(name="route", seconds=limits.route_seconds, what="ends a request"),
        Hop(name="gateway", seconds=limits.gateway_seconds, what="ends a stream, silent or not"),
        Hop(name="agent", seconds=limits.client_seconds, what="gives up"),
    )
