"""Sessions of three agents over several replicas behind the real Envoy: where their turns go, and what a death moves.

The cluster is what Envoy Gateway 1.9.1 makes of the policy's `loadBalancer` (internal/xds/translator/cluster.go):
Maglev over the replicas' own addresses. Replicas are scripted models, each with a prefix cache of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.manifests.gateway_auth import CLIENT_ID_HEADER
from onprem_agents.manifests.session_affinity import AFFINITY_HEADER, BALANCE, load_balancer
from tests.components.agent_sessions import AGENTS, Session
from tests.components.real_envoy import LOOPBACK, bootstrap, free_port, lua_filter, running
from tests.gateway.replicas import REPLICA_HEADER, REPLICAS, Replicas
from tests.unit.event_loop import finished

SESSIONS = 200
TURNS = 3
DEVELOPERS = 20
AT_ONCE = 16
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Gateway:
    """Envoy before the replicas; `endpoints` is the file that it watches, as it would a control plane."""

    client: httpx.Client
    endpoints: Path
    ports: tuple[int, ...]

    def serve_by(self, numbers: Sequence[int]) -> None:
        """Tell Envoy which replicas there are."""
        write_endpoints(self.endpoints, {number: self.ports[number] for number in numbers})


def write_endpoints(file: Path, ports: dict[int, int]) -> None:
    """Write the replicas' addresses; each has a place of its own in the table, whatever its port is here."""
    endpoints = [
        {
            "endpoint": {"address": {"socket_address": {"address": LOOPBACK, "port_value": port}}},
            "metadata": {"filter_metadata": {"envoy.lb": {"hash_key": f"10.0.{number}.7:8080"}}},
        }
        for number, port in ports.items()
    ]
    kind = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    resource = {"@type": kind, "cluster_name": "replicas", "endpoints": [{"lb_endpoints": endpoints}]}
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"resources": [resource]}), encoding="utf-8")
    new.rename(file)


def cluster(endpoints: Path, policy: dict[str, Any], balance: dict[str, Any] | None) -> dict[str, Any]:
    """Return the cluster that Envoy Gateway makes of a policy's `loadBalancer`, patched; empty: its default."""
    watched = {"path": str(endpoints), "watched_directory": {"path": str(endpoints.parent)}}
    policies = "type.googleapis.com/envoy.extensions.load_balancing_policies"
    name = "maglev" if policy.get("type") == "ConsistentHash" else "least_request"
    kind = {"maglev": "maglev.v3.Maglev", "least_request": "least_request.v3.LeastRequest"}[name]
    typed: dict[str, Any] = {
        "name": f"envoy.load_balancing_policies.{name}",
        "typed_config": {"@type": f"{policies}.{kind}"},
    }
    if balance is not None:
        typed["typed_config"]["consistent_hashing_lb_config"] = balance
    return {
        "name": "replicas",
        "type": "EDS",
        "eds_cluster_config": {"eds_config": {"path_config_source": watched}},
        "load_balancing_policy": {"policies": [{"typed_extension_config": typed}]},
    }


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    with Replicas() as found:
        yield found


@contextlib.contextmanager
def gateway_of(
    folder: Path, replicas: Replicas, policy: dict[str, Any], balance: dict[str, Any] | None = None
) -> Iterator[Gateway]:
    port, endpoints = free_port(), folder / "endpoints.json"
    write_endpoints(endpoints, dict(enumerate(replicas.ports)))
    headers = [each["name"] for each in policy.get("consistentHash", {}).get("headers", ())]
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": "replicas",
            "hash_policy": [{"header": {"header_name": name}} for name in headers],
        },
    }
    lua = lua_filter((), "coder", ("claude-*", "gpt-*"), affinity=True)
    config = bootstrap(port, [route], [cluster(endpoints, policy, balance)], lua)
    config["node"] = {"id": "test", "cluster": "test"}
    with running(folder, port, config) as client:
        yield Gateway(client=client, endpoints=endpoints, ports=replicas.ports)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, replicas: Replicas) -> Iterator[Gateway]:
    with gateway_of(tmp_path_factory.mktemp("envoy"), replicas, load_balancer()) as found:
        yield found


SESSIONS_OF_AGENTS = tuple(Session(AGENTS[number % len(AGENTS)], number) for number in range(SESSIONS))


@dataclass(frozen=True)
class Turn:
    replica: str
    cached_share: float


async def _turn(client: httpx.AsyncClient, session: Session, turn: int, more: dict[str, str]) -> Turn:
    headers = session.headers() | {CLIENT_ID_HEADER: f"developer-{session.number % DEVELOPERS}"} | more
    answer = await client.post(session.path, json=session.body(turn), headers=headers)
    assert answer.status_code == 200, answer.text
    usage = answer.json()["usage"]
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    cached = details.get("cached_tokens", usage.get("cache_read_input_tokens", 0))
    prompt = usage.get("prompt_tokens") or usage["input_tokens"]
    total = prompt + (cached if "cache_read_input_tokens" in usage else 0)
    return Turn(replica=answer.headers[REPLICA_HEADER], cached_share=cached / total)


def played(
    gateway: Gateway, turns: Sequence[int], sessions: Sequence[Session] = SESSIONS_OF_AGENTS, **more: str
) -> dict[Session, list[Turn]]:
    """Play these turns of all sessions, `AT_ONCE` sessions at a time, and return where each went."""
    told = {name.replace("_", "-"): value for name, value in more.items()}

    async def play() -> list[list[Turn]]:
        at_once = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=gateway.client.base_url, timeout=60, trust_env=False) as client:

            async def of(session: Session) -> list[Turn]:
                async with at_once:
                    return [await _turn(client, session, turn, told) for turn in turns]

            return await asyncio.gather(*(of(session) for session in sessions))

    return dict(zip(sessions, finished(play()), strict=True))


