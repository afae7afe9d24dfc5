"""`./dev bench gateway`: what the gateway adds, with the keys of 200 developers, and what LiteLLM adds behind it.

The stack is `local` with more developers, applied by the real engine; in place of its model stands a server that
answers at once. Each target is measured in turns with the direct way, so that other load meets both.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from embedded.gateway import litellm, translation
from embedded.gateway.redirect import Redirect
from embedded.gateway.trial import write_project
from embedded.gateway.waiting import wait_for_gateway
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process
from embedded.progress import Progress
from onprem_agents.cluster import KubeClient
from onprem_agents.errors import EnvironmentProblem, OnpremError
from onprem_agents.plan import plan_stack
from tools.bench.gateway_figures import PACED_TOKENS_PER_SECOND, GatewayFigures, Rounds, Way
from tools.bench.gateway_load import Load, Measured
from tools.bench.workspace import Config, Size, Workspace, workspace

DEVELOPERS = 200
STREAMS = (1, 16)
# What Claude Code 2.1.330 sends first has 47.7 KB (run 2026-11).
BODY_KIB = 48
_STACK = "local"
_LEAST_SECONDS = 1.0
_READY_SECONDS = 30.0
_LIMIT_SECONDS = 300.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Target:
    """What stands between client and server, with paced requests below what it can do.

    `tokens` of a stream without a pause, for each second that a load is to go on.
    """

    name: str
    requests_per_second: int
    tokens: int


def _envoy(developers: int) -> _Target:
    return _Target(name=f"Envoy, {developers} keys", requests_per_second=64, tokens=7_000)


# 25 requests and 850 tokens a second with a request of 48 KiB, on two busy cores (1.109.1, run 2026-11).
_LITELLM = _Target(name="Envoy + LiteLLM", requests_per_second=12, tokens=160)


def measure_gateway(
    layout: Layout,
    progress: Progress,
    *,
    rounds: int = 4,
    seconds: float = 3.0,
    developers: int = DEVELOPERS,
) -> GatewayFigures:
    """Measure in `rounds`, in each of which every load goes on for `seconds`. Raises `OnpremError` with the log."""
    before, envoy = os.getloadavg()[0], _envoy(developers)
    with workspace(layout, progress) as space, _server(space.layout) as address:
        config = space.config(Size(developers=developers, roles=1))
        space.product.add_stack(_STACK, config)
        _apply(space, config.platform, Redirect(server=address), progress)
        bench = _Bench(space=space, config=config, address=address, rounds=rounds, seconds=seconds)
        ways = bench.ways(envoy, progress)
        left_out = None
        try:
            _put_litellm_between(space, config.platform, address, progress)
            ways += bench.ways(_LITELLM, progress)
        except EnvironmentProblem as error:
            left_out = f"LiteLLM was not measured: {error}"
        finally:
            litellm.process(space.layout).stop()
    return GatewayFigures(
        ways=ways,
        aimed=envoy.name,
        developers=developers,
        body_kib=BODY_KIB,
        left_out=left_out,
        cores=os.cpu_count() or 1,
        load=(before, os.getloadavg()[0]),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Bench:
    space: Workspace
    config: Config
    address: str
    rounds: int
    seconds: float

    def ways(self, target: _Target, progress: Progress) -> list[Way]:
        """Measure the direct way and that through the gateway in turns, at each number of streams."""
        pace = target.requests_per_second
        ways = [
            Way(
                target=target.name,
                streams=streams,
                requests_per_second=pace,
                through=Rounds(),
                direct=Rounds(),
            )
            for streams in STREAMS
        ]
        for number in range(1, self.rounds + 1):
            with progress.step(f"{target.name}: round {number} of {self.rounds}"):
                for way in ways:
                    for load, rounds in (
                        (self._direct(way.streams), way.direct),
                        (self._through(way.streams), way.through),
                    ):
                        self._measure(load, rounds, target)
        return ways

    def _measure(self, load: Load, rounds: Rounds, target: _Target) -> None:
        pause = load.connections / target.requests_per_second
        rounds.milliseconds.extend(
            _run(dataclasses.replace(load, seconds=self.seconds, pause_seconds=pause)).milliseconds
        )
        closed = _run(dataclasses.replace(load, seconds=max(_LEAST_SECONDS, self.seconds / 4)))
        rounds.requests_per_second.append(len(closed.milliseconds) / closed.elapsed_seconds)
        rounds.generator_share.append(closed.processor_seconds / closed.elapsed_seconds)
        tokens = round(target.tokens * self.seconds)
        fast = _run(dataclasses.replace(load, tokens=tokens))
        rounds.tokens_per_second.append(tokens * load.connections / fast.elapsed_seconds)
        paced = round(self.seconds * PACED_TOKENS_PER_SECOND)
        streamed = _run(dataclasses.replace(load, tokens=paced, rate=PACED_TOKENS_PER_SECOND)).stream_seconds
        rounds.paced.extend((paced - 1) / each for each in streamed)

    def _direct(self, streams: int) -> Load:
        return dataclasses.replace(
            self._through(streams), port=int(self.address.rpartition(":")[2]), ca_file=None
        )

    def _through(self, streams: int) -> Load:
        access = self.space.platform["access"]
        return Load(
            host=access["host"],
            port=access["port"],
            ca_file=str(_ca_file(self.space)),
            keys=tuple(self.config.developer_keys.values()),
            connections=streams,
            body_bytes=BODY_KIB * 1024,
        )


def _ca_file(space: Workspace) -> Path:
    return space.layout.cluster / "pki" / "ca.crt"


def _run(load: Load) -> Measured:
    """Run the load generator as a process of its own. Raises `OnpremError` with what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.gateway_load"],
        cwd=Path(__file__).parents[2],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise OnpremError(f"a measured request failed: {done.stderr.strip()[-500:]}")
    return Measured(**json.loads(done.stdout))


