"""LiteLLM's process: the container that the stack declares, with this machine's places in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx

from embedded.gateway.container import Container, container
from embedded.gateway.litellm.package import VERSION, install, program
from embedded.gateway.redirect import models_at
from embedded.layout import Layout
from embedded.ports import LOOPBACK, Ports
from embedded.process import Process
from embedded.progress import Progress
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PlatformPlan, ProxyPart

NAME = "litellm"
# 10 s on two idle cores (1.109.1, 2026-11); a busy machine takes its time to read 90 packages.
_READY_SECONDS = 120.0
_ANSWER_SECONDS = 5.0
_EVERYWHERE = "0.0.0.0"  # noqa: S104  what the container listens on, replaced here
_SCRATCH = "/tmp"  # noqa: S108  the container's emptyDir, replaced here


def address(layout: Layout) -> str:
    """Return where LiteLLM answers, or will once it is started: the same address at each start, if it is free."""
    ports = Ports(layout.ports_file)
    if not process(layout).alive():
        ports.replace_taken([NAME])
    return f"http://{LOOPBACK}:{ports[NAME]}"


def start(
    layout: Layout,
    plan: PlatformPlan,
    part: ProxyPart,
    server: str,
    keys: Mapping[str, str],
    progress: Progress,
) -> str:
    """Run LiteLLM as the plan declares `part`, with the models on `server`, and return its address once it is ready.

    What runs so already is left alone.

    `keys` has its own key and that of the model servers, by the names of their Secrets. Raises
    `EnvironmentProblem` with the log to read when it cannot be installed or does not start.
    """
    install(layout, progress)
    here = address(layout)
    declared = container(models_at(plan, translation_proxy(part), server), keys)
    wanted = declared_process(layout, declared, here)
    if not wanted.as_wanted():
        wanted.stop()
        wanted.start()
    with progress.step(f"LiteLLM {VERSION}", log=wanted.log):
        _wait(wanted, f"{here}{declared.health_path}")
    return here


def process(layout: Layout, *argv: str, environment: Mapping[str, str] | None = None) -> Process:
    """Describe LiteLLM's process; to look at it or end it nothing more is needed."""
    return Process(
        name=NAME,
        argv=argv,
        env=environment or {},
        pid_file=layout.state / "gateway" / f"{NAME}.pid",
        log=layout.logs / f"{NAME}.log",
    )


def declared_process(layout: Layout, declared: Container, here: str) -> Process:
    """Return the process of a declared container, its files laid out.

    Address, port and paths of the container are replaced by this machine's; all else is what a node of the
    cluster would run. The folder's name follows from the files in it, so that other files are another command.
    """
    folder = _lay_out(layout, declared.files)
    places = {
        _EVERYWHERE: LOOPBACK,
        str(declared.port): here.rpartition(":")[2],
        _SCRATCH: str(folder / "scratch"),
        **{path: str(folder / path.rpartition("/")[2]) for path in declared.files},
    }

    def placed(word: str) -> str:
        for place, ours in places.items():
            if word == place or word.startswith(f"{place}/"):
                return ours + word[len(place) :]
        return word

    return process(
        layout,
        str(program(layout)),
        *map(placed, declared.arguments),
        environment={name: placed(value) for name, value in declared.environment.items()},
    )


def _lay_out(layout: Layout, files: Mapping[str, str]) -> Path:
    digest = hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()[:16]
    home = layout.state / "gateway" / NAME
    if not (home / digest).exists():
        shutil.rmtree(home, ignore_errors=True)
    (home / digest / "scratch").mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (home / digest / path.rpartition("/")[2]).write_text(text, encoding="utf-8")
    return home / digest


def _wait(running: Process, url: str) -> None:
    def answers() -> bool:
        try:
            return httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    running.wait_until(answers, timeout_seconds=_READY_SECONDS, what="ready")