def homes(found: dict[Session, list[Turn]]) -> dict[Session, str]:
    """Return the replica of each session's most turns."""
    return {
        session: Counter(turn.replica for turn in turns).most_common(1)[0][0]
        for session, turns in found.items()
    }


def at_home(found: dict[Session, list[Turn]]) -> float:
    """Return the share of all turns that went to their session's replica."""
    kept, home = 0, homes(found)
    for session, turns in found.items():
        kept += sum(turn.replica == home[session] for turn in turns)
    return kept / sum(len(turns) for turns in found.values())


def cached_share(found: dict[Session, list[Turn]]) -> float:
    """Return the mean share of later turns' prompts that the replica knew."""
    later = [turn.cached_share for turns in found.values() for turn in turns[1:]]
    return sum(later) / len(later)


def test_a_sessions_turns_stay_on_one_replica_and_no_replica_has_too_many(gateway: Gateway) -> None:
    found = played(gateway, range(TURNS))

    by_replica = Counter(turn.replica for turns in found.values() for turn in turns)
    assert at_home(found) >= 0.95
    assert len(by_replica) == REPLICAS
    assert max(by_replica.values()) <= 1.25 * SESSIONS * TURNS / REPLICAS


def test_headers_that_a_client_makes_up_move_no_turn(gateway: Gateway) -> None:
    some = SESSIONS_OF_AGENTS[:60]
    honest = homes(played(gateway, [0], some))

    assert homes(played(gateway, [1], some, **{AFFINITY_HEADER: "00000000"})) == honest


def test_the_death_of_a_replica_moves_its_own_sessions_alone(gateway: Gateway) -> None:
    before = homes(played(gateway, [0]))
    dead = "2"
    own = {session for session, home in before.items() if home == dead}

    gateway.serve_by([number for number in range(REPLICAS) if str(number) != dead])
    wait_until(lambda: dead not in homes(played(gateway, [1], sorted(own)[:1])).values())
    after = homes(played(gateway, [1]))

    others = before.keys() - own
    assert dead not in after.values()
    assert sum(after[session] != before[session] for session in others) <= 0.01 * len(others)
    assert len({after[session] for session in own}) == REPLICAS - 1, "they spread over all that are left"


def test_sessions_are_back_where_they_were_once_the_replica_lives_again(gateway: Gateway) -> None:
    gateway.serve_by(range(REPLICAS))
    some = SESSIONS_OF_AGENTS[:60]

    wait_until(lambda: len(set(homes(played(gateway, [0], some)).values())) == REPLICAS)
    before = homes(played(gateway, [0], some))
    gateway.serve_by([0, 1, 3])
    wait_until(lambda: "2" not in homes(played(gateway, [1], some)).values())
    gateway.serve_by(range(REPLICAS))
    wait_until(lambda: "2" in homes(played(gateway, [2], some)).values())

    assert homes(played(gateway, [3], some)) == before


def test_without_affinity_a_session_is_everywhere_and_finds_less_of_its_prompt_again(
    tmp_path: Path, replicas: Replicas, gateway: Gateway
) -> None:
    def of(first: int) -> tuple[Session, ...]:
        return tuple(Session(agent, number) for agent in AGENTS for number in range(first, first + 10))

    kept = played(gateway, range(TURNS), of(1000))
    with gateway_of(tmp_path, replicas, {}) as plain:
        scattered = played(plain, range(TURNS), of(2000))

    assert at_home(kept) == 1
    assert at_home(scattered) < 0.8, "the busiest of four replicas by chance gets half of a session's turns"
    assert cached_share(kept) > cached_share(scattered)


def most_at_once(gateway: Gateway, replicas: Replicas, keys: Sequence[str]) -> list[int]:
    """Return how many of these sessions' requests, one after another and each of seconds, met on each replica."""
    slow = {"model": "coder", "messages": [{"role": "user", "content": "[play delay=4] go"}]}
    replicas.most = [0] * REPLICAS

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=gateway.client.base_url, timeout=60, trust_env=False) as client:
            asked = []
            for key in keys:
                headers = {"x-session-id": key}
                asked.append(asyncio.ensure_future(client.post(CHAT, json=slow, headers=headers)))
                await asyncio.sleep(0.04)  # Envoy counts what has a connection to its replica
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}

    finished(ask())
    return replicas.most


def test_a_stack_that_asks_for_it_bounds_a_hot_session_and_leaves_the_others_at_home(
    tmp_path: Path, replicas: Replicas, gateway: Gateway
) -> None:
    hot, busy = ["one"] * 40, [f"session {number}" for number in range(40)]
    with gateway_of(tmp_path, replicas, load_balancer(), BALANCE) as balanced:
        spread = most_at_once(balanced, replicas, hot)
        crowd = most_at_once(balanced, replicas, busy)
        found = played(balanced, range(TURNS), SESSIONS_OF_AGENTS[:60])

    assert max(most_at_once(gateway, replicas, hot)) == len(hot), (
        "without the bound one replica has all of it"
    )
    # 1.25 times the mean of 10, and the one more that Envoy lets through at the limit
    assert max(spread) <= 14
    assert max(crowd) <= 14
    assert at_home(found) >= 0.95


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until Envoy goes by what was written for it."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "Envoy does not take the new endpoints"
        time.sleep(0.05)