@contextmanager
def _server(own: Layout) -> Iterator[str]:
    port = Ports(own.ports_file)["bench-upstream"]
    server = Process(
        name="bench-upstream",
        argv=(sys.executable, "-m", "tools.bench.gateway_upstream", str(port)),
        cwd=Path(__file__).parents[2],
        pid_file=own.state / "bench-upstream.pid",
        log=own.logs / "bench-upstream.log",
    )
    address = f"http://{LOOPBACK}:{port}"
    server.start()
    try:
        server.wait_until(lambda: _answers(address), timeout_seconds=_READY_SECONDS, what="ready")
        yield address
    finally:
        server.stop()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/v1/models", timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _apply(space: Workspace, platform: Mapping[str, Any], redirect: Redirect, progress: Progress) -> None:
    """Apply the stack and wait until its gateway does what it says."""
    with progress.step("pulumi up of the measured stack"):
        folder = space.layout.state / "redirected"
        write_project(folder, space.product.folder, redirect)
        dataclasses.replace(space.product, folder=folder).timed("up", _STACK, "--yes", "--skip-preview")
    plan = plan_stack(dict(platform), stack=_STACK, source="the measurement")
    with KubeClient.from_kubeconfig(space.layout.kubeconfig) as client:
        translation.start(_project_layout(space), _STACK, redirect.server, client, progress)
        wait_for_gateway(plan, client, _ca_file(space), space.layout.logs / "envoy-gateway.log")


def _put_litellm_between(
    space: Workspace, platform: Mapping[str, Any], address: str, progress: Progress
) -> None:
    litellm.install(space.layout, progress)
    changed = {**platform, "translation": "litellm"}
    space.product.change(_STACK, changed)
    _apply(space, changed, Redirect(server=address, proxy=litellm.address(space.layout)), progress)


def _project_layout(space: Workspace) -> Layout:
    return dataclasses.replace(space.layout, checkout=space.product.folder)
