"""One gateway under trial: the stack applied with its models on loopback, checked, and taken back at its end.

What is redirected stands in the engine's state alone. So any plain update of the stack takes it back, also after a
trial that was killed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded import plugins
from embedded.cluster import Cluster
from embedded.engine import Engine
from embedded.gateway import litellm, real_vllm, translation
from embedded.gateway import upstream as upstreams
from embedded.gateway.redirect import Redirect
from embedded.gateway.trial import remove_project, write_project
from embedded.gateway.upstream import Upstream
from embedded.gateway.waiting import wait_for_gateway
from embedded.layout import Layout
from embedded.ports import LOOPBACK, is_free
from embedded.progress import Progress
from embedded.toolchain import provision
from embedded.up import up
from onprem_agents.errors import EnvironmentProblem, nearest_hint
from onprem_agents.manifests.gateway_auth import client_ids, key_secret_name
from onprem_agents.plan import PlatformPlan, plan_stack_file, read_and_plan

_CHECK_WAIT_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a trial changed and must take back, and what its user wants to know."""

    stack: str
    started_cluster: bool
    base_url: str
    anthropic_base_url: str
    ca_file: str
    upstream: str
    record_file: str | None
    vllm: str | None = None
    proxy: str | None = None

    @staticmethod
    def file(layout: Layout) -> Path:
        """Return where the session of a checkout is written down."""
        return layout.state / "gateway" / "session.json"

    @classmethod
    def read(cls, layout: Layout) -> Session | None:
        """Return the session that runs, or that a killed run left; None when there is none."""
        try:
            return cls(**json.loads(cls.file(layout).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, layout: Layout) -> None:
        """Write the session down, before anything is changed."""
        file = self.file(layout)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def start(layout: Layout, stack: str, upstream_url: str | None, progress: Progress) -> Session:
    """Bring the stack up with its models on loopback and return once a request with a key gets through.

    Raises `OnpremError` with the log to read. What was begun is taken back then, but for the routes on a cluster
    that was there before: the session stays, for `end` or a plain update to lead them back.
    """
    plan = plan_stack_file(layout.checkout / "stacks", stack)
    cluster = Cluster(layout)
    _require_port(cluster, plan)
    vllm = real_vllm.found() if upstream_url == real_vllm.WORD else None
    own = upstreams.given(upstream_url) if upstream_url is not None and vllm is None else None
    if own is not None:
        upstreams.require_answer(own)
    proxy = translation.prepare(layout, plan, progress)
    old = Session.read(layout)
    if old is not None and old.stack != stack:
        end(layout, progress)
        old = None
    started_cluster = not cluster.parts() if old is None else old.started_cluster
    try:
        upstream = own or _server(layout, plan, vllm, progress)
        session = _session(layout, plan, upstream, proxy, started_cluster=started_cluster)
        session.write(layout)
        project = project_folder(layout)
        write_project(project, layout.checkout, Redirect(server=upstream.url, proxy=proxy))
        log = layout.logs / "envoy-gateway.log"
        since_bytes = log.stat().st_size if log.exists() else 0
        # Standard output belongs to what this command prints at its end.
        with contextlib.redirect_stdout(sys.stderr):
            up(layout, stack, progress, project=project, check=_check(plan, session))
        with cluster.client() as client:
            translation.start(layout, stack, upstream.url, client, progress)
        with progress.step("Gateway", log=log), cluster.client() as client:
            wait_for_gateway(plan, client, Path(session.ca_file), log, since_bytes=since_bytes)
    except BaseException:
        progress.note("taking back what was begun")
        _end_servers(layout)
        if started_cluster:
            cluster.stop(progress)
            _forget(layout)
        elif Session.read(layout) is not None:
            progress.note(
                f"routes may lead to what has just ended: './dev gateway --stop' or './dev up {stack}' leads them "
                "back"
            )
        raise
    return session


def end(layout: Layout, progress: Progress, *, keep_cluster: bool = True) -> bool:
    """End the session: its servers, what it redirects, and the cluster if this session had started it.

    With `keep_cluster=False` the stack is not applied again, for the caller ends the cluster. Returns whether
    there was anything to end. When it fails the session stays, so that it can be ended again.
    """
    session = Session.read(layout)
    if session is None:
        _end_servers(layout)
        return False
    cluster = Cluster(layout)
    _end_servers(layout)
    if keep_cluster and cluster.parts():
        if session.started_cluster:
            cluster.stop(progress)
        elif session.stack in _engine(layout, progress).stacks_with_resources():
            with contextlib.redirect_stdout(sys.stderr):
                up(layout, session.stack, progress)
    _forget(layout)
    return True


def leave(layout: Layout, progress: Progress) -> None:
    """End the servers of a session whose redirection a plain update has taken back."""
    if Session.read(layout) is not None:
        _end_servers(layout)
        _forget(layout)
        progress.note("the gateway on trial has ended: its routes lead to the stack's own pods again")


def project_folder(layout: Layout) -> Path:
    """Return where the Pulumi project of a trial stands."""
    return layout.state / "gateway" / "project"


def newest_key(layout: Layout, stack: str, developer: str) -> str:
    """Return the newest key that the cluster knows of a developer, in plain text.

    Raises `EnvironmentProblem` when the developer is unknown or nothing runs.
    """
    file, plan = read_and_plan(layout.checkout / "stacks", stack)
    if developer not in plan.developers:
        hint = nearest_hint(developer, plan.developers)
        raise EnvironmentProblem(f"{file.path.name} has no developer {developer!r}; {hint}")
    if not any(part.name == "kube-apiserver" for part in Cluster(layout).parts()):
        raise EnvironmentProblem("nothing is running: start './dev gateway' first")
    with Cluster(layout).client() as client:
        data = client.get("v1", "Secret", key_secret_name(developer), plan.namespace)["data"]
    first, second = client_ids(developer)
    return base64.b64decode(data[second if second in data else first]).decode()


def _session(
    layout: Layout, plan: PlatformPlan, upstream: Upstream, proxy: str | None, *, started_cluster: bool
) -> Session:
    connection = plan.connection
    return Session(
        stack=plan.stack,
        started_cluster=started_cluster,
        base_url=connection.base_url,
        anthropic_base_url=connection.anthropic_base_url,
        ca_file=str(layout.cluster / "pki" / "ca.crt"),
        upstream=upstream.url,
        record_file=str(upstream.record_file) if upstream.record_file is not None else None,
        vllm=upstream.vllm,
        proxy=proxy,
    )


def _check(plan: PlatformPlan, session: Session) -> dict[str, Any] | None:
    """Return how the gateway is checked with the update: before a scripted model always, else if the stack says so.

    A translation proxy starts only after the update, of which it takes its configuration.
    """
    scripted = session.record_file is not None
    if session.proxy is not None or (plan.settings.check is None and not scripted):
        return None
    return {"caFile": session.ca_file, "address": LOOPBACK, "waitSeconds": _CHECK_WAIT_SECONDS}


def _server(layout: Layout, plan: PlatformPlan, vllm: real_vllm.Vllm | None, progress: Progress) -> Upstream:
    """Start what answers behind the gateway, and end the other one if it was left running."""
    if vllm is None:
        real_vllm.process(layout).stop()
        return upstreams.start_scripted_model(layout, plan)
    upstreams.scripted_model(layout).stop()
    return real_vllm.start(layout, plan, vllm, progress)


def _forget(layout: Layout) -> None:
    """Remove the session's file, once nothing is left to take back."""
    Session.file(layout).unlink(missing_ok=True)


def _end_servers(layout: Layout) -> None:
    remove_project(project_folder(layout))
    for server in (litellm.process(layout), upstreams.scripted_model(layout), real_vllm.process(layout)):
        server.stop()


def _engine(layout: Layout, progress: Progress) -> Engine:
    binaries = provision(layout, plugins.PROGRAMS, progress)
    plugins.install(layout, binaries)
    return Engine(layout, binaries)


def _require_port(cluster: Cluster, plan: PlatformPlan) -> None:
    port = plan.access.port
    if not is_free(port) and not any(part.name == "envoy" for part in cluster.parts()):
        raise EnvironmentProblem(
            f"port {port}, the gateway's (platform.access.port), is in use by another program or closed to you: "
            "end that program, or set another port in the stack file"
        )
