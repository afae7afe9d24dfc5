"""`./dev up [STACK]`: the plan first, then toolchain, cluster and the real `pulumi up`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embedded import backend, plugins
from embedded.cluster import BINARIES, Cluster
from embedded.cluster.tls import give_certificate
from embedded.engine import Engine, passphrase
from embedded.kube import KubeWriter
from embedded.layout import Layout
from embedded.listeners import require_port
from embedded.needs import cluster_needs
from embedded.plan_view import show_plan
from embedded.progress import Progress
from embedded.toolchain import Binary, provision
from onprem_agents.cli.output import Output
from onprem_agents.cli.policy_config import config_of
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.manifests import render
from onprem_agents.plan import PlatformPlan, read_and_plan
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.stack_file import StackFile
from policy.configuration import Configuration, read_configuration


@dataclass(frozen=True, kw_only=True)
class _Stack:
    file: StackFile
    plan: PlatformPlan
    manifests: Sequence[dict[str, Any]]
    policies: Configuration | None
    """What the file beside the stack's says of the policies."""


def up(
    layout: Layout,
    stack: str,
    progress: Progress,
    *,
    project: Path | None = None,
    check: Mapping[str, Any] | None = None,
) -> None:
    """Bring one stack up on the embedded cluster; raises `OnpremError` with the log to read.

    `project` is a folder with another program for it than the checkout's. `check` is how the deployed platform is
    checked, over what the stack says; without it that is left out, for no model answers in simulated pods.
    """
    started = time.monotonic()
    wanted = _read(layout, stack)
    show_plan(wanted.plan, wanted.manifests, Output(), wanted.policies)
    _look_around(layout, wanted, progress)
    with _stopped_on_interrupt(Cluster(layout), progress):
        engine, client, stand_ins = _prepare(layout, wanted, progress)
        for sentence in backend.mend(layout.pulumi_backend):
            progress.note(f"repaired: {sentence}")
        _leave_other_stacks(engine, stack, client, progress)
        engine.ensure_stack(wanted.file)
        _recover(engine, stack, client, progress)
        new = engine.ensure_keys(wanted.file, wanted.plan.developers)
        if new:
            progress.note(f"made keys for {', '.join(new)} (encrypted in {wanted.file.path.name})")
        config = _config(layout, wanted, check, progress)
        policies = _for_the_engine(layout, wanted.policies)
        _apply(engine, stack, progress, project or layout.checkout, config, policies)
        if check is not None:
            _tell_check(engine.outputs(stack), progress)
        _summary(wanted, client, stand_ins, progress, seconds=time.monotonic() - started)


def _read(layout: Layout, stack: str) -> _Stack:
    file, plan = read_and_plan(layout.checkout / "stacks", stack)
    said = config_of(file.path)
    policies = None if said is None else read_configuration(said)
    return _Stack(file=file, plan=plan, manifests=render(plan), policies=policies)


def _look_around(layout: Layout, wanted: _Stack, progress: Progress) -> None:
    """Refuse, before anything is started, what would only fail later: no passphrase, a port of somebody else."""
    passphrase(layout)
    own = [part.pid for part in Cluster(layout).parts()]
    setting = f"'access.port' in {wanted.file.path.name}"
    warning = require_port(wanted.plan.access.port, own, setting=setting)
    if warning is not None:
        progress.note(f"warning: {warning}")


@contextmanager
def _stopped_on_interrupt(cluster: Cluster, progress: Progress) -> Iterator[None]:
    """End the cluster on Ctrl-C if it did not run before the block."""
    ran = bool(cluster.parts())
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not ran:
            cluster.stop(progress)
        raise


def _prepare(layout: Layout, wanted: _Stack, progress: Progress) -> tuple[Engine, KubeWriter, list[Binary]]:
    """Provide binaries, cluster and engine."""
    binaries = provision(layout, (*BINARIES, *plugins.PROGRAMS), progress)
    cluster = Cluster(layout, binaries)
    cluster.start(cluster_needs(wanted.plan, wanted.manifests), progress)
    stand_ins = [plugin for plugin in plugins.install(layout, binaries) if plugin.origin == "stand-in"]
    client = cluster.client()
    tls = wanted.plan.access.tls
    if tls.secret_name is not None:
        namespace = tls.secret_namespace or wanted.plan.namespace
        give_certificate(
            client,
            layout.cluster,
            host=wanted.plan.access.host,
            name=tls.secret_name,
            namespace=namespace,
        )
    return Engine(layout, binaries), client, stand_ins


def _leave_other_stacks(engine: Engine, stack: str, client: KubeWriter, progress: Progress) -> None:
    """Take down any other stack: all stacks share one namespace, one host port and the simulated nodes."""
    for other in engine.stacks_in_use():
        if other != stack:
            _recover(engine, other, client, progress)
            with progress.step(f"Taking down stack {other}", log=engine.log):
                engine.run("destroy", "--yes", "--skip-preview", "--stack", other)


def _recover(engine: Engine, stack: str, client: KubeWriter, progress: Progress) -> None:
    for sentence in engine.recover(stack, client):
        progress.note(f"repaired: {sentence}")


def _config(
    layout: Layout, wanted: _Stack, check: Mapping[str, Any] | None, progress: Progress
) -> Path | None:
    """Return a copy of the stack file with another `platform.check`; None where the stack's own holds."""
    own = wanted.plan.settings.check
    if own is None and check is None:
        return None
    document = yaml.safe_load(wanted.file.path.read_text(encoding="utf-8"))
    platform = document["config"][f"{PROJECT}:platform"]
    said = platform.pop("check", {})
    if check is not None:
        platform["check"] = {**said, **check}
    else:
        progress.note(
            "platform.check is left out: no model answers in simulated pods; "
            f"'./dev gateway {wanted.file.stack}' puts a stand-in there and runs it"
        )
    copy = layout.state / "update" / wanted.file.path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return copy


def _for_the_engine(layout: Layout, policies: Configuration | None) -> Path | None:
    """Write what is said of the policies as the engine takes it; None where nothing is."""
    if policies is None:
        return None
    file = layout.state / "update" / "policy-config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(policies.for_the_engine(), default=str), encoding="utf-8")
    return file


def _tell_check(outputs: Mapping[str, Any], progress: Progress) -> None:
    found = outputs["check"]
    progress.note(f"check of the gateway: {found['summary']}")
    for fault in found["faults"]:
        place = f"{fault['role'] or 'gateway'}: {fault['name']}"
        progress.note(f"  {place}: {fault['found']}; {fault['change']}")


def _apply(
    engine: Engine, stack: str, progress: Progress, project: Path, config: Path | None, policies: Path | None
) -> None:
    other: tuple[str, ...] = () if config is None else ("--config-file", str(config))
    if policies is not None:
        other += ("--policy-pack-config", str(policies))
    with progress.step(f"pulumi up --stack {stack}", log=engine.log) as step:
        engine.run(
            *("up", "--yes", "--skip-preview", "--stack", stack, "--policy-pack", "policy", *other),
            project=project,
            on_line=lambda line: step.update(" ".join(line.split())[:100]),
        )


def _summary(
    wanted: _Stack, client: KubeWriter, stand_ins: Sequence[Binary], progress: Progress, *, seconds: float
) -> None:
    plan = wanted.plan
    for serving in plan.serving:
        found = client.get("serving.kserve.io/v1beta1", "InferenceService", serving.name, plan.namespace)
        ready = next((c["status"] for c in found["status"]["conditions"] if c["type"] == "Ready"), "Unknown")
        if ready != "True":
            raise EnvironmentProblem(
                f"InferenceService {plan.namespace}/{serving.name} is not READY after the update"
            )
        progress.note(f"InferenceService {serving.name}  READY={ready}")
        labels = f"serving.kserve.io/inferenceservice={serving.name}"
        for pod in client.list("v1", "Pod", plan.namespace, labels=labels):
            progress.note(
                f"  pod {pod['metadata']['name']}  {pod['status'].get('phase')}  on {pod['spec'].get('nodeName')}  "
                f"{serving.resources.gpus} × {serving.pool.accelerator.name} (simulated)"
            )
    access = plan.access
    progress.note(f"gateway  https://{access.host}:{access.port}/v1")
    if stand_ins:
        progress.note(
            "stand-ins in use: " + ", ".join(f"{binary.name} {binary.version}" for binary in stand_ins)
        )
    progress.note(
        f"stack {plan.stack} is up after {seconds:.0f} s; see './dev status', leave with './dev down'"
    )
